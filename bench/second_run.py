# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a run of site.yml without changes to ten pings of the same hosts, alternating, in one go.

Seconds depend on the machine more than on the playbook, so the result is the ratio of the medians.
Run it with .venv/bin/python after "make site".
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def seconds(playbook: str, inventory: str) -> float:
    """Return how long a run of *playbook* takes. Exits if it fails or changes something."""
    command = [ROOT / ".venv/bin/ansible-playbook", "-i", inventory, ROOT / playbook]
    start = time.monotonic()
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.monotonic() - start
    recap = run.stdout.rpartition("PLAY RECAP")[2]
    if run.returncode != 0 or recap.count("changed=") != recap.count("changed=0 "):
        sys.exit(f"{playbook} failed, or changed something:\n{run.stdout}\n{run.stderr}")
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--inventory", default="build/lab/inventory.yml", help="default: the lab's")
    arguments = parser.parse_args()
    pings, sites = [], []
    for _run in range(arguments.repeat):
        pings.append(seconds("bench/ten_pings.yml", arguments.inventory))
        sites.append(seconds("playbooks/site.yml", arguments.inventory))
        print(f"ten pings {pings[-1]:5.2f} s   site.yml {sites[-1]:5.2f} s", flush=True)
    ping, site = statistics.median(pings), statistics.median(sites)
    print(f"median    {ping:5.2f} s            {site:5.2f} s   ratio {site / ping:.2f}")


if __name__ == "__main__":
    main()

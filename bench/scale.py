# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give the lab's two balancers 1,000 virtual hosts (nginx) or 1,000 backend servers (haproxy), and change one of them.

Reports how long each run of site.yml takes, and how many of 100 requests per second failed meanwhile. On a busy machine
the controller's CPU time is more meaningful than the elapsed time. Run it with .venv/bin/python after "make lab site",
or LAB_ENGINE=haproxy make lab site. The last run restores the lab.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv/bin"
CLIENT = "client"
MANY = ROOT / "build/bench/many.json"


def virtual_hosts(count: int, _servers: list[str]) -> dict[str, Any]:
    """Return variables for nginx with *count* sites, the first of which answers for the VIP."""
    proxied = {"location /": {"proxy_pass": "http://backends"}}
    sites = [{"listen": 80, "server_name": f"site{number:04}.example.com", **proxied} for number in range(count)]
    return {"nginx_servers": sites}


def backend_servers(count: int, servers: list[str]) -> dict[str, Any]:
    """Return variables for haproxy with *count* servers, which alternate between the lab's."""
    lines = [f"web{number:04} {servers[number % len(servers)]}:80 check inter 30s" for number in range(count)]
    return {"haproxy_backends": [{"name": "backends", "balance": "roundrobin", "server": lines}]}


VARIABLES = {"nginx": virtual_hosts, "haproxy": backend_servers}


def site(inventories: list[Path]) -> tuple[float, float]:
    """Run site.yml on the balancers; return the elapsed time and the CPU time here, in seconds.

    Exits if it fails.
    """
    options = [f"--inventory={path}" for path in inventories]
    command = [BIN / "ansible-playbook", *options, "--limit", "balancers", ROOT / "playbooks/site.yml"]
    begin, busy = time.monotonic(), cpu_s()
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    took = time.monotonic() - begin, cpu_s() - busy
    if run.returncode != 0:
        sys.exit(f"site.yml failed:\n{run.stdout}\n{run.stderr}")
    return took


def cpu_s() -> float:
    """Return the CPU time of finished child processes, in seconds."""
    times = os.times()
    return times.children_user + times.children_system


def ad_hoc(inventory: Path, module: str, arguments: dict[str, Any]) -> subprocess.Popen[str]:
    """Start a module on the client."""
    environment = {**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    command = [BIN / "ansible", CLIENT, "-i", inventory, "-m", module, "-a", json.dumps(arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def probed_site(inventories: list[Path], vip: str) -> tuple[tuple[float, float], dict[str, Any]]:
    """Run site.yml while the client requests the VIP's page; return site's result, and the client's."""
    run_file = f"/run/haproof-{uuid.uuid4()}"
    arguments = {"url": f"http://{vip}/", "run_file": run_file, "duration": 120}
    prober = ad_hoc(inventories[0], "haproof.balancer.vip_probe", arguments)
    wait = {"path": run_file, "search_regex": "ready", "timeout": 30}
    ad_hoc(inventories[0], "ansible.builtin.wait_for", wait).communicate()
    took = site(inventories)
    ad_hoc(inventories[0], "ansible.builtin.file", {"path": run_file, "state": "absent"}).communicate()
    output = re.sub(r"^\S+ \| \S+ => ", "", prober.communicate()[0])
    seen: dict[str, Any] = json.loads(output)["probe"]
    return took, seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 1000], help="how many (default: 10 and 1000)")
    parser.add_argument("--inventory", type=Path, default=ROOT / "build/lab/inventory.yml", help="default: the lab's")
    arguments = parser.parse_args()
    lab = yaml.safe_load(arguments.inventory.read_text())["all"]
    engine = lab["vars"]["balancer_engine"]
    vip = lab["vars"]["keepalived_vips"][0]["address"].partition("/")[0]
    servers = [host["backend_address"] for host in lab["children"]["backends"]["hosts"].values()]
    MANY.parent.mkdir(parents=True, exist_ok=True)
    try:
        for count in arguments.counts:
            # The second run adds one to the existing ones.
            for number in (count, count + 1):
                variables = VARIABLES[engine](number, servers)
                MANY.write_text(json.dumps({"all": {"children": {"balancers": {"vars": variables}}}}))
                (took, busy), seen = probed_site([arguments.inventory, MANY], vip)
                failed = f"{seen['failed']} of {seen['requests']} requests failed {seen['errors'] or ''}"
                print(f"{engine} {number:5}: {took:5.2f} s, {busy:5.2f} s CPU, {failed}", flush=True)
    finally:
        site([arguments.inventory])


if __name__ == "__main__":
    main()

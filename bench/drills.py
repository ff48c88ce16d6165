# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write docs/drills.md: what every fault cost a client, beside what VRRP's timers allow.

Takes the reports that the scenario "failover" leaves in build/failover, a folder for each pair.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Iterator

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT / "build/collections"))
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.words import STATES

PROFILES = ("standard", "fast")
HEAD = """\
<!--
SPDX-FileCopyrightText: 2026 haproof.balancer contributors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# What a fault costs

Every fault of the role [drill](../roles/drill/README.md), on pairs of the lab: the longest outage that a client felt
with a new connection every 5 ms. `bound` is what VRRP's timers allow (RFC 9568, section 6.1, and 20 ms of work);
where it is missing, a check of the service decides, or nothing has to move. Faults with several runs show the median
and the worst. In brackets is what failed of all requests where the outage alone does not tell.

Written by `make matrix && .venv/bin/python bench/drills.py` (two hours on 2 cores), or for single
pairs `LAB_FAULTS=all LAB_PROFILE=fast make molecule-failover` and the same command after it.
"""


def reports(pair: Path) -> Iterator[dict[str, Any]]:
    """Yield the drills of a pair."""
    for path in sorted(pair.glob("*/report.json")):
        yield from json.loads(path.read_text())["drills"]


def ms(seconds: float | None) -> str:
    """Return a duration in milliseconds, or a dash."""
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"


def outage(drill: dict[str, Any] | None) -> str:
    """Return a cell of the table."""
    if drill is None:
        return "not drilled"
    if drill["verdict"] == "skip":
        return "skipped"
    spread = drill["figures"]["outage_s"]
    text = ms(spread["median"])
    if len(drill["runs"]) > 1 and spread["worst"] != spread["median"]:
        text += f", worst {ms(spread['worst'])}"
    if drill["expected"]["outage_slo_s"] is None:
        text += f" ({drill['failed']} of {drill['requests']})"
    return text if drill["verdict"] == "pass" else f"**{text}: {STATES[drill['verdict']]}**"


def table(release: str, engine: str, found: dict[str, dict[str, dict[str, Any]]]) -> str:
    """Return the table of one engine on one release; *found* has the drills by profile and fault."""
    lines = [
        f"## {engine} on Debian {release}\n",
        "| fault | " + " | ".join(f"`{profile}` | bound" for profile in found) + " |",
        "|---|" + "---|---|" * len(found),
    ]
    for fault in FAULTS:
        cells = []
        for drills in found.values():
            drill = drills.get(fault)
            cells += [outage(drill), ms(drill["expected"]["bound_s"] if drill else None)]
        lines.append(f"| `{fault}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    parts = [HEAD]
    for release in ("12", "13"):
        for engine in ("nginx", "haproxy"):
            pairs = {profile: PROJECT / f"build/failover/{engine}-{profile}-{release}" for profile in PROFILES}
            found = {
                profile: {drill["fault"]: drill for drill in reports(pair)}
                for profile, pair in pairs.items()
                if pair.is_dir()
            }
            if found:
                parts.append(table(release, engine, found))
    if len(parts) == 1:
        sys.exit("build/failover has no reports: run LAB_FAULTS=all make molecule-failover first")
    (PROJECT / "docs/drills.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab is removed completely, even if Docker still counts an endpoint in one of its networks."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from nodes import inventory_balancers

if TYPE_CHECKING:
    from nodes import Lab

REMOVE = Path(__file__).parents[2] / "remove"
LABEL = "haproof.lab=removal"


def docker(*argv: str) -> str:
    return subprocess.run(["docker", *argv], check=True, capture_output=True, text=True).stdout.strip()


def test_a_network_with_an_endpoint_left_is_removed(lab: Lab) -> None:
    node = next(iter(inventory_balancers(lab.inventory).values()))["lab_container"]
    image = docker("inspect", "--format", "{{.Image}}", node)
    network = docker("network", "create", "--internal", "--label", LABEL, f"{node}-removal")
    left = docker("run", "--detach", "--rm", "--network", network, image, "sleep", "60")
    try:
        subprocess.run([REMOVE, LABEL], check=True)
        assert docker("network", "ls", "--quiet", "--filter", f"label={LABEL}") == ""
    finally:
        docker("rm", "--force", left)

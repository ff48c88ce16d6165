# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judges are those of the two Debian releases, and run behind walls."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemons import RELEASES, ROOTS, run

VERSIONS = {
    "haproxy -v": {"12": "HAProxy version 2.6.", "13": "HAProxy version 3.0."},
    "nginx -v": {"12": "nginx version: nginx/1.22.", "13": "nginx version: nginx/1.26."},
    "keepalived --version": {"12": "Keepalived v2.2.7", "13": "Keepalived v2.3.3"},
}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("command", VERSIONS)
def test_versions(command: str, release: str, tmp_path: Path) -> None:
    said = run(release, tmp_path, *command.split())
    assert said.returncode == 0
    assert said.stdout.startswith(VERSIONS[command][release])


def test_walls(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("pid /run/nginx.pid; events {} http { server { listen 80; } }")
    assert run("12", tmp_path, "nginx", "-t", "-c", "/mnt/nginx.conf").returncode == 0
    assert not list((ROOTS / "12/run").iterdir())

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemons of build/daemons (``scripts/setup daemons``), which say what a configuration means."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOTS = Path(__file__).parents[2] / "build/daemons"
RELEASES = ("12", "13")
# A network and folders of their own: what a daemon binds or writes while it validates stays between these walls.
_WALLS = """
set -e
root=$1 folder=$2
shift 2
ip link set lo up
ip link add eth0 type veth peer name eth1
ip address add 192.0.2.1/24 dev eth0
ip address add 2001:db8::1/64 dev eth0 nodad
ip link set eth0 up
ip link set eth1 up
mount --bind "$folder" "$root/mnt"
mount --rbind /proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
exec chroot "$root" "$@"
"""


def configuration(path: Path) -> str:
    """Read a configuration, with a control character for each of its symbols, such as ``␍``: linters reject these."""
    symbols = {0x2400 + code: code for code in range(32)} | {0x2421: 0x7F}
    return path.read_bytes().decode().translate(symbols)


def run(release: str, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a Debian release has it, with *folder* as /mnt; its output is one text, errors included."""
    return subprocess.run(
        behind_walls(release, folder, *command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


def behind_walls(release: str, folder: Path, *command: str) -> list[str]:
    """Return what runs a command as a Debian release has it, with *folder* as /mnt, eth0 and eth1."""
    root = ROOTS / release
    assert root.is_dir(), f"{root} is missing: run scripts/setup daemons"
    walls = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
    if os.geteuid():
        walls.append("--map-root-user")
    return [*walls, "sh", "-c", _WALLS, "walls", str(root), str(folder), *command]

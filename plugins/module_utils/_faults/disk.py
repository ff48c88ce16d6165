# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""disk_full: a small separate file system is filled completely."""

from __future__ import annotations

import os

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    FaultError,
    FaultHost,
    FaultPlan,
    Options,
    Step,
)

MAX_BYTES = 1 << 30
FILE = "haproof-drill.fill"


def fill(options: Options, host: FaultHost) -> FaultPlan:
    """Fill the file system at *path* with one file."""
    path = os.path.realpath(options.path)
    if path == "/":
        raise FaultError("path is /: the root file system is never filled, name a small separate one")
    if not host.is_mount_point(path):
        raise FaultError(f"path is {options.path}, which is not a mount point: only a separate file system is filled")
    if host.size(path) >= MAX_BYTES:
        size = host.size(path) / MAX_BYTES
        raise FaultError(f"the file system at {options.path} has {size:.1f} GiB: only one below 1 GiB is filled")
    file = os.path.join(path, FILE)
    # The file system is full once a write fails.
    fill = '! head -c "$1" /dev/zero >"$2"'
    full = '! head -c 4096 /dev/zero >>"$1"'
    return FaultPlan(
        inject=[Step(["sh", "-c", fill, "sh", str(MAX_BYTES), file])],
        heal=[Step(["rm", "-f", file]), Step(["test", "-e", file], must_fail=True)],
        present=[
            Step(["test", "-s", file], lost=f"{file} has been removed"),
            Step(["sh", "-c", full, "sh", file], lost=f"{path} has free space again"),
        ],
    )

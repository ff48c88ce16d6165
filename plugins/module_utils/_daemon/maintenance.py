# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon in maintenance: a drop-in of its unit keeps it stopped, also over reboots, while that file exists."""

from __future__ import annotations

import os

UNITS = "/etc/systemd/system"
UPGRADE = "upgrade"
"""The playbook whose maintenance ends with it, unless it was interrupted."""


def drop_in(unit: str) -> str:
    """Return the path of the drop-in, which the playbook ``maintenance`` writes."""
    return f"{UNITS}/{unit}.service.d/maintenance.conf"


def maintenance_since(unit: str) -> float | None:
    """Return when the unit's maintenance began, in seconds since the epoch; None if it is not in maintenance."""
    try:
        return os.stat(drop_in(unit)).st_mtime
    except FileNotFoundError:
        return None


def maintenance_by(unit: str) -> str | None:
    """Return the playbook that began the unit's maintenance, as it wrote in the file; None without one."""
    try:
        with open(drop_in(unit), encoding="utf-8", errors="replace") as stream:
            return UPGRADE if f"haproof.balancer.{UPGRADE}" in stream.readline() else "maintenance"
    except FileNotFoundError:
        return None

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What adopt and audit say about a host that was set up by hand. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def untracked(name: str, stray: Mapping[str, Any]) -> str:
    """Return that a daemon runs in its unit without being its main process, and what to do; empty if it does not."""
    if stray["unit"] != f"{name}.service":
        return ""
    return (
        f"{name} runs (process {stray['pid']}) in {name}.service, but systemd does not know it as the main process: add"
        " PIDFile= to the unit, or a line '# pidfile: PATH' to the header of an init script, then run systemctl"
        f" daemon-reload and restart {name}"
    )


def outside(name: str, stray: Mapping[str, Any]) -> str:
    """Return that a daemon runs outside of its unit."""
    where = f" as part of {stray['unit']}" if stray["unit"] else ""
    return f"{name} runs (process {stray['pid']}){where}, but not as {name}.service"


def job_kept(job: str) -> str:
    """Return that a job of cron or rc.local stays as it is; *job* has its file and its line."""
    what = "line, which runs at boot," if job.partition(": ")[0].endswith("/rc.local") else "cron job"
    return f"this {what} is yours and stays as it is: {job}"

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Has a host booted since?"""

from __future__ import annotations


def current_boot() -> str:
    """Return what tells this boot of the host from others; a container boots with its first process alone."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        boot = stream.read().strip()
    with open("/proc/1/stat", encoding="utf-8", errors="replace") as stream:
        # proc(5): field 22, behind a name that may have spaces.
        return f"{boot} {stream.read().rpartition(')')[2].split()[19]}"

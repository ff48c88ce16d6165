# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Identify a host's current boot."""

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._common.proc import read_stat


def current_boot() -> str:
    """Return an identifier of this boot; a container's boot is the start of its first process."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        boot = stream.read().strip()
    return f"{boot} {read_stat(1)[1]}"

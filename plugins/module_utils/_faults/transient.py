# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A background process for as long as a fault lasts: a transient systemd unit."""

from __future__ import annotations

from typing import Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import Options, Step


def name(fault: str) -> str:
    """Return the name of the fault's unit."""
    return f"haproof-fault-{fault}"


def background(options: Options, argv: Sequence[str], *properties: str) -> Step:
    """Return the step that starts a command, which systemd ends at the deadline if the fault is not healed before."""
    limits = [f"RuntimeMaxSec={options.deadline_s:g}", *properties]
    words = ["systemd-run", "--quiet", "--collect", f"--unit={name(options.fault)}"]
    return Step([*words, *(f"--property={limit}" for limit in limits), *argv])


def gone(fault: str) -> Step:
    """Return the step that stops the unit."""
    return Step(["systemctl", "stop", f"{name(fault)}.service"], only_if=runs(fault).argv)


def runs(fault: str) -> Step:
    """Return the step that succeeds while the unit is active."""
    return Step(["systemctl", "is-active", "--quiet", f"{name(fault)}.service"])

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Faults of a whole node, injected from outside by the user's commands."""

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultHost, FaultPlan, Options, Step


def run_commands(options: Options, host: FaultHost) -> FaultPlan:  # noqa: ARG001 (all plans have the same parameters)
    """Run the user's commands."""
    commands = options.commands
    return FaultPlan(
        inject=[Step(argv) for argv in commands["inject"]],
        heal=[Step(argv) for argv in commands["heal"]],
        present=[],
    )

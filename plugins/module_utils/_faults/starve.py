# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""cpu_starve: busy loops use up every processor."""

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import FaultHost, FaultPlan, Options, Step
from ansible_collections.haproof.balancer.plugins.module_utils._faults.transient import background, gone, runs

LOOPS_PER_CORE = 2


def keep_busy(options: Options, host: FaultHost) -> FaultPlan:
    """Run two busy loops per core."""
    loops = 'i=0; while [ "$i" -lt "$1" ]; do while :; do :; done & i=$((i + 1)); done; wait'
    return FaultPlan(
        inject=[background(options, ["sh", "-c", loops, "sh", str(host.cores() * LOOPS_PER_CORE)])],
        heal=[gone(options.fault), Step(runs(options.fault).argv, must_fail=True)],
        present=[runs(options.fault)._replace(lost="the busy loops have ended")],
    )

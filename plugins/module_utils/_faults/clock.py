# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""clock_jump: the wall clock jumps forward by an hour."""

from __future__ import annotations

import sys
import time

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    CAP_SYS_TIME,
    FaultHost,
    FaultPlan,
    Options,
    Step,
)

JUMP_S = 3600

# The offset to CLOCK_BOOTTIME, which cannot be set, shows whether NTP has undone the jump.
_AHEAD = """
import sys, time
before_s, jump_s = float(sys.argv[1]), float(sys.argv[2])
ahead_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) - before_s
"""
_ASK = _AHEAD + "sys.exit(0 if ahead_s > jump_s / 2 else 1)\n"
_BACK = _AHEAD + "if ahead_s > jump_s / 2: time.clock_settime(time.CLOCK_REALTIME, time.time() - jump_s)\n"
_FORWARD = "import sys, time\ntime.clock_settime(time.CLOCK_REALTIME, time.time() + float(sys.argv[2]))\n"


def jump(options: Options, host: FaultHost) -> FaultPlan:  # noqa: ARG001 (all plans have the same parameters)
    """Set the clock forward."""
    host.need_no_container("its clock is that of its host")
    host.need_capability(CAP_SYS_TIME, "CAP_SYS_TIME")
    before_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)

    def python(code: str) -> list[str]:
        return [sys.executable, "-c", code, f"{before_s:.6f}", str(JUMP_S)]

    return FaultPlan(
        inject=[Step(python(_FORWARD))],
        heal=[Step(python(_BACK)), Step(python(_ASK), must_fail=True)],
        present=[Step(python(_ASK), lost="the clock has been set back")],
    )

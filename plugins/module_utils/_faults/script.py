# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The script that heals a fault, run by the timer, by the module, or by an engineer on call."""

from __future__ import annotations

import shlex
from typing import Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import Step

RECORD = "record.json"
LOST = "lost"
HEALED = "healed.json"
HEALED_AT = "healed"
INJECTED_AT = "injected"

_HEAD = """#!/bin/sh
# Heals {what}, which a drill of haproof.balancer injected.
# Can be run by hand at any time, and repeatedly:  sh {folder}/heal
folder={folder}
failed=0

must() {{ "$@" || {{ echo "failed: $*" >&2; failed=1; }}; }}
must_fail() {{ if "$@" >/dev/null 2>&1; then echo "should fail: $*" >&2; failed=1; fi; }}
quietly() {{ "$@" >/dev/null 2>&1; }}
shows() {{ told=$1; shift; quietly "$@" || echo "$told" >>"$folder/{lost}.new"; }}
shows_by_failing() {{ told=$1; shift; if quietly "$@"; then echo "$told" >>"$folder/{lost}.new"; fi; }}

# The timer and an engineer may run it at the same time.
exec 9<"$folder" || exit 1
if quietly command -v flock; then flock 9; fi
if [ ! -e "$folder/{record}" ]; then
    echo "healed already"
    exit 0
fi

# Is it still in effect, or has something else ended it? Only the first attempt can tell.
if [ ! -e "$folder/{lost}" ]; then
{present}
fi
{python} -c 'import time; print(time.monotonic())' >"$folder/{healed_at}"

"""

_TAIL = """
if [ "$failed" -ne 0 ]; then
    echo {what}" is NOT healed" >&2
    exit 1
fi
mv "$folder/{record}" "$folder/{healed}"

# Disarm the switch.
{disarm}
exit "$failed"
"""


def line(step: Step) -> str:
    """Return a step as a line of the script."""
    command = f"{'must_fail' if step.must_fail else 'must'} {shlex.join(step.argv)}"
    return f"if quietly {shlex.join(step.only_if)}; then {command}; fi" if step.only_if else command


def look(step: Step) -> str:
    """Return a check of the fault's effect as a line of the script, which records what it found instead."""
    return f"    {'shows_by_failing' if step.must_fail else 'shows'} {shlex.join([step.lost, *step.argv])}"


def heal_script(
    what: str, folder: str, present: Sequence[Step], heal: Sequence[Step], disarm: Sequence[Step], python: str
) -> str:
    """Return the script for the fault *what* with its record in *folder*. It continues after a failed step."""
    looks = [f'    : >"$folder/{LOST}.new"', *map(look, present), f'    mv "$folder/{LOST}.new" "$folder/{LOST}"']
    head = _HEAD.format(
        what=what,
        folder=shlex.quote(folder),
        record=RECORD,
        python=shlex.quote(python),
        healed_at=HEALED_AT,
        lost=LOST,
        present="\n".join(looks) if present else "    :",
    )
    tail = _TAIL.format(
        what=shlex.quote(what),
        record=RECORD,
        healed=HEALED,
        disarm="\n".join(map(line, disarm)),
    )
    return head + "\n".join(map(line, heal)) + "\n" + tail

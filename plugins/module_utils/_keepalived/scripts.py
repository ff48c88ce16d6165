# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Locates scripts in a keepalived.conf, for messages about those that keepalived does not run. Pure functions."""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.script_words import file_command

MISSING = re.compile(r"Disabling track script (\S+) since not found")
_BLOCK = re.compile(r"\s*vrrp_script\s+(\S+)")
_SCRIPT = re.compile(r"\s*script\s+(.*)")
_COMMENT = re.compile(r"\s+[#!].*")


class ScriptLine(NamedTuple):
    """The number of a script's line in its file, from 1, and its program as written."""

    number: int
    program: str


def script_line(name: str, text: str) -> ScriptLine | None:
    """Return the line of the vrrp_script *name* in a file, None if it is not there."""
    block = ""
    for number, line in enumerate(text.split("\n"), 1):
        opened, script = _BLOCK.match(line), _SCRIPT.match(line)
        if opened:
            block = opened[1].strip("\"'{")
        elif script and block == name:
            words = file_command(_COMMENT.sub("", script[1]))
            return ScriptLine(number, words[0]) if words else None
    return None


def missing(program: str) -> str:
    """Return why keepalived does not run a *program*."""
    place = f"{program} does not exist, or is not a file" if "/" in program else f"no {program} in keepalived's PATH"
    return f"{place}, so keepalived never runs this check"


def explain(line: str, text: str) -> str:
    """Return keepalived's message about the file *text*, with the place and reason if known."""
    found = MISSING.search(line)
    place = script_line(found[1], text) if found else None
    return f"{line}: line {place.number}: {missing(place.program)}" if place else line

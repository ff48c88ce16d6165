# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether packages are installed, as dpkg or rpm reports it. Asking costs half of what a package manager does."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import read

# What prints "installed" for each package that is.
QUERIES = {
    "dpkg": ["dpkg-query", "--show", "--showformat=${db:Status-Status}\n"],
    "rpm": ["rpm", "--query", "--queryformat", "installed\n"],
}
OPTIONS: dict[str, Any] = {
    "names": {"type": "list", "elements": "str", "required": True},
    "database": {"type": "str", "choices": sorted(QUERIES), "required": True},
    "source": {"type": "path"},
    "source_text": {"type": "str", "default": ""},
}
"""Options of a module that asks."""


def has_source(options: Mapping[str, Any]) -> bool:
    """Return whether the file ``source`` has the text ``source_text``; without one it must not be there."""
    source = read(options["source"]) if options["source"] else None
    text: str = source.content.decode(errors="replace") if source else ""
    return text == str(options["source_text"])


def installed(options: Mapping[str, Any], run: Runner) -> bool:
    """Return whether all packages are installed."""
    if not options["names"]:
        return True
    code, output, _error = run([*QUERIES[options["database"]], *options["names"]])
    return code == 0 and set(output.splitlines()) == {"installed"}

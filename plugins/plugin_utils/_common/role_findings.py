# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks shared by the preflights of the nginx and haproxy roles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._common.config_error import ConfigError
from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import path_problem
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.own_files import is_own


def label(variable: str, index: int, item: Mapping[str, Any]) -> str:
    """Return ``nginx_upstreams[0] (web)``: an item of a list variable, with its name if it has one."""
    name = item.get("name")
    return f"{variable}[{index}] ({name})" if name else f"{variable}[{index}]"


def on_host(host: str, findings: Iterable[str]) -> list[str]:
    """Return the findings, each prefixed with the host."""
    return [f"{host}: {finding}" for finding in findings]


def render_findings(render: Callable[[Any, str], str], path: str, value: Any) -> Iterator[str]:
    """Yield the first value in ``value``, which is at ``path``, that the daemon's file cannot express."""
    try:
        render(value, path)
    except ConfigError as error:
        yield str(error)


def name_findings(names: Iterable[tuple[str, Any]], example: str) -> Iterator[str]:
    """Yield places without a name, or with the name of an earlier place.

    ``names`` are pairs of place and name in one name space, ``example`` is a valid name.
    """
    first: dict[str, str] = {}
    for place, value in names:
        name = str(value or "")
        if not name:
            yield f"{place}: no name; give one, e.g. 'name: {example}'"
        elif any(char.isspace() for char in name):
            yield f"{place}: the name {name!r} contains spaces; use e.g. {'-'.join(name.split())!r}"
        elif name in first:
            yield f"{place} ({name}): the name is already used by {first[name]}; rename one of them"
        else:
            first[name] = place


def list_names(variable: str, items: Sequence[Mapping[str, Any]]) -> list[tuple[str, Any]]:
    """Return the pairs for name_findings from a list variable."""
    return [(f"{variable}[{index}]", item.get("name")) for index, item in enumerate(items)]


def file_findings(variable: str, files: Sequence[Mapping[str, Any]], main_file: str) -> Iterator[str]:
    """Yield auxiliary files whose ``dest`` is not a plain path, is this collection's own, or is a duplicate.

    Also secrets that other users could read.
    """
    first: dict[str, str] = {}
    for index, item in enumerate(files):
        dest = str(item.get("dest") or "")
        place = f"{variable}[{index}]"
        wrong = path_problem(dest)
        if wrong:
            yield f"{place}: dest {wrong}"
        elif dest == main_file or is_own(dest):
            yield f"{place}: dest {dest} is this collection's own file; use the roles' other variables for its content"
        elif dest in first:
            yield f"{place}: dest {dest} is already used by {first[dest]}; remove one of them"
        else:
            first[dest] = place
        mode = str(item.get("mode") or "0600")
        if item.get("secret") and (not re.fullmatch(r"[0-7]{3,4}", mode) or int(mode, 8) & 0o137):
            yield f"{place}: mode {mode} is too open for the secret {dest}; use 0640 or tighter"

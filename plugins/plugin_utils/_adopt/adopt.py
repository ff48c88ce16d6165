# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role's variables that reproduce a daemon's live files on all hosts. Pure."""

from __future__ import annotations

from typing import AbstractSet, Any, Callable, Mapping, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._common.collection import no_collection
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy import parse as haproxy_parse
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived import instances as keepalived_instances
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived import parse as keepalived_parse
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import meaning
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy import adopt as haproxy
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived import adopt as keepalived
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.findings import acceptable_kinds
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import adopt as nginx
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import parse as nginx_parse


class AdoptError(ValueError):
    """A host's file cannot be adopted; the message has the host and the reason."""


class Reader(NamedTuple):
    """The functions that convert a daemon's file to variables.

    ``variables`` raises ValueError if they would not reproduce the file. ``difference`` returns the first difference
    between the file and the variables' result, empty if none. ``effect`` returns a value that is equal for equivalent
    files. ``includes`` returns the files, or patterns, that the file includes. ``shared`` returns the variables that
    depend on the files of all hosts, and on the kinds of complaints that the daemon has about them.
    """

    parse: Callable[[str], Any]
    variables: Callable[[Any], dict[str, Any]]
    difference: Callable[[Mapping[str, Any], Any], str]
    effect: Callable[[Any], Any]
    includes: Callable[[Any], list[str]] = lambda _live: []
    shared: Callable[[Mapping[str, Any], AbstractSet[str]], dict[str, Any]] = lambda _lives, _accepted: {}


READERS = {
    "keepalived": Reader(
        keepalived_parse.parse,
        keepalived.variables,
        keepalived.difference,
        lambda live: meaning(render(live)),
        keepalived_instances.includes,
        lambda lives, accepted: {"keepalived_accept": sorted({*acceptable_kinds(lives), *accepted})},
    ),
    "nginx": Reader(nginx_parse.parse, nginx.variables, nginx.difference, nginx.effect, nginx.includes),
    "haproxy": Reader(haproxy_parse.parse, haproxy.variables, haproxy.difference, haproxy.effect),
}


@no_collection()
def adopt(
    daemon: str,
    files: Mapping[str, bytes],
    placed: Mapping[str, Mapping[str, Any]] | None = None,
    accepted: AbstractSet[str] = frozenset(),
) -> dict[str, Any]:
    """Return the variables for a daemon's file by host.

    *placed* has more variables by host, *accepted* the kinds of complaints that the daemon has about its files.
    ``group`` has those with one value on all hosts, ``hosts`` each host's others. ``includes`` has the files that each
    host's file includes, as written. Raises AdoptError.
    """
    reader = READERS[daemon]
    lives = {host: _parse(reader, daemon, host, text) for host, text in files.items()}
    found = split(
        {
            host: {**_variables(reader, daemon, host, live), **(placed or {}).get(host, {})}
            for host, live in lives.items()
        }
    )
    if lives:
        found["group"].update(reader.shared(lives, accepted))
    return {**found, "includes": {host: reader.includes(live) for host, live in lives.items()}}


def _parse(reader: Reader, daemon: str, host: str, text: bytes) -> Any:
    try:
        # The readers only accept other encodings than UTF-8 in comments, where they are common.
        return reader.parse(text.decode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise AdoptError(f"{host}: the configuration of {daemon} cannot be read: {error}") from error


def _variables(reader: Reader, daemon: str, host: str, live: Any) -> dict[str, Any]:
    try:
        found = reader.variables(live)
        differs = reader.difference(found, live)
    except ValueError as error:
        raise AdoptError(f"{host}: the configuration of {daemon} cannot be adopted: {error}") from error
    if differs:
        raise AdoptError(f"{host}: the variables do not reproduce the configuration of {daemon}: {differs}")
    return found


def split(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return ``group``, the variables with one value on all hosts, and ``hosts``, each host's others."""
    first, *others = found.values() or [{}]
    group = {
        name: value for name, value in first.items() if all(name in other and other[name] == value for other in others)
    }
    hosts = {host: {name: value for name, value in mine.items() if name not in group} for host, mine in found.items()}
    return {"group": group, "hosts": hosts}


def same(daemon: str, text: str, other: str) -> bool:
    """Return whether two texts of a daemon's file are equivalent, whatever their comments, blanks and spelling."""
    reader = READERS[daemon]
    try:
        one, another = (reader.effect(reader.parse(each)) for each in (text, other))
    except ValueError:
        return False
    return bool(one == another)

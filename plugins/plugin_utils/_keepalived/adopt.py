# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's variables for a keepalived.conf written by hand: the inverse of ``tree.tree``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Union

from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import Mask
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.secrets import find_secrets
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import meaning
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import BLOCKS, LINES, tree
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster

Tree = Union[Mapping[str, Any], Sequence[Any], str]
"""A configuration as ``parse`` returns it."""

# These keep the role from adding anything.
ADDS_NOTHING = {
    "keepalived_base": False,
    "keepalived_unit": False,
    "keepalived_track_services": [],
    "keepalived_check_url": "",
    "keepalived_nonlocal_bind": "never",
}


def variables(live: Tree) -> dict[str, Any]:
    """Return the role's variables that reproduce a configuration that ``parse`` read: the inverse of ``tree``.

    If ``tree`` would reorder the blocks, which can change their meaning, ``keepalived_conf`` holds them all.
    """
    if isinstance(live, Mapping):
        found = _by_block(live)
        again = adopted(found)
        if isinstance(again, Mapping) and list(again.items()) == list(live.items()):
            return found
        live = [live]
    return {**ADDS_NOTHING, "keepalived_conf": live if isinstance(live, str) else list(live)}


def _by_block(live: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {**ADDS_NOTHING}
    directives = {directive: name for name, directive in BLOCKS.items()}
    for key, value in live.items():
        word, _space, name = key.partition(" ")
        # An empty setting has no effect.
        if value and (key in LINES or (key == "global_defs" and isinstance(value, Mapping))):
            found[f"keepalived_{key}"] = value
        elif word in directives and name and isinstance(value, Mapping) and "name" not in value:
            found.setdefault(f"keepalived_{directives[word]}", []).append({"name": name, **value})
        else:
            found.setdefault("keepalived_conf", {})[key] = value
    return found


def adopted(found: Mapping[str, Any]) -> Tree:
    """Return the configuration that ``tree`` makes of the result of :func:`variables`."""
    settings: dict[str, Any] = {name: [] for name in (*LINES, *BLOCKS)}
    settings.update(vips=[], profile={}, unicast=False, track_services=[], check_script="")
    settings.update(global_defs={}, vrrp_instance={}, conf={})
    settings.update({name.partition("_")[2]: found[name] for name in found.keys() - ADDS_NOTHING.keys()})
    return tree(settings, Cluster("", [], {}))


def difference(found: Mapping[str, Any], live: Tree) -> str:
    """Return the first difference between *live* and the configuration for the variables *found*, empty if none.

    Compares line by line, as keepalived reads them, and shows no password and no key.
    """
    wanted, given = render(live), render(adopted(found))
    if wanted == given:
        return ""
    mask = Mask({*find_secrets(wanted), *find_secrets(given)})
    for index, (line, other) in enumerate(zip_longest(meaning(wanted), meaning(given)), 1):
        if line != other:
            return f"its directive {index} is {_shown(line, mask)}, and would be {_shown(other, mask)}"
    return ""


def _shown(line: str | None, mask: Mask) -> str:
    if line is None:
        return "missing"
    # The mask leaves short numbers, which may be passwords.
    return "auth_pass ..." if "auth_pass" in line else repr(mask(line))

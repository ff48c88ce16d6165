# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the plans of the roles have in common."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_plan import (
    Inventory,
    family_of,
    one_line_findings,
    with_flags,
)


def test_findings_name_the_host() -> None:
    (found,) = one_line_findings("keepalived", {"script_user": "a b", "vips": ["\n"]}, "lb01")
    assert found.startswith("lb01: keepalived_script_user: 'a b' is not valid here")
    (found,) = one_line_findings("keepalived", {}, "a\nb")
    assert found.startswith(r"a\nb: inventory_hostname: 'a\nb' holds a line break")


def test_flags_are_what_ansible_understands() -> None:
    settings = {"base": "yes", "watch": "False", "gzip": 1, "main": {}}
    assert with_flags(settings, "base", "watch", "gzip") == {"base": True, "watch": False, "gzip": True, "main": {}}


def test_facts() -> None:
    inventory = Inventory("a", {}, {"a": {"ansible_facts": {"x": 1}}, "b": {}})
    assert (inventory.facts, inventory.facts_of("b")) == ({"x": 1}, {})


def test_the_hosts_of_the_play_are_the_balancers_without_that_group() -> None:
    inventory = Inventory("a", {"lbs": ["c"]}, {}, ["a"], targeted=["a", "b"])
    assert (inventory.members("balancers"), inventory.members("lbs")) == (["a", "b"], ["c"])
    with pytest.raises(ValueError, match=r"^the inventory has no group 'others'$"):
        inventory.members("others")
    # Those that --limit leaves would share the virtual IPs among themselves.
    limited = inventory._replace(targeted=["b"], limit="b")
    with pytest.raises(ValueError, match=r"^the inventory has no group 'balancers', and --limit b hides hosts of the "):
        limited.members("balancers")
    assert limited._replace(groups={"balancers": ["a", "b"]}).members("balancers") == ["a", "b"]


def test_families() -> None:
    families = {"RedHat": {"packages": ["b"]}, "Debian": {"packages": ["a"]}}
    assert family_of(families, {"os_family": "Debian"}) == {"packages": ["a"]}
    with pytest.raises(ValueError, match=r"^os_family: Suse; the role knows Debian, RedHat$"):
        family_of(families, {"os_family": "Suse"})

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which site changes what balancers must share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._operations.shared import Balancer, in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

PAIR = ("lb01", "lb02")
A, B = "192.0.2.10", "192.0.2.20"


def conf(**vrids: int) -> dict[str, Any]:
    """Return the configuration of an instance per router id; ``x`` has the first virtual IP, ``y`` the second."""
    addresses = {"x": A, "y": B}
    return {
        f"vrrp_instance {name}": {
            "interface": "eth1",
            "virtual_router_id": vrid,
            "virtual_ipaddress": [addresses[name]],
        }
        for name, vrid in vrids.items()
    }


OLD, NEW = conf(x=10, y=20), conf(x=11, y=20)
KEPT = [{"address": A, "interface": "eth1"}, {"address": B, "interface": "eth1"}]
CHANGES = [f"{A} (virtual_router_id)"]


def balancer(before: Any, *addresses: str, hosts: Sequence[str] = PAIR, after: Any = NEW) -> Balancer:
    return Balancer(hosts, None if before == after else render(before) if before else "", after, addresses)


def test_the_holder_comes_first() -> None:
    for holder, other in (("lb01", "lb02"), ("lb02", "lb01")):
        found = in_order({other: balancer(OLD), holder: balancer(OLD, A, B)})
        entry = {"first": holder, "others": [other], "unchanged": [], "vips": KEPT, "changes": CHANGES}
        assert found == {holder: entry, other: entry}


def test_of_two_holders_the_first_one_comes_first() -> None:
    found = in_order({"lb01": balancer(OLD, B), "lb02": balancer(OLD, A)})
    assert {entry["first"] for entry in found.values()} == {"lb01"}


def test_nothing_to_share_is_no_entry() -> None:
    same = {"after": conf(x=10, y=20)}
    assert in_order({"lb01": balancer(OLD, A, **same), "lb02": balancer(OLD, B, **same)}) == {}
    assert in_order({"lb01": balancer(None), "lb02": balancer(None)}) == {}
    # Another virtual IP is removed.
    alone = {"after": conf(x=10)}
    assert in_order({"lb01": balancer(OLD, A, **alone), "lb02": balancer(OLD, **alone)}) == {}


def test_after_an_interrupted_run_the_changed_holder_stays_first() -> None:
    found = in_order({"lb01": balancer(OLD), "lb02": balancer(NEW, A, B)})
    assert (found["lb01"]["first"], found["lb02"]["others"]) == ("lb02", ["lb01"])
    assert found["lb02"]["unchanged"] == []


def test_a_standby_that_has_changed_already_is_only_stopped_meanwhile() -> None:
    found = in_order({"lb01": balancer(OLD, A, B), "lb02": balancer(NEW)})
    assert (found["lb01"]["first"], found["lb01"]["unchanged"]) == ("lb01", ["lb02"])


def test_hosts_that_differ_before_are_one_change() -> None:
    found = in_order({"lb01": balancer(conf(x=12, y=21), A, B), "lb02": balancer(conf(x=10, y=20))})
    assert found["lb01"]["changes"] == [f"{A} (virtual_router_id)", f"{B} (virtual_router_id)"]


def test_a_new_balancer_keeps_nothing() -> None:
    found = in_order({"lb01": balancer(None), "lb02": balancer(OLD, A, B)})
    entry = {"first": "lb02", "others": ["lb01"], "unchanged": [], "vips": [], "changes": CHANGES}
    assert found["lb01"] == entry


def test_pairs_have_their_own_order() -> None:
    others = ["lb03", "lb04"]
    found = in_order(
        {
            "lb01": balancer(OLD, A, B),
            "lb02": balancer(OLD),
            "lb03": balancer(OLD, hosts=others, after=OLD),
            "lb04": balancer(OLD, A, B, hosts=others, after=OLD),
        }
    )
    assert set(found) == set(PAIR)
    # A host that does not take part in the run is not stopped.
    assert in_order({"lb02": balancer(OLD, A)})["lb02"]["others"] == []

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs set up by hand go through audit, adopt and site without a change that a client or a peer can feel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from by_hand import (
    adopted_variables,
    assert_site_changes_nothing,
    assert_site_would_change_nothing,
    assert_works,
    drilled,
    pair_of,
    play,
    state,
    warnings_of_audit,
)

if TYPE_CHECKING:
    from by_hand import Pair
    from nodes import Lab


@pytest.fixture(scope="module")
def haproxy_pair(lab: Lab) -> Pair:
    """MASTER 100, BACKUP 90, and a command with weight -20 as the check."""
    return pair_of(lab, "balancers", "haproxy", {10: "lb01"})


@pytest.fixture(scope="module")
def nginx_pair(lab: Lab) -> Pair:
    """Two VIPs with an owner each, one of them in an included file, and a check whose weight never moves a VIP."""
    return pair_of(lab, "nginx_pair", "nginx", {16: "lb03", 9: "lb04"})


@pytest.fixture(params=["haproxy_pair", "nginx_pair"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Return each pair."""
    found: Pair = request.getfixturevalue(request.param)
    return found


def test_the_pair_works(pair: Pair) -> None:
    assert_works(pair)


def drill(pair: Pair, name: str) -> None:
    """Stop the service of the first VIP's holder, which shows what the pair costs; everything is as before then."""
    run = drilled(pair, "service_stop", name)
    if pair.engine == "haproxy":
        assert run["holder_during"] == "lb02", run["output"]
        # The check fails three times, every two seconds, and the standby waits three adverts and its skew: 8 to 10 s.
        assert 5 < run["outage_s"] < 12, run["output"]
    else:
        # The check starts nginx again, up to two seconds later, and the VIP stays.
        assert run["holder_during"] == "lb03", run["output"]
        assert 0 < run["outage_s"] < 5, run["output"]
    assert_works(pair)


def test_drills_before(pair: Pair) -> None:
    drill(pair, "before")


def test_audit_finds_nothing_wrong_and_warns(pair: Pair) -> None:
    warned = [(each["warning"], each["host"]) for each in warnings_of_audit(pair)]
    wanted = [("script_security", name) for name in pair.nodes]
    assert warned == wanted + ([("weight", "lb03")] if pair.engine == "nginx" else [])


def test_adopt_accepts_what_runs_and_names_what_it_leaves(pair: Pair) -> None:
    done = play(pair, "adopt", adopt_modernise=True)
    assert done.returncode == 0, done.stdout + done.stderr
    # It does not count what the nginx pair's included file says.
    assert re.search(r"service stops +(9,668 ms|the VIP stays) +22 ms", done.stdout), done.stdout
    proposal = yaml.safe_load((pair.inventory.parent / "proposal.yml").read_text())
    (vip,) = proposal["keepalived_vips"]
    first = next(iter(pair.holders))
    assert vip == {"address": f"{first}/24", "interface": "eth1", "vrid": vip["vrid"], "owner": pair.holders[first][0]}
    written = adopted_variables(pair)
    assert written["site.yml"] == {"balancer_engine": pair.engine}
    accepted = {"haproxy": ["script_security"], "nginx": ["script_security", "weight"]}[pair.engine]
    assert written["keepalived.yml"]["keepalived_accept"] == accepted
    expected = "/etc/keepalived/keepalived.conf includes /etc/keepalived/conf.d/*.conf"
    assert done.stdout.count(expected) == {"haproxy": 0, "nginx": 2}[pair.engine], done.stdout


def test_site_would_change_nothing(pair: Pair) -> None:
    assert_site_would_change_nothing(pair)


def test_site_changes_nothing(pair: Pair, lab: Lab) -> None:
    assert_site_changes_nothing(pair, lab)


def test_a_check_that_keepalived_would_not_run_is_named(haproxy_pair: Pair) -> None:
    scripts = [{"name": "chk_haproxy", "script": '"no-such-program -0 haproxy"', "interval": 2, "weight": -20}]
    before = state(haproxy_pair)
    done = play(haproxy_pair, "site", keepalived_vrrp_scripts=scripts)
    assert done.returncode != 0
    expected = r"chk_haproxy since not found/accessible: line \d+: no no-such-program in keepalived's PATH"
    output = " ".join(done.stdout.split())
    assert re.search(expected, output), output
    assert "keepalived_accept: [script_missing]" in output
    assert state(haproxy_pair) == before


def test_audit_names_a_check_that_keepalived_disabled(haproxy_pair: Pair) -> None:
    node = haproxy_pair.nodes["lb02"]
    file = "/etc/keepalived/keepalived.conf"
    node.check_output("cp --archive %s /root/ && sed -i 's/killall -0/no-such-program -0/' %s", file, file)
    try:
        node.check_output("systemctl reload keepalived")
        done = play(haproxy_pair, "audit")
    finally:
        node.check_output("cp --archive /root/keepalived.conf %s && systemctl reload keepalived", file)
    assert done.returncode != 0
    expected = rf"lb02: {file} line \d+: vrrp_script chk_haproxy: no no-such-program in keepalived's PATH"
    assert re.search(expected, " ".join(done.stdout.split())), done.stdout


def test_drills_after_show_the_same(pair: Pair) -> None:
    drill(pair, "after")

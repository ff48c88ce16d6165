# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs that init scripts and rc.local start go through audit, adopt and site without a change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from by_hand import (
    adopted_variables,
    assert_site_changes_nothing,
    assert_site_would_change_nothing,
    assert_works,
    changes,
    drilled,
    holders,
    pair_of,
    play,
    state,
    warnings_of_audit,
)
from nodes import eventually

if TYPE_CHECKING:
    from by_hand import Pair
    from nodes import Lab

KEPT = {
    "haproxy": "this cron job is yours and stays as it is: /var/spool/cron/crontabs/root: * * * * *"
    " /etc/keepalived/baojing.sh",
    "nginx": "this line, which runs at boot, is yours and stays as it is: /etc/rc.local: /etc/init.d/keepalived start",
}
WARNED = {"haproxy": ["cron", "script_security"], "nginx": ["cron"]}


@pytest.fixture(scope="module")
def init_pair(lab: Lab) -> Pair:
    """Return a pair whose haproxy has an init script, and binds the VIP, so that it only starts on the holder."""
    return pair_of(lab, "balancers", "haproxy", {10: "lb01"})


@pytest.fixture(scope="module")
def rc_local_pair(lab: Lab) -> Pair:
    """Two VIPs with an owner each, without a check, and keepalived is not enabled, but rc.local starts it."""
    return pair_of(lab, "rc_local_pair", "nginx", {3: "lb03", 4: "lb04"})


@pytest.fixture(params=["init_pair", "rc_local_pair"])
def pair(request: pytest.FixtureRequest) -> Pair:
    """Return each pair."""
    found: Pair = request.getfixturevalue(request.param)
    return found


def output(done: Any) -> str:
    return " ".join(done.stdout.split())


def test_a_standby_whose_service_cannot_bind_the_vip_is_named(init_pair: Pair) -> None:
    """The guide leaves it so; site, which runs the engine on all balancers, would start it, and fail."""
    assert eventually(lambda: holders(init_pair) == init_pair.holders, within_s=20), holders(init_pair)
    assert eventually(lambda: init_pair.nodes["lb01"].run("systemctl is-active haproxy").rc == 0, within_s=10)
    assert init_pair.nodes["lb02"].run("systemctl is-active haproxy").rc != 0
    before = state(init_pair)["lb01"]
    audited, adopted = play(init_pair, "audit"), play(init_pair, "adopt")
    assert audited.returncode != 0
    found = "lb02: VI_1 is at priority 50 because of script chk_haproxy: it may not take over"
    assert found in output(audited), audited.stdout
    # The check starts it again and again, and may do so at this moment.
    assert "does not know it as the main process" not in output(audited), audited.stdout
    assert adopted.returncode != 0
    expected = (
        "lb02: haproxy.service does not run here, but on lb01, and site would start it. Start it; to bind a virtual IP"
        " that another host holds, it needs the kernel parameter net.ipv4.ip_nonlocal_bind=1"
    )
    assert expected in output(adopted), adopted.stdout
    assert state(init_pair)["lb01"] == before
    assert not list(init_pair.inventory.parent.glob("group_vars/*/*.yml"))
    for node in init_pair.nodes.values():
        node.check_output(
            "echo net.ipv4.ip_nonlocal_bind=1 >/etc/sysctl.d/vip.conf && sysctl --load /etc/sysctl.d/vip.conf"
        )
    init_pair.nodes["lb02"].check_output("service haproxy start")


def test_the_pair_works(pair: Pair) -> None:
    assert_works(pair)


def drill(pair: Pair, name: str) -> None:
    """Stop the service, which shows what the check does, and keepalived, whose VIP moves; all is as before then."""
    stopped = drilled(pair, "service_stop", f"{name}_service")
    first = next(iter(pair.holders.values()))
    assert [stopped["holder_during"]] == first, stopped["output"]
    if pair.engine == "haproxy":
        # The check starts it again, up to four seconds later, and the VIP stays.
        assert 0 < stopped["outage_s"] < 6, stopped["output"]
    else:
        # Nothing notices that nginx is stopped: the outage lasts as long as the fault.
        assert stopped["outage_s"] > 5, stopped["output"]
    moved = drilled(pair, "keepalived_stop", f"{name}_keepalived")
    assert [moved["holder_during"]] != first, moved["output"]
    assert moved["outage_s"] < 3, moved["output"]
    assert_works(pair)


def test_drills_before(pair: Pair) -> None:
    drill(pair, "before")


def test_audit_finds_nothing_wrong_and_warns(pair: Pair) -> None:
    warnings = warnings_of_audit(pair)
    warned = {(each["warning"], each["host"]) for each in warnings}
    wanted = {(kind, name) for name in pair.nodes for kind in WARNED[pair.engine]}
    assert warned == wanted | ({("weight", "lb01")} if pair.engine == "haproxy" else set())
    assert [each["text"] for each in warnings if each["warning"] == "cron"] == [
        f"{name}: {KEPT[pair.engine]}" for name in pair.nodes
    ]


def test_adopt_names_the_programs_and_what_it_leaves(pair: Pair) -> None:
    done = play(pair, "adopt", adopt_modernise=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert output(done).count(KEPT[pair.engine]) == len(pair.nodes), done.stdout
    written = adopted_variables(pair)
    assert written["site.yml"] == {"balancer_engine": pair.engine}
    if pair.engine == "haproxy":
        assert written["haproxy.yml"]["haproxy_program"] == "/usr/local/sbin/haproxy"
        assert written["keepalived.yml"]["keepalived_accept"] == ["script_security", "weight"]
        assert "haproxy_at_boot" not in written["haproxy.yml"]
    else:
        assert written["keepalived.yml"]["keepalived_at_boot"] is False
        assert "nginx_at_boot" not in written["nginx.yml"]
    assert re.search(r"service stops +the VIP stays", done.stdout), done.stdout


def test_site_would_change_nothing(pair: Pair) -> None:
    assert_site_would_change_nothing(pair)


def test_only_what_adopt_wrote_keeps_site_from_enabling_keepalived(rc_local_pair: Pair) -> None:
    done = play(rc_local_pair, "site", "--check", keepalived_at_boot=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert changes(done) == dict.fromkeys(rc_local_pair.nodes, 1), done.stdout


def test_site_changes_nothing(pair: Pair, lab: Lab) -> None:
    assert_site_changes_nothing(pair, lab)


def test_a_change_reaches_the_service_of_an_init_script(init_pair: Pair) -> None:
    path = init_pair.inventory.parent / "group_vars/balancers/haproxy.yml"
    adopted = path.read_text()
    path.write_text(adopted.replace("maxconn: 400\n", "maxconn: 390\n"))
    assert path.read_text() != adopted
    try:
        done = play(init_pair, "site")
    finally:
        path.write_text(adopted)
    assert done.returncode == 0, done.stdout + done.stderr
    for node in init_pair.nodes.values():
        assert "maxconn 390" in node.check_output("cat /etc/haproxy/haproxy.cfg")
        assert "haproxy.init" not in node.check_output("ls /etc/systemd/system")
        assert node.check_output("systemctl show haproxy --property=FragmentPath --value").endswith(
            "/generator.late/haproxy.service"
        )
    assert_works(init_pair)


def test_drills_after(pair: Pair) -> None:
    drill(pair, "after")

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the role's variables to what it puts on a host, with the role's own tables and defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_plan import Inventory
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.plan import (
    HANDOVER,
    MANIFEST,
    WATCH,
    Plan,
    plan,
)
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.wire_plan import fingerprint

ROLE = Path(__file__).parents[5] / "roles/keepalived"
VARS = yaml.safe_load((ROLE / "vars/main.yml").read_text())
TABLES = {"profiles": VARS["__keepalived_profiles"], "families": VARS["__keepalived_families"]}
DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
SETTINGS = {
    **{name: DEFAULTS.get(f"keepalived_{name}", "") for name in VARS["__keepalived_settings"]},
    # Has tests of its own.
    "handover": False,
    # Their defaults are templates.
    "track_services": [],
    "check_url": "",
    "vips": [{"address": "192.0.2.10/24", "owner": "lb01"}],
}
HOOK = "https://hook.example.com/"


def facts(last_byte: int, family: str) -> dict[str, Any]:
    """Return the facts of a host."""
    link = {"device": "eth0", "ipv4": {"address": f"192.0.2.{last_byte}", "prefix": "24"}}
    return {"os_family": family, "interfaces": ["eth0"], "eth0": link}


def inventory(host: str = "lb01", **changes: Any) -> Inventory:
    """Return what Ansible knows of a pair, lb02 of which is of the other family."""
    hostvars = {"lb01": {"ansible_facts": facts(11, "Debian")}, "lb02": {"ansible_facts": facts(12, "RedHat")}}
    known = Inventory(host, {"balancers": ["lb01", "lb02"]}, hostvars, ["lb01", "lb02"])
    return known._replace(**changes)


def planned(host: str = "lb01", **settings: Any) -> Plan:
    """Return the plan of a host."""
    return plan({**SETTINGS, **settings}, TABLES, inventory(host))


def file(found: Plan, dest: str) -> Mapping[str, Any]:
    """Return the file of a plan at *dest*."""
    (one,) = (each for each in found["files"] if each["dest"] == dest)
    return one


def test_a_host_without_the_roles_own_files() -> None:
    present = [each["dest"] for each in planned(unit="no")["files"] if each.get("state") != "absent"]
    assert present == []
    assert planned(unit=False, track_services=["nginx"], watch=True)["findings"] == [
        "lb01: keepalived_track_services needs keepalived_unit: true",
        "lb01: keepalived_watch needs keepalived_unit: true",
    ]


def remembering(left: dict[str, list[str]], **settings: Any) -> Plan:
    """Return the plan of lb01, which remembers lb02 and those that *left*."""
    hostvars = {host: {"ansible_facts": facts(byte, "Debian")} for host, byte in (("lb01", 11), ("lb02", 12))}
    hostvars["lb01"]["ansible_facts"]["ansible_local"] = {"haproof_members": {"lb02": ["192.0.2.12"], **left}}
    return plan({**SETTINGS, **settings}, TABLES, inventory()._replace(hostvars=hostvars))


def test_a_member_that_left_is_remembered() -> None:
    present = {"lb01": ["192.0.2.11"], "lb02": ["192.0.2.12"]}
    left = {"lb03": ["192.0.2.13"]}
    assert (remembering({})["members"], remembering({})["former"]) == (present, {})
    assert (remembering(left)["members"], remembering(left)["former"]) == ({**present, **left}, left)
    # With another name, but the same address.
    assert remembering({"former": ["192.0.2.12"]})["former"] == {}
    assert remembering(left, unit=False)["members"] == {}


def test_an_address_is_remembered_while_its_facts_are_missing() -> None:
    hostvars: dict[str, Any] = {"lb01": {"ansible_facts": facts(11, "Debian")}, "lb02": {}}
    hostvars["lb01"]["ansible_facts"]["ansible_local"] = {"haproof_members": {"lb02": ["192.0.2.12"]}}
    found = plan(SETTINGS, TABLES, inventory()._replace(hostvars=hostvars))
    assert found["members"] == {"lb01": ["192.0.2.11"], "lb02": ["192.0.2.12"]}


def test_the_base() -> None:
    assert "    vrrp_version 3\n" in planned()["conf"]
    assert "    advert_int 0.05\n" in planned(profile="fast")["conf"]
    for off in (False, "no"):
        assert planned(base=off, vips=[])["conf"] == ""
    assert planned(base=False)["findings"] == [
        "lb01: keepalived_base: false leaves out the VRRP timers, which keepalived_vips needs"
    ]


@pytest.mark.parametrize(
    ("url", "profile", "command"),
    [
        ("http://127.0.0.1:8099/", "standard", "answers 127.0.0.1 8099 /"),
        ("http://[::1]:8099/up", "cloud", "answers ::1 8099 /up"),
        ("http://localhost", "fast", "answers localhost 80 / 200 2 270 550"),
    ],
)
def test_a_check(url: str, profile: str, command: str) -> None:
    assert f'"/usr/local/libexec/keepalived/{command}"' in planned(check_url=url, profile=profile)["conf"]
    assert f'"/usr/libexec/keepalived/{command}"' in planned("lb02", check_url=url, profile=profile)["conf"]


def test_virtual_ips() -> None:
    found = planned(vips=[{"address": "192.0.2.10/24"}, {"address": "192.0.2.9/24"}])
    assert found["vips"] == ["192.0.2.10", "192.0.2.9"] or found["vips"] == ["192.0.2.9", "192.0.2.10"]
    assert found["vip_words"] == [f'"{vip}"' for vip in found["vips"]]


def test_alerts() -> None:
    mail = {"to": ["a@example.com"], "password": "pass", "tls": "tls"}
    webhook = {"url": HOOK, "headers": {"X-Key": 7}}
    found = planned(alert_mail=mail, alert_webhook=webhook, secrets=["mine"], track_services=["nginx"])
    assert "    vrrp_notify_fifo /run/keepalived-alert.fifo\n" in found["conf"]
    assert found["secrets"] == ["mine", "pass", HOOK, "7"]
    assert found["units"] == ["keepalived-track@nginx", "keepalived-alert.socket"]
    config = file(found, "/etc/keepalived/alert.json")
    assert config == {
        "dest": "/etc/keepalived/alert.json",
        "content": {
            "host": "lb01",
            "interval": 60,
            "services": ["nginx"],
            "instances": {"VI_192.0.2.10": {"vips": ["192.0.2.10/24"], "owner": True}},
            "mail": mail,
            "webhook": webhook,
        },
        "secret": True,
        "owner": "haproof_script",
        "mode": "0400",
    }
    off = planned()
    assert ("vrrp_notify_fifo" in off["conf"], off["units"], off["secrets"]) == (False, [], [])


def test_the_watch_comes_and_goes() -> None:
    found = planned(watch="yes", watch_release_after=5, alert_webhook={"url": HOOK})
    config = file(found, "/etc/keepalived/watch.json")["content"]
    assert (config["alert"], config["release_after"]) == ("/usr/local/libexec/keepalived/alert", 5)
    assert [vip["address"] for vip in config["vips"]] == ["192.0.2.10"]
    assert config["vips"][0]["release"].endswith(".release")
    assert "watch_VI_192.0.2.10" in found["conf"]
    assert found["units"][-1] == "keepalived-watch"
    assert file(found, WATCH)["content"] == (ROLE / "files/watch.py").read_text()
    off = planned(watch_release_after=5)
    gone = {each["dest"] for each in off["files"] if each.get("state") == "absent" and "watch" in each["dest"]}
    assert gone == {each["dest"] for each in found["files"] if "watch" in each["dest"]}
    assert "watch_" not in off["conf"]


def test_the_hand_over_comes_and_goes() -> None:
    found = planned(handover="yes", handover_limit=60, check_url="http://127.0.0.1:8099/")
    assert file(found, "/etc/keepalived/handover.json")["content"] == {
        "limit": 60,
        "check": "http://127.0.0.1:8099/",
        "vips": [{"address": "192.0.2.10", "interface": "eth0", "alive_s": 0.8, "source": "", "peers": ["192.0.2.12"]}],
        "left_out": {},
    }
    assert file(found, HANDOVER)["content"] == (ROLE / "files/handover.py").read_text()
    assert (found["handover"], found["units"], "nftables" in found["packages"]) == (True, ["keepalived-handover"], True)
    assert {"service": "handover", "source": "192.0.2.12"} in found["allow"]
    off = planned()
    gone = {each["dest"] for each in off["files"] if each.get("state") == "absent" and "handover" in each["dest"]}
    assert gone == {each["dest"] for each in found["files"] if "handover" in each["dest"]}
    assert (off["handover"], off["units"], "nftables" in off["packages"]) == (False, [], False)
    assert not [allow for allow in off["allow"] if allow["service"] == "handover"]


def test_the_hand_over_asks_from_the_address_of_the_adverts() -> None:
    (vip,) = file(planned(handover=True, unicast=True), "/etc/keepalived/handover.json")["content"]["vips"]
    assert (vip["source"], vip["peers"]) == ("192.0.2.11", ["192.0.2.12"])


def test_the_hand_over_is_on_unless_the_user_has_the_units() -> None:
    assert DEFAULTS["keepalived_handover"]
    found = planned(unit=False, handover=True)
    assert (found["findings"], found["handover"], found["units"]) == ([], False, [])
    assert all(each["state"] == "absent" for each in found["files"] if "handover" in each["dest"])


def test_a_host_that_does_not_know_its_peers_keeps_its_hand_over() -> None:
    limited = inventory(hostvars={"lb01": {"ansible_facts": facts(11, "Debian")}, "lb02": {}})
    found = plan({**SETTINGS, "handover": True}, TABLES, limited)
    assert (found["handover"], found["units"], "nftables" in found["packages"]) == (True, [], True)
    assert not [each for each in found["files"] if each["dest"] == "/etc/keepalived/handover.json"]
    assert file(found, HANDOVER)["content"] == (ROLE / "files/handover.py").read_text()


def test_a_host_that_knows_some_of_its_peers_does_not_start_a_hand_over_without_configuration() -> None:
    hostvars = {host: {"ansible_facts": facts(address, "Debian")} for host, address in (("lb01", 11), ("lb02", 12))}
    limited = inventory(groups={"balancers": ["lb01", "lb02", "lb03"]}, hostvars={**hostvars, "lb03": {}})
    found = plan({**SETTINGS, "handover": True}, TABLES, limited)
    assert (found["handover"], found["units"]) == (True, [])
    assert not [each for each in found["files"] if each["dest"] == "/etc/keepalived/handover.json"]


def test_a_single_balancer_has_no_hand_over() -> None:
    alone = inventory(groups={"balancers": ["lb01"]}, hostvars={"lb01": {"ansible_facts": facts(11, "Debian")}})
    found = plan({**SETTINGS, "handover": True}, TABLES, alone)
    assert (found["findings"], found["handover"], found["units"]) == ([], False, [])
    assert all(each["state"] == "absent" for each in found["files"] if "handover" in each["dest"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"vrrp_instance": {"use_vmac": True}}, "it is on a VMAC's interface"),
        (
            {"virtual_servers": [{"name": "192.0.2.10 80", "protocol": "TCP", "lvs_sched": "rr"}]},
            "IPVS has its own connections",
        ),
    ],
)
def test_no_hand_over_of_what_it_cannot_follow(changes: Mapping[str, Any], reason: str) -> None:
    found = planned(handover=True, **changes)
    assert (found["findings"], found["handover"], found["units"]) == ([], False, [])
    # For the audit.
    config = file(found, "/etc/keepalived/handover.json")["content"]
    assert (config["vips"], config["left_out"]) == ([], {"192.0.2.10": reason})
    assert file(found, HANDOVER)["state"] == "absent"
    assert file(planned(**changes), "/etc/keepalived/handover.json")["state"] == "absent"


def test_scripts_of_the_user() -> None:
    script = {"name": "promote", "content": "#!/bin/sh\n"}
    assert file(planned(scripts=[script]), "/usr/local/libexec/keepalived/promote")["mode"] == "0755"
    assert file(planned("lb02", scripts=[script]), "/usr/libexec/keepalived/promote")["content"] == "#!/bin/sh\n"


def test_the_manifest_lists_the_scripts_of_the_user() -> None:
    script = {"name": "promote", "content": "#!/bin/sh\n"}
    assert file(planned(scripts=[script]), MANIFEST)["content"] == "/usr/local/libexec/keepalived/promote\n"
    assert file(planned(), MANIFEST)["state"] == "absent"


def test_the_host() -> None:
    found = planned(sysctl={"net.ipv4.conf.all.arp_ignore": 1})
    assert found["allow"] == [{"service": "vrrp", "source": "192.0.2.12"}]
    assert (found["interfaces"], found["sysctl"]) == (["eth0"], {"net.ipv4.conf.all.arp_ignore": 1})
    assert (planned("lb02")["sebooleans"], found["sebooleans"]) == (["keepalived_connect_any"], [])
    assert (found["allow_known"], found["facts_complete"]) == (True, True)


def test_without_the_facts_of_a_peer_the_firewall_stays_as_it_is() -> None:
    known = inventory()
    known = known._replace(hostvars={**known.hostvars, "lb02": {}})
    found = plan(SETTINGS, TABLES, known)
    assert (found["facts_complete"], found["allow_known"]) == (False, False)
    closed = plan({**SETTINGS, "firewall": False}, TABLES, known)
    assert (closed["facts_complete"], closed["allow_known"], closed["allow"]) == (False, True, [])


def test_nonlocal_bind_asks_the_variables_of_the_services() -> None:
    asked = []

    def variables(prefixes: Sequence[str], further: Mapping[str, Any]) -> dict[str, Any]:
        asked.append((prefixes, further["__keepalived_plan"]["vips"]))
        return {"nginx_servers": [{"listen": "192.0.2.10:80"}]}

    settings = {**SETTINGS, "track_services": ["nginx"]}
    known = inventory(variables=variables)
    assert plan(settings, TABLES, known)["sysctl"] == {"net.ipv4.ip_nonlocal_bind": 1}
    assert asked == [(["nginx_"], ["192.0.2.10"])]
    assert plan({**settings, "nonlocal_bind": "never"}, TABLES, known)["sysctl"] == {}
    own = {"net.ipv4.ip_nonlocal_bind": 0}
    assert plan({**settings, "nonlocal_bind": "always", "sysctl": own}, TABLES, known)["sysctl"] == own
    assert len(asked) == 1


def test_the_link_is_known_by_its_mark() -> None:
    known = inventory()
    assert not plan(SETTINGS, TABLES, known)["link_known"]
    mark = {"haproof": {"keepalived_link": fingerprint(plan(SETTINGS, TABLES, known)["tree"])}}
    link = {**known.facts["eth0"], "ipv4_secondaries": [{"address": "192.0.2.10", "prefix": "24"}]}
    hostvars = {**known.hostvars, "lb01": {"ansible_facts": {**known.facts, "ansible_local": mark, "eth0": link}}}
    assert plan(SETTINGS, TABLES, known._replace(hostvars=hostvars))["link_known"]
    # Without the role's own files there is no mark; the file on the host tells as much.
    other = plan({**SETTINGS, "profile": "fast"}, TABLES, known)["conf"]
    holding = {"lb01": {"ansible_facts": {**known.facts, "eth0": link}}, "lb02": known.hostvars["lb02"]}
    for live, expected in ((other, True), (other.replace("192.0.2.10", "192.0.2.9"), False), ("x {", False)):
        found = plan({**SETTINGS, "unit": False, "live": live}, TABLES, known._replace(hostvars=holding))
        assert found["link_known"] is expected, live
    # Whoever does not take part is not seen.
    away = known._replace(hostvars=hostvars, host="lb01", play_hosts=["lb02"])
    assert not plan(SETTINGS, TABLES, away)["link_known"]


def test_only_hosts_that_look_together_are_probed() -> None:
    assert [peer["name"] for peer in planned()["instances"][0]["peers"]] == ["lb02"]
    assert plan(SETTINGS, TABLES, inventory(forks=1))["instances"][0]["peers"] == []


@pytest.mark.parametrize(("profile", "seconds"), [("standard", 2), ("fast", 2), ("cloud", 7), ("compatible", 5)])
def test_a_killed_keepalived_comes_back_after_a_takeover(profile: str, seconds: int) -> None:
    assert planned(profile=profile)["restart_s"] == seconds
    assert planned(base=False, vips=[])["restart_s"] == 5


def test_what_systemd_must_grant() -> None:
    assert (planned()["lvs"], planned()["namespaces"]) == (False, False)
    assert planned(virtual_servers=[{"name": "192.0.2.10 80"}])["lvs"]
    assert planned(conf={"net_namespace": "blue"})["namespaces"]


def test_packages() -> None:
    assert (planned()["packages"], planned()["binary"]) == (["keepalived"], "")
    assert planned()["installation"] == {"names": ["keepalived"], "database": "dpkg"}
    assert planned("lb02", extra_packages=["a"])["installation"] == {"names": ["keepalived", "a"], "database": "rpm"}
    assert planned("lb02")["environment"] == "/etc/sysconfig/keepalived"


def test_a_program_of_the_users() -> None:
    program = "/usr/local/keepalived/sbin/keepalived"
    found = planned(program=program, extra_packages=["a"])
    assert (found["binary"], found["packages"], found["packaged"]) == (program, [], [])
    assert found["installation"]["names"] == ["a"]
    assert planned(program=program, install_method="source")["findings"][0] == (
        f"lb01: keepalived_program is {program}, but keepalived_install_method: source builds another one; set only one"
    )


def test_a_build() -> None:
    options = ["--enable-dbus", "--enable-snmp-vrrp", "--enable-snmp", "--enable-json"]
    found = planned(
        install_method="source",
        version="2.3.3",
        checksum="sha256:" + 64 * "0",
        configure_options=options,
    )
    assert found["packages"][0] == "gcc"
    assert found["packages"][-2:] == ["libglib2.0-dev", "libsnmp-dev"]
    assert found["binary"].startswith("/usr/local/keepalived-2.3.3-")
    assert found["source"]["url"] == "https://www.keepalived.org/software/keepalived-2.3.3.tar.gz"
    (refused,) = planned(install_method="source", version="2.3.3")["findings"]
    assert refused.startswith("lb01: keepalived_checksum is empty; ")


def test_findings_alone() -> None:
    found = planned(script_user="a b", vips=[{"address": "192.0.2.10"}])
    assert list(found) == ["findings"]
    assert found["findings"][0].startswith("lb01: keepalived_script_user: 'a b' is not valid here; ")
    found = planned(
        vips=[{"address": "192.0.2.10"}], alert_mail={"server": "x"}, scripts=[{"name": "track", "content": ""}]
    )
    assert [text.split(": ")[1] for text in found["findings"]] == [
        "keepalived_vips[0].address",
        "keepalived_alert_mail.to",
        "keepalived_scripts[0].name",
        "keepalived_scripts[0].content",
    ]
    assert planned(group="lbs") == {"findings": ["lb01: keepalived_group: the inventory has no group 'lbs'"]}


def test_the_alerts_want_their_hook() -> None:
    (found,) = planned(alert_webhook={"url": HOOK}, global_defs={"vrrp_notify_fifo": "/run/mine"})["findings"]
    assert found.startswith("lb01: keepalived_global_defs.vrrp_notify_fifo: the alerts use it; ")


def test_secrets_are_not_shown() -> None:
    instance = {"name": "VI_1", "authentication": {"auth_type": "PASS", "auth_pass": "s3cretword\n"}}
    (found,) = planned(vrrp_instances=[instance])["findings"]
    assert "s3cretword" not in found


def test_the_hosts_of_the_play_share_the_virtual_ips_without_a_group() -> None:
    found = plan(SETTINGS, TABLES, inventory("lb02", groups={}, targeted=["lb01", "lb02"]))
    assert found["conf"] == planned("lb02")["conf"]
    assert "    priority 253\n" in found["conf"]


def test_a_host_outside_the_group_has_no_part_in_its_virtual_ips() -> None:
    found = plan(SETTINGS, TABLES, inventory(groups={"balancers": ["lb02"]}))
    assert found["findings"] == ["lb01: keepalived_group: lb01 is not in balancers, whose hosts share keepalived_vips"]


def test_uninstalling_needs_no_part_in_the_virtual_ips() -> None:
    gone = Inventory("lb03", {"all": ["lb03"]}, {"lb03": {"ansible_facts": {"os_family": "Debian"}}}, ["lb03"])
    wanted = {**SETTINGS, "track_services": ["nginx"], "watch": True}
    assert plan({**wanted, "group": "lbs"}, TABLES, gone)["findings"] == [
        "lb03: keepalived_group: the inventory has no group 'lbs'"
    ]
    found = plan({**wanted, **VARS["__keepalived_uninstalled"]}, TABLES, gone)
    assert found["findings"] == []
    assert found["units"] == ["keepalived-track@nginx", "keepalived-watch"]
    assert {WATCH, "/etc/keepalived/alert.json"} <= {file["dest"] for file in found["files"]}

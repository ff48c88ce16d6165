# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The audit's verdict on a healthy pair, and on one broken in each way."""

from __future__ import annotations

import copy
from typing import Any, Callable, NamedTuple

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._audit.report import (
    Observations,
    endpoints,
    findings,
    probe_instances,
    report,
)

VIP = "198.18.0.10"
OWN = {"lb01": "198.18.0.11", "lb02": "198.18.0.12"}
MACS = {"lb01": "02:00:00:00:00:0b", "lb02": "02:00:00:00:00:0c"}
OTHER = {"lb01": "lb02", "lb02": "lb01"}
Change = Callable[["Parts"], Any]


class Parts(NamedTuple):
    """The parts that a case changes."""

    infos: dict[str, Any]
    probes: dict[str, Any]
    services: dict[str, Any]
    daemons: dict[str, Any]


def entry(address: str, prefix: int = 24) -> dict[str, Any]:
    return {"address": address, "prefix": prefix, "family": "ipv4", "interface": "eth1", "scope": "global"}


def instance(state: str, priority: int) -> dict[str, Any]:
    return {
        "name": "VI_10",
        "state": state,
        "interface": "eth1",
        "vrid": 10,
        "priority": priority,
        "effective_priority": priority,
        "advert_int_s": 0.2,
        "virtual_addresses": [VIP],
        "authentication": "none",
        "unicast_peers": [],
        "tracked": [{"kind": "script", "name": "answers", "weight": 0, "state": "GOOD", "failing": False}],
    }


def info(host: str) -> dict[str, Any]:
    holder = host == "lb01"
    return {
        "addresses": [entry(OWN[host]), *([entry(VIP)] if holder else [])],
        "instances": [instance("master", 254) if holder else instance("backup", 253)],
        "keepalived": {
            "running": True,
            "version": "2.2.7",
            "program": {"program": "/usr/sbin/keepalived", "installed_version": "2.2.7", "outdated": False},
            "config": {"files": ["/etc/k.conf"], "changed_at": 100.5, "loaded_at": 100.0, "differences": []},
        },
    }


def probe(host: str) -> dict[str, Any]:
    peer = OTHER[host]
    heard = {
        "peer": peer,
        "addresses": [OWN[peer]],
        "interface": "eth1",
        "way": "multicast",
        "link": True,
        "host": True,
    }
    advert = {"interface": "eth1", "vrid": 10, "source": OWN["lb01"], "mac": MACS["lb01"], "priority": 254}
    return {
        "instances": [{"name": "VI_10", "interface": "eth1", "vrid": 10, "addresses": [VIP], "multicast": True}],
        "routers": [{**advert, "addresses": [VIP]}] if host == "lb02" else [],
        "macs": {VIP: [MACS["lb01"]] if host == "lb02" else []},
        "own_macs": [MACS[host]],
        "links": {"eth1": {"mac": MACS[host], "mtu": 1500, "up": True, "carrier": True, "multicast": True}},
        "heard": [{**heard, "clock_difference_s": 0.0}],
    }


def cluster(change: Change | None = None) -> Observations:
    infos = {host: info(host) for host in OWN}
    probes = {host: probe(host) for host in OWN}
    services: dict[str, Any] = {address: {"findings": []} for address in (VIP, *OWN.values())}
    daemons = {
        host: {"daemons": {"keepalived": daemon(), "nginx": daemon("/etc/n.conf", "/etc/n.pem")}} for host in OWN
    }
    if change:
        change(Parts(infos, probes, services, daemons))
    return Observations(copy.deepcopy(infos), probes, services, daemons=daemons)


def daemon(*files: str) -> dict[str, Any]:
    told: dict[str, Any] = {"running": True, "stray": None, "unfinished": "", "units_outdated": False}
    told.update(loaded_at=None, files={})
    return {**told, "loaded_at": 100.0, "files": dict.fromkeys(files, 100.5)} if files else told


def two_holders(parts: Parts) -> None:
    infos, probes, _services, _daemons = parts
    infos["lb02"]["addresses"].append(entry(VIP))
    infos["lb02"]["instances"][0]["state"] = "master"
    probes["lb01"]["macs"][VIP] = [MACS["lb02"]]


def nobody(parts: Parts) -> None:
    infos, probes, _services, _daemons = parts
    infos["lb01"]["addresses"].pop()
    infos["lb01"]["instances"][0]["state"] = "backup"
    probes["lb02"]["macs"][VIP] = []


def failing(infos: dict[str, Any], host: str, state: str) -> None:
    infos[host]["instances"][0]["state"] = state
    infos[host]["instances"][0]["tracked"][0]["failing"] = True


def stopped(infos: dict[str, Any], host: str) -> None:
    infos[host].update(instances=[], keepalived={"running": False, "pid": None, "version": None})


CASES: list[tuple[str, Change, list[tuple[str, str]]]] = [
    (
        "two holders",
        two_holders,
        [
            (
                "split_brain",
                f"{VIP}: lb01 and lb02 hold it at the same time, and {MACS['lb01']} and {MACS['lb02']} answer for it:"
                " find out why they do not hear each other",
            )
        ],
    ),
    (
        "one host answers from two interfaces",
        lambda c: (
            c.probes["lb02"]["macs"].update({VIP: ["02:00:00:00:02:00", MACS["lb01"]]})
            or c.probes["lb01"]["own_macs"].append("02:00:00:00:02:00")
        ),
        [],
    ),
    ("nobody", nobody, [("no_holder", f"{VIP}: no host has it")]),
    (
        "added by hand",
        lambda c: c.infos["lb02"]["addresses"].append(entry(VIP)),
        [
            (
                "vip_orphaned",
                f"lb02: the kernel has {VIP}, but its keepalived is in state backup: run ip address del, or start"
                " keepalived",
            ),
            (
                "split_brain",
                f"{VIP}: lb01 and lb02 hold it at the same time: find out why they do not hear each other",
            ),
        ],
    ),
    (
        "in FAULT",
        lambda c: failing(c.infos, "lb02", "fault"),
        [
            (
                "instance_fault",
                "lb02: VI_10 is in FAULT because of script answers: it cannot hold any VIP until this is fixed",
            ),
            ("standby_not_ready", f"{VIP}: no host except lb01 could hold it"),
        ],
    ),
    (
        "a standby's check fails",
        lambda c: failing(c.infos, "lb02", "backup"),
        [("standby_not_ready", "lb02: VI_10 is at priority 253 because of script answers: it may not take over")],
    ),
    (
        "a holder's check fails",
        lambda c: failing(c.infos, "lb01", "master"),
        [("check_failing", f"lb01: VI_10 holds {VIP}, but script answers fails")],
    ),
    (
        "keepalived is not running",
        lambda c: stopped(c.infos, "lb02"),
        [
            ("standby_not_ready", f"lb02: keepalived is not running, so it cannot take over {VIP}: start it"),
            ("standby_not_ready", f"{VIP}: no host except lb01 could hold it"),
        ],
    ),
    (
        "in maintenance, with a stopped service",
        lambda c: [
            stopped(c.infos, "lb02"),
            c.infos["lb02"].update(maintenance_since=1795720200.5),
            c.services[OWN["lb02"]]["findings"].append("connection refused"),
        ],
        [
            (
                "maintenance",
                "lb02: in maintenance since 2026-11-26T19:10:00Z; to end it: ansible-playbook"
                " haproof.balancer.maintenance -e maintenance_host=lb02 -e maintenance_state=off",
            )
        ],
    ),
    (
        "left by an upgrade that was interrupted",
        lambda c: [
            stopped(c.infos, "lb02"),
            c.infos["lb02"].update(maintenance_since=1795720200.5, maintenance_by="upgrade"),
        ],
        [
            (
                "maintenance",
                "lb02: out of service since 2026-11-26T19:10:00Z for an upgrade; if that no longer runs, complete it:"
                " ansible-playbook haproof.balancer.upgrade",
            )
        ],
    ),
    (
        "maintenance that was interrupted before keepalived stopped",
        lambda c: [c.infos["lb02"].update(maintenance_since=1795720200.5), failing(c.infos, "lb02", "backup")],
        [
            (
                "maintenance",
                "lb02: in maintenance since 2026-11-26T19:10:00Z; to end it: ansible-playbook"
                " haproof.balancer.maintenance -e maintenance_host=lb02 -e maintenance_state=off",
            ),
            ("standby_not_ready", "lb02: VI_10 is at priority 253 because of script answers: it may not take over"),
        ],
    ),
    (
        "edited",
        lambda c: c.infos["lb02"]["keepalived"]["config"]["differences"].append("x is 1 on disk, and 2 runs"),
        [
            (
                "config_drift",
                "lb02: /etc/k.conf is not the running configuration: x is 1 on disk, and 2 runs. Reload keepalived,"
                " or undo the edit",
            )
        ],
    ),
    (
        "written later",
        lambda c: c.infos["lb02"]["keepalived"]["config"].update(changed_at=160.0),
        [
            (
                "config_drift",
                "lb02: /etc/k.conf was written 60 s after keepalived last read it, although the comparable settings are"
                " the same. Reload keepalived, or undo the edit",
            )
        ],
    ),
    (
        "a certificate that nginx has not read",
        lambda c: c.daemons["lb02"]["daemons"]["nginx"]["files"].update({"/etc/n.pem": 130.0}),
        [
            (
                "config_drift",
                "lb02: /etc/n.pem was written 30 s after nginx last read it. Reload nginx, or undo the edit and reload"
                " it",
            )
        ],
    ),
    (
        "a run that was killed",
        lambda c: c.daemons["lb01"]["daemons"]["keepalived"].update(unfinished="reload"),
        [
            (
                "config_drift",
                "lb01: a run was interrupted before keepalived's reload, so it runs with its previous files. Apply the"
                " playbook again",
            )
        ],
    ),
    (
        "a unit that systemd has not read",
        lambda c: c.daemons["lb01"]["daemons"]["nginx"].update(units_outdated=True),
        [
            (
                "config_drift",
                "lb01: nginx's unit files changed, but systemd has not read them: run systemctl daemon-reload",
            )
        ],
    ),
    (
        "a daemon that is not running",
        lambda c: c.daemons["lb01"]["daemons"]["nginx"].update(running=False, unfinished="reload"),
        [],
    ),
    (
        "a daemon that a check has started",
        lambda c: c.daemons["lb01"]["daemons"]["nginx"].update(
            running=False, stray={"pid": 812, "unit": "keepalived.service"}
        ),
        [
            (
                "outside_unit",
                "lb01: nginx runs (process 812) as part of keepalived.service, but not as nginx.service: systemctl"
                " neither reloads nor stops it, and the unit cannot start beside it. End the process, and start the"
                " unit",
            )
        ],
    ),
    (
        "daemons that cannot be inspected",
        lambda c: c.daemons.update(lb01={"msg": "no"}),
        [("host_unknown", "lb01: its daemons cannot be inspected: no")],
    ),
    (
        "the time of the last reload is unknown",
        lambda c: c.infos["lb02"]["keepalived"]["config"].update(loaded_at=None),
        [],
    ),
    (
        "a restarted process",
        lambda c: c.infos["lb02"]["keepalived"].update(restarts=["VRRP child process(687) died: Respawning"] * 2),
        [
            (
                "process_restarted",
                "lb02: keepalived had to restart a process (restarts: 2, last: VRRP child process(687) died:"
                " Respawning). Find the reason in journalctl --unit=keepalived (a CPU time limit, a crash), then"
                " restart keepalived",
            )
        ],
    ),
    (
        "another program",
        lambda c: c.infos["lb02"]["keepalived"]["program"].update(outdated=True, installed_version="2.3.3"),
        [
            (
                "binary_outdated",
                "lb02: keepalived 2.2.7 is running, but /usr/sbin/keepalived is another one (2.3.3): restart"
                " keepalived, the standbys first",
            )
        ],
    ),
    (
        "no advert arrives",
        lambda c: c.probes["lb02"]["routers"].clear(),
        [("peer_silent", f"lb02: lb01 has {VIP}, but no advert from it arrives on eth1: let VRRP pass")],
    ),
    (
        "no answer on the link",
        lambda c: c.probes["lb02"]["macs"].update({VIP: []}),
        [("vip_unanswered", f"{VIP}: lb01 has it, but does not answer for it on the link")],
    ),
    (
        "the service is down",
        lambda c: c.services[VIP]["findings"].append(f"{VIP}: TCP port 80: connection refused"),
        [("service_unanswered", f"{VIP}: TCP port 80: connection refused")],
    ),
    (
        "a standby's service is down",
        lambda c: c.services[OWN["lb02"]]["findings"].append("198.18.0.12: TCP port 80: connection refused"),
        [
            (
                "standby_not_ready",
                f"lb02: its service does not answer, so it could not serve {VIP}: 198.18.0.12: TCP port 80: connection"
                " refused",
            )
        ],
    ),
    (
        "a service that listens on the VIP alone",
        lambda c: [c.services[address]["findings"].append("connection refused") for address in OWN.values()],
        [],
    ),
    (
        "a host that does not answer",
        lambda c: [
            c.infos.update(lb02={"msg": "timed out", "unreachable": True}),
            c.probes.update(lb02={"skipped": True}),
        ],
        [
            ("host_unknown", "lb02: cannot be inspected: timed out"),
            ("standby_not_ready", f"{VIP}: no host except lb01 could hold it"),
        ],
    ),
    (
        "a link that cannot be inspected",
        lambda c: c.probes.update(lb02={"msg": "inspecting the link needs CAP_NET_RAW"}),
        [("host_unknown", "lb02: its link cannot be inspected: inspecting the link needs CAP_NET_RAW")],
    ),
]


def test_a_pair_that_is_well() -> None:
    told = report(cluster())
    assert told["findings"] == []
    assert told["vips"] == [
        {
            "vip": VIP,
            "holders": ["lb01"],
            "standbys": {"lb02": 253},
            "macs": [MACS["lb01"]],
            "service": True,
            "findings": [],
        }
    ]
    assert told["table"].splitlines() == [
        "VIP          holder  standbys    wire               service  findings",
        f"{VIP}  lb01    lb02 (253)  {MACS['lb01']}  answers  -",
    ]


@pytest.mark.parametrize(("change", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_one_thing_is_wrong(change: Change, expected: list[tuple[str, str]]) -> None:
    assert [(found.kind, found.text) for found in findings(cluster(change))] == expected


WEIGHTED = {"kind": "script", "name": "chk", "weight": -20, "state": "GOOD", "failing": False}
WARNED: list[tuple[int, int, bool, list[tuple[str, str, str]]]] = [
    (-20, 90, True, []),
    (-20, 80, True, [("weight", "lb01", VIP)]),
    (20, 50, True, [("weight", "lb01", VIP)]),
    (0, 50, True, []),
    (-20, 90, False, [("script_security", "lb01", ""), ("script_security", "lb02", "")]),
]


@pytest.mark.parametrize(("weight", "next_priority", "secure", "expected"), WARNED)
def test_warnings(weight: int, next_priority: int, secure: bool, expected: list[tuple[str, str, str]]) -> None:
    seen = cluster()
    for host, priority in (("lb01", 100), ("lb02", next_priority)):
        seen.infos[host]["keepalived"]["config"]["script_security"] = secure
        seen.infos[host]["instances"][0].update(priority=priority, tracked=[{**WEIGHTED, "weight": weight}])
    told = report(seen)
    assert [(each["warning"], each["host"], each["vip"]) for each in told["warnings"]] == expected
    assert told["findings"] == []


def test_a_vip_that_cannot_be_handed_over() -> None:
    seen = cluster()
    seen.infos["lb01"]["handover"] = [{"vip": VIP, "problem": None}]
    seen.infos["lb02"]["handover"] = [{"vip": VIP, "problem": "No such file or directory"}]
    assert report(seen)["warnings"] == [
        {
            "warning": "handover",
            "host": "lb02",
            "vip": VIP,
            "text": f"lb02: {VIP} would move without its connections: No such file or directory",
        }
    ]


def test_a_job_of_cron_is_no_finding() -> None:
    seen = cluster()
    seen.daemons["lb02"]["cron"] = ["/etc/crontab: * * * * * root /root/alarm.sh"]  # type: ignore[index]  # a dictionary
    told = report(seen)
    text = "lb02: this cron job is yours and stays as it is: /etc/crontab: * * * * * root /root/alarm.sh"
    assert told["warnings"] == [{"warning": "cron", "host": "lb02", "vip": "", "text": text}]
    assert told["findings"] == []


def test_a_check_that_keepalived_does_not_run() -> None:
    seen = cluster()
    seen.infos["lb01"]["keepalived"]["config"]["disabled"] = ["k.conf line 3: vrrp_script chk: no killall"]
    told = report(seen)
    assert [(each["finding"], each["text"]) for each in told["findings"]] == [
        ("check_disabled", "lb01: k.conf line 3: vrrp_script chk: no killall")
    ]


def test_a_row_shows_the_maintenance_of_a_host_without_instances() -> None:
    def change(parts: Parts) -> None:
        stopped(parts.infos, "lb02")
        parts.infos["lb02"]["maintenance_since"] = 0.0

    assert report(cluster(change))["vips"][0]["findings"] == ["maintenance"]


def test_nobody_answers_at_all() -> None:
    told = report(Observations({"lb01": {"msg": "no route"}}, {"lb01": {}}, {}, [f"{VIP}/24"]))
    assert [found["finding"] for found in told["findings"]] == ["host_unknown", "no_holder"]
    assert told["table"].splitlines()[1].split() == [VIP, "-", "-", "-", "-", "host_unknown,", "no_holder"]


def test_a_finding_that_is_meant_stays_and_is_marked() -> None:
    told = report(cluster(CASES[0][1]), accepted=["split_brain"])
    assert [(found["finding"], found["accepted"]) for found in told["findings"]] == [("split_brain", True)]


def test_a_former_member_that_only_the_others_remember() -> None:
    def change(parts: Parts) -> None:
        parts.infos["lb01"]["members"] = {**{host: [address] for host, address in OWN.items()}, "lb03": ["198.18.0.13"]}

    remove = "ansible-playbook haproof.balancer.remove -e remove_host=lb03"
    left = (
        "lb03 (198.18.0.13) left the balancers without the playbook remove: it is not on the link now, and may return."
        f" Return it to the inventory, outside of the balancers, and run {remove}, or if it no longer exists, {remove}"
        " -e remove_gone=true"
    )
    assert cluster(change).former() == {"lb03": ["198.18.0.13"]}
    assert [(found.kind, found.text, found.host) for found in findings(cluster(change))] == [
        ("member_left", left, "lb03")
    ]
    # The audit need not inspect all hosts of the inventory.
    assert findings(cluster(change)._replace(members=["lb03"])) == []


def test_what_the_link_is_asked() -> None:
    infos = cluster().infos
    (found,) = probe_instances(infos, "lb02")
    assert found == {
        "name": "VI_10",
        "vrid": 10,
        "interface": "eth1",
        "addresses": [VIP],
        "advert_int_s": 0.2,
        "multicast": True,
        "peers": [{"name": "lb01", "addresses": [OWN["lb01"]]}],
    }
    infos["lb02"]["instances"][0]["unicast_peers"] = [OWN["lb01"]]
    (found,) = probe_instances(infos, "lb02")
    assert (found["multicast"], found["peers"]) == (False, [{"name": "lb01", "addresses": [OWN["lb01"]]}])
    assert probe_instances({"lb01": {"msg": "no route"}}, "lb01") == []


def test_where_the_service_is_asked() -> None:
    assert endpoints(cluster().infos, []) == [VIP, *OWN.values()]
    assert endpoints({}, [f"{VIP}/24"]) == [VIP]

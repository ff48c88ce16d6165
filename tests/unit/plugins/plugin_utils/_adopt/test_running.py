# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.running import (
    accepted,
    engine,
    left_alone,
    obstacles,
    placed,
)

CONFS = {"haproxy": "/etc/haproxy/haproxy.cfg", "nginx": "/etc/nginx/nginx.conf"}
IDLE = {
    "running": False,
    "program": None,
    "reloads": False,
    "at_boot": False,
    "stray": None,
    "conf": None,
    "accepts": [],
    "files": {},
}


def answer(*running: str, cron: list[str] | None = None, **changes: dict[str, Any]) -> dict[str, Any]:
    """Return what daemon_info says of a host: these daemons run as their packages have them, except changes."""
    daemons: dict[str, dict[str, Any]] = {}
    for name in ("haproxy", "keepalived", "nginx"):
        conf = CONFS.get(name, "/etc/keepalived/keepalived.conf")
        runs = {"running": True, "program": f"/usr/sbin/{name}", "reloads": True, "at_boot": True, "conf": conf}
        daemons[name] = {**IDLE, **(runs if name in running else {}), **changes.get(name, {})}
    return {"daemons": daemons, "cron": cron or []}


ENGINES: list[tuple[list[list[str]], str]] = [
    ([["haproxy"], ["haproxy"]], "haproxy"),
    ([["nginx"], []], "nginx"),
    ([["haproxy"], ["nginx"]], ""),
    ([["keepalived"]], ""),
]


@pytest.mark.parametrize(("running", "expected"), ENGINES)
def test_engine(running: list[list[str]], expected: str) -> None:
    assert engine({f"lb{number}": answer(*names) for number, names in enumerate(running)}) == expected


OWN = {"program": "/usr/local/nginx/sbin/nginx", "conf": "/usr/local/nginx/conf/nginx.conf"}
PLACED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("nginx", {}, {}),
    ("nginx", {"program": "/sbin/nginx"}, {}),
    ("nginx", {"conf": "/etc/nginx/own.conf"}, {"nginx_conf_path": "/etc/nginx/own.conf"}),
    ("nginx", OWN, {"nginx_program": OWN["program"], "nginx_conf_path": OWN["conf"]}),
    ("haproxy", {"program": "/opt/haproxy/haproxy"}, {"haproxy_program": "/opt/haproxy/haproxy"}),
    ("keepalived", {"program": "/opt/k/sbin/keepalived"}, {"keepalived_program": "/opt/k/sbin/keepalived"}),
    ("keepalived", {"at_boot": False}, {"keepalived_at_boot": False}),
]


@pytest.mark.parametrize(("daemon", "changes", "expected"), PLACED)
def test_placed(daemon: str, changes: dict[str, Any], expected: dict[str, Any]) -> None:
    answers = {"lb01": answer(daemon, **{daemon: changes}), "lb02": answer()}
    assert placed(daemon, answers) == {"lb01": expected, "lb02": {}}


def test_what_each_host_complains_of_is_accepted() -> None:
    answers = {
        "lb01": answer(keepalived={"accepts": ["unknown_keyword"]}),
        "lb02": answer(keepalived={"accepts": ["script_security"]}),
    }
    assert accepted("keepalived", answers) == {"script_security", "unknown_keyword"}
    assert accepted("nginx", answers) == set()


END = "end the process, and start the unit"
OBSTACLES: list[tuple[dict[str, Any], list[str]]] = [
    (answer("keepalived", "nginx"), []),
    (
        answer("nginx", keepalived={"stray": {"pid": 7, "unit": ""}}),
        ["lb01: keepalived runs (process 7), but not as keepalived.service, the unit by which site reloads"],
    ),
    (
        answer("keepalived", nginx={"stray": {"pid": 8, "unit": "keepalived.service"}}),
        ["lb01: nginx runs (process 8) as part of keepalived.service, but not as nginx.service, the unit by"],
    ),
    (
        answer("keepalived", haproxy={"stray": {"pid": 8, "unit": "haproxy.service"}}),
        ["lb01: haproxy runs (process 8) in haproxy.service, but systemd does not know it as the main process: add"],
    ),
    # Something else than the balancer.
    (answer("haproxy", "keepalived", nginx={"stray": {"pid": 8, "unit": "app.service"}}), []),
    (
        answer("keepalived", "nginx", keepalived={"conf": "/usr/local/etc/keepalived/keepalived.conf"}),
        ["lb01: keepalived reads /usr/local/etc/keepalived/keepalived.conf, but the role"],
    ),
]


@pytest.mark.parametrize(("given", "expected"), OBSTACLES)
def test_obstacles(given: dict[str, Any], expected: list[str]) -> None:
    found = list(obstacles({"lb01": given}))
    assert [text[: len(start)] for text, start in zip(found, expected)] == expected
    assert len(found) == len(expected)


def test_a_host_on_which_site_would_start_more() -> None:
    answers = {
        "lb01": answer("haproxy", "keepalived"),
        "lb02": answer("keepalived"),
        "lb03": answer("haproxy"),
        # Another sentence names these.
        "lb04": answer("keepalived", haproxy={"stray": {"pid": 8, "unit": ""}}),
    }
    stopped = "service does not run here, but on"
    assert list(obstacles(answers))[:2] == [
        f"lb02: haproxy.{stopped} lb01, lb03, and site would start it. Start it; to bind a virtual IP that another host"
        " holds, it needs the kernel parameter net.ipv4.ip_nonlocal_bind=1",
        f"lb03: keepalived.{stopped} lb01, lb02, lb04, and site would start it. Start it",
    ]
    assert len(list(obstacles(answers))) == 3


def test_what_stays_as_it_is() -> None:
    job = "/etc/crontab: * * * * * root /root/alarm.sh"
    line = "/etc/rc.local: /etc/init.d/keepalived start"
    answers = {
        "lb01": answer("keepalived", "nginx", cron=[job, line]),
        "lb02": answer("nginx", nginx={"reloads": False}),
    }
    assert list(left_alone(answers)) == [
        f"lb01: this cron job is yours and stays as it is: {job}",
        f"lb01: this line, which runs at boot, is yours and stays as it is: {line}",
        "lb02: nginx.service has no ExecReload=, without which site cannot apply a change: add one",
    ]


def test_further_files_of_haproxy_stay_as_they_are() -> None:
    files = {"/etc/haproxy/haproxy.cfg": 1.0, "/etc/haproxy/conf.d/site.cfg": 1.0, "/etc/haproxy/map": 1.0}
    assert list(left_alone({"lb01": answer("haproxy", haproxy={"files": files})})) == [
        "lb01: haproxy also reads /etc/haproxy/conf.d/site.cfg, which stays as it is; site checks a changed"
        " /etc/haproxy/haproxy.cfg without it"
    ]

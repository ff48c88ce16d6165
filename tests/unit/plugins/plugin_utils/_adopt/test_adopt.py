# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all hosts share is set apart from what is a host's own, and a file that cannot be adopted is refused by name."""

from __future__ import annotations

from base64 import b64encode

import pytest
from ansible_collections.haproof.balancer.plugins.filter._adopted import FilterModule
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.adopt import AdoptError, adopt, split

adopted = FilterModule().filters()["_adopted"]


def test_split() -> None:
    assert split({"lb01": {"a": 1, "b": 2}, "lb02": {"a": 1, "b": 3, "c": 4}}) == {
        "group": {"a": 1},
        "hosts": {"lb01": {"b": 2}, "lb02": {"b": 3, "c": 4}},
    }


def test_nginx_by_host() -> None:
    found = adopt(
        "nginx",
        {"lb01": b"events {} http { server { listen 80; } }", "lb02": b"events {} http { gzip on; }"},
    )
    assert found["hosts"] == {
        "lb01": {"nginx_http": {}, "nginx_servers": [{"listen": 80}]},
        "lb02": {"nginx_http": {"gzip": True}, "nginx_servers": []},
    }
    assert {"nginx_events", "nginx_main", "nginx_upstreams"} <= set(found["group"])


def test_haproxy_by_host() -> None:
    found = adopt("haproxy", {name: f"global\n node {name}\npeers p\n".encode() for name in ("lb01", "lb02")})
    assert found["hosts"] == {name: {"haproxy_global": {"node": name}} for name in ("lb01", "lb02")}
    assert found["group"]["haproxy_sections"] == {"peers p": {}}


def test_keepalived_by_host() -> None:
    text = "global_defs {{ router_id {} }}\nvrrp_script ok {{ script /bin/true }}\n"
    found = adopt("keepalived", {name: text.format(name).encode() for name in ("lb01", "lb02")})
    assert found["hosts"] == {name: {"keepalived_global_defs": {"router_id": name}} for name in ("lb01", "lb02")}
    assert found["group"]["keepalived_vrrp_scripts"] == [{"name": "ok", "script": "/bin/true"}]


def test_no_host() -> None:
    assert adopt("nginx", {}) == {"group": {}, "hosts": {}, "includes": {}}


INCLUDES: list[tuple[str, str, list[str]]] = [
    ("keepalived", "include /etc/keepalived/conf.d/*.conf\nvrrp_instance a { includer b\n include b\n}\n", ["b"]),
    ("keepalived", "include /etc/keepalived/conf.d/*.conf\ninclude \"a\" 'b'\n", ["\"a\" 'b'"]),
    ("keepalived", "global_defs { router_id include }\n", []),
    ("nginx", "include modules/*.conf; http { include mime.types; server { include mime.types; } }", ["mime.types"]),
    ("haproxy", "global\n lua-load include.lua\n", []),
]


@pytest.mark.parametrize(("daemon", "text", "last"), INCLUDES)
def test_includes(daemon: str, text: str, last: list[str]) -> None:
    first = {"keepalived": ["/etc/keepalived/conf.d/*.conf"], "nginx": ["modules/*.conf"]}.get(daemon, [])
    assert adopt(daemon, {"lb01": text.encode()})["includes"] == {"lb01": [*(first if last else []), *last]}


# The checks of two hosts' keepalived with these priorities, and what must be accepted.
CHECK = "vrrp_script ok {{ script /bin/true\n weight {weight}\n}}\n"
INSTANCE = "vrrp_instance a {{ priority {priority}\n virtual_router_id 5\n track_script {{ ok\n}}\n}}\n"
ACCEPTED: list[tuple[str, list[int], list[str]]] = [
    (CHECK + INSTANCE, [100, 90, -20], ["script_security"]),
    (CHECK + INSTANCE, [100, 50, -2], ["script_security", "weight"]),
    ("global_defs {{ enable_script_security\n}}\n" + CHECK + INSTANCE, [100, 90, -20], []),
    ("vrrp_instance a {{ priority {priority}\n}}\n", [100, 90, 0], []),
    ("vrrp_instance a {{ priority {priority}\n notify /bin/true\n}}\n", [100, 90, 0], ["script_security"]),
    ("vrrp_instance a {{ priority {priority}\n nopreempt\n state MASTER\n}}\n", [100, 90, 0], ["nopreempt"]),
    ("include conf.d/*\n", [100, 90, 0], ["script_security"]),
]


@pytest.mark.parametrize(("text", "numbers", "kinds"), ACCEPTED)
def test_findings_of_what_runs_are_accepted(text: str, numbers: list[int], kinds: list[str]) -> None:
    *priorities, weight = numbers
    files = {f"lb{each}": text.format(priority=each, weight=weight).encode() for each in priorities}
    assert adopt("keepalived", files)["group"]["keepalived_accept"] == kinds


def test_more_variables_and_complaints_of_the_hosts() -> None:
    program = {"keepalived_program": "/opt/keepalived/sbin/keepalived"}
    files = dict.fromkeys(("lb01", "lb02"), b"global_defs {\n}\n")
    found = adopt("keepalived", files, {"lb01": program, "lb02": {}}, {"unknown_keyword"})
    assert found["group"]["keepalived_accept"] == ["unknown_keyword"]
    assert found["hosts"] == {"lb01": program, "lb02": {}}
    found = adopt("keepalived", files, dict.fromkeys(files, program))
    assert found["group"]["keepalived_program"] == "/opt/keepalived/sbin/keepalived"


TWO_OF_A_NAME = b"http { upstream a { server b; } gzip on; upstream a { server c; } }"
REFUSED: list[tuple[str, bytes, str]] = [
    ("nginx", b"a;\n}", r"the configuration of nginx cannot be read: line 2: a block closes that was not opened"),
    (
        "nginx",
        TWO_OF_A_NAME,
        r"the variables do not reproduce the configuration of nginx: http: upstream a: server b$",
    ),
    ("haproxy", b"global # \xff\n a \xff", r"the configuration of haproxy cannot be read: line 2: is not UTF-8"),
    ("nginx", b"# \xff\na '\xff';", r"the configuration of nginx cannot be read: line 2: is not UTF-8"),
    ("keepalived", b"# \xff\n\xff", r"the configuration of keepalived cannot be read: line 2: is not UTF-8"),
    ("keepalived", b"a {\n", r"the configuration of keepalived cannot be read: line 1: a block opens that is never"),
]


@pytest.mark.parametrize(("daemon", "text", "message"), REFUSED)
def test_what_cannot_be_adopted(daemon: str, text: bytes, message: str) -> None:
    with pytest.raises(AdoptError, match=f"^lb02: {message}"):
        adopt(daemon, {"lb02": text})


IDLE = {"running": False, "program": None, "conf": None, "accepts": []}
RUNNING = {"__adopt_running": {"daemons": dict.fromkeys(("haproxy", "keepalived", "nginx"), IDLE)}}


def test_filter() -> None:
    hostvars = {
        "lb01": {"__adopt_file": {"content": b64encode(b"global\n node {{ lb01 }}\n").decode()}, **RUNNING},
        "lb02": {"__adopt_file": {"skipped": True}, **RUNNING},
    }
    found = adopted(list(hostvars), hostvars, "haproxy")
    assert "\nhaproxy_global:\n  node: !unsafe '{{ lb01 }}'\n" in found["group"]
    assert found["hosts"] == {"lb01": "---\n{}\n"}


def test_filter_names_the_host() -> None:
    hostvars = {"lb01": {"__adopt_file": {"content": b64encode(TWO_OF_A_NAME).decode()}, **RUNNING}}
    found = adopted(["lb01"], hostvars, "nginx")
    assert found["refused"].startswith("lb01: the variables do not reproduce")
    assert (found["group"], found["hosts"]) == ("", {})

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
    assert adopt("nginx", {}) == {"group": {}, "hosts": {}}


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


def test_filter() -> None:
    hostvars = {
        "lb01": {"__adopt_file": {"content": b64encode(b"global\n node {{ lb01 }}\n").decode()}},
        "lb02": {"__adopt_file": {"skipped": True}},
    }
    found = adopted(list(hostvars), hostvars, "haproxy")
    assert "\nhaproxy_global:\n  node: !unsafe '{{ lb01 }}'\n" in found["group"]
    assert found["hosts"] == {"lb01": "---\n{}\n"}


def test_filter_names_the_host() -> None:
    hostvars = {"lb01": {"__adopt_file": {"content": b64encode(TWO_OF_A_NAME).decode()}}}
    found = adopted(["lb01"], hostvars, "nginx")
    assert found["refused"].startswith("lb01: the variables do not reproduce")
    assert (found["group"], found["hosts"]) == ("", {})

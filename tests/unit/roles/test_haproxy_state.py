# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers keep their state across a reload, and never a port or TLS that the configuration has changed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[3] / "roles" / "haproxy" / "files" / "state.py"
spec = importlib.util.spec_from_file_location("haproxy_state", PATH)
assert spec
assert spec.loader
state = importlib.util.module_from_spec(spec)
spec.loader.exec_module(state)

CONFIG = """
defaults
    default-server check
frontend web
    bind :80
    server none 192.0.2.9:9
backend pages from http
    server a 192.0.2.1:8080 check ssl verify none
    server "b" [2001:db8::1]:80
    server c 192.0.2.3 check port 25
    server d 192.0.2.4:+10
    server e 192.0.2.5:${PORT}
    server-template t 1-3 www.example.com:443 check
listen mail
    server a 2001:db8::2:25
peers p
    server x 192.0.2.1:1
"""

# show servers state of haproxy 3.0: a is in maintenance, and its port was 80.
TAIL = "1 1 1 19 6 3 2 6 0 0 0 -"
STATES = f"""\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
5 pages 1 a 192.0.2.1 0 {TAIL} 80 - 0 0 - - 0
5 pages 2 d 192.0.2.4 2 {TAIL} 0 - 0 0 - - 0
5 pages 3 t2 192.0.2.7 2 {TAIL} 80 - 1 0 - - 0
5 pages 4 gone 192.0.2.8 2 {TAIL} 80 - 0 0 - - 0
6 mail 1 a 2001:db8::2 2 {TAIL} 25 - 0 0 - - 0

"""


def test_ports_of_the_configuration() -> None:
    assert state.server_ports(CONFIG) == {
        ("pages", "a"): "8080",
        ("pages", "b"): "80",
        ("pages", "c"): "0",
        ("pages", "t*"): "443",
        ("mail", "a"): "25",
    }


def test_the_configuration_wins() -> None:
    version, columns, *servers = state.kept(STATES.strip(), state.server_ports(CONFIG))
    assert (version, columns[0]) == ("1", "#")
    assert servers == [
        f"5 pages 1 a 192.0.2.1 0 {TAIL} 8080 -",
        f"5 pages 3 t2 192.0.2.7 2 {TAIL} 443 -",
        f"6 mail 1 a 2001:db8::2 2 {TAIL} 25 -",
    ]


@pytest.mark.parametrize("missing", ["config", "socket"])
def test_a_failure_leaves_no_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    config, old = tmp_path / "haproxy.cfg", tmp_path / "servers"
    old.write_text("1\n")
    if missing != "config":
        config.write_text(CONFIG)
    monkeypatch.setattr("sys.argv", ["state", str(config), str(tmp_path / "socket"), str(old)])
    with pytest.raises(OSError, match="No such file"):
        state.main()
    assert not old.exists()

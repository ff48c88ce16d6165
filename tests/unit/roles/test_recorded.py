# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles write the same files with every ansible-core, although 2.18 parses texts that look like data."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
FILES: list[dict[str, Any]] = [
    {"dest": "/etc/a.json", "content": '{"a": 1, "b": true}\n'},
    {"dest": "/etc/list", "content": "[1, 2]"},
    {"dest": "/etc/true", "content": "True"},
    {"dest": "/etc/number", "content": "1e3", "mode": "0600"},
    # With 2.18 a template is parsed before the role sees it, and comes out as the same data.
    {"dest": "/etc/templated.json", "content": '{{ \'{"a": 1, "b": true}\' }}'},
    {"dest": "/etc/templated", "content": "{{ 'True' }}"},
]
VARIABLES: dict[str, Any] = {
    "haproxy_files": FILES,
    "haproxy_global": {"maxconn": 100},
    "haproxy_listens": [{"name": "mail", "bind": "[::1]:25", "mode": "tcp", "server": ["a 192.0.2.31:25"]}],
    "haproxy_peers_port": 10000,
    "haproxy_prometheus": "yes",
    "keepalived_alert_interval": 30,
    "keepalived_alert_mail": {
        "server": "mail.example.com",
        "port": 587,
        "tls": "starttls",
        "to": ["ann@example.com"],
        "username": "True",
        "password": '["a"]',
    },
    "keepalived_alert_webhook": {"url": "https://hook.example.com/", "headers": {"X-Key": "{1}"}},
    "keepalived_check_url": "http://127.0.0.1:8099/",
    "keepalived_interface": "eth0",
    "keepalived_track_services": ["nginx"],
    "keepalived_vips": [{"address": "192.0.2.10/24", "owner": "lb01"}, {"address": "192.0.2.9/24", "owner": "lb02"}],
    "keepalived_watch": True,
    "keepalived_watch_release_after": 5,
    "nginx_degraded": {"content": '{"error": 503}', "type": "application/json", "retry_after": 30},
    "nginx_events": {"worker_connections": 4096},
    "nginx_files": FILES,
    "nginx_health_listen": "[::1]:8099",
    "nginx_servers": [{"listen": 80, "location /": {"proxy_pass": "http://192.0.2.21:80"}}],
    "nginx_tls": {"hsts": 63072000},
}


def with_recorder(folder: Path) -> Path:
    """Create a tree of collections in which this one records daemon_config's arguments; return it."""
    collection = folder / "ansible_collections" / "haproof" / "balancer"
    (collection / "plugins" / "action").mkdir(parents=True)
    for source in (CHECKOUT, CHECKOUT / "plugins", CHECKOUT / "plugins" / "action", HERE / "recorder"):
        target = (
            collection / source.relative_to(CHECKOUT) if source != HERE / "recorder" else collection / "plugins/action"
        )
        for path in source.iterdir():
            link = target / path.name
            if path.name[0] != "." and path.name not in ("build", "__pycache__") and not link.is_dir():
                link.unlink(missing_ok=True)
                link.symlink_to(path)
    return folder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Run the roles, and return daemon_config's options for lb01, by daemon."""
    folder = tmp_path_factory.mktemp("recorded")
    hosts = {f"lb0{number}": {"ansible_host": f"192.0.2.1{number}"} for number in (1, 2)}
    variables = {**VARIABLES, "recorded": str(folder)}
    inventory = {
        "balancers": {"hosts": hosts, "vars": variables},
        "backends": {"hosts": {"web01": {"ansible_host": "192.0.2.21"}}},
    }
    (folder / "inventory.json").write_text(json.dumps(inventory))
    run = subprocess.run(
        ["ansible-playbook", HERE / "configure.yml", "--inventory", folder / "inventory.json"],
        capture_output=True,
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(with_recorder(folder / "collections"))},
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return {path.stem.split("-")[1]: json.loads(path.read_text()) for path in folder.glob("lb01-*.json")}


def text(options: dict[str, Any], dest: str) -> str:
    """Return the text of a file."""
    (found,) = (file["content"] for file in options["files"] if file["dest"] == dest)
    return str(found)


def test_alerts_are_json_with_numbers(recorded: dict[str, dict[str, Any]]) -> None:
    config = json.loads(text(recorded["keepalived"], "/etc/keepalived/alert.json"))
    assert config == {
        "host": "lb01",
        "interval": 30,
        "services": ["nginx"],
        "instances": {
            "VI_192.0.2.10": {"vips": ["192.0.2.10/24"], "owner": True},
            "VI_192.0.2.9": {"vips": ["192.0.2.9/24"], "owner": False},
        },
        "mail": VARIABLES["keepalived_alert_mail"],
        "webhook": VARIABLES["keepalived_alert_webhook"],
    }


def test_the_watch_is_json_with_numbers(recorded: dict[str, dict[str, Any]]) -> None:
    config = json.loads(text(recorded["keepalived"], "/etc/keepalived/watch.json"))
    assert (config["alert"], config["release_after"]) == ("/usr/local/libexec/keepalived/alert", 5)
    assert [vip["address"] for vip in config["vips"]] == ["192.0.2.10", "192.0.2.9"]
    (name, mark), *others = json.loads(text(recorded["keepalived"], "/etc/ansible/facts.d/haproof.fact")).items()
    assert (name, len(mark), others) == ("keepalived_link", 16, [])


@pytest.mark.parametrize("daemon", ["haproxy", "nginx"])
@pytest.mark.parametrize("file", FILES, ids=[file["dest"] for file in FILES])
def test_files_of_users_stay_what_they_are(
    recorded: dict[str, dict[str, Any]], daemon: str, file: dict[str, Any]
) -> None:
    written = text(recorded[daemon], file["dest"])
    wanted = file["content"]
    if file["dest"] == "/etc/templated.json":
        assert json.loads(written) == {"a": 1, "b": True}
    else:
        assert written == ("True" if "{{" in wanted else wanted)


def test_main_files(recorded: dict[str, dict[str, Any]]) -> None:
    for daemon, lines in {
        "haproxy": [
            "    bind [::1]:25\n",
            "    peer lb01 192.0.2.11:10000\n",
            "prometheus-exporter",
            "    maxconn 100\n",
        ],
        "nginx": ["listen [::1]:8099;", "max-age=63072000", "worker_connections 4096;"],
        "keepalived": ["192.0.2.10/24"],
    }.items():
        for line in lines:
            assert line in recorded[daemon]["content"], (daemon, line, recorded[daemon]["content"])

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marked secrets of every kind, in every possible place, never leak.

The node is the client, so that the pair is left alone: nginx, haproxy and keepalived run on it, with their own ports
and address.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator

import pytest

from nodes import CLIENT, inventory_hosts, inventory_variables

if TYPE_CHECKING:
    from testinfra.host import Host

    from nodes import Lab

# Part of every secret and of nothing else. Short enough for an auth_pass.
MARK = "Qz7m"
SAMPLES = "/run/haproof-processes"
STARTED = "/run/haproof-secrets"


def secrets(salt: str) -> dict[str, Any]:
    """Return the roles' variables with a secret in each place; *salt* varies the secrets."""

    def mark(number: int) -> str:
        return f"{MARK}{number:02}{salt}"

    bearer = f'Bearer "{mark(1)}\\x"'
    pem = f"-----BEGIN PRIVATE KEY-----\n{mark(2)}/abc+\n{mark(3)}==\n-----END PRIVATE KEY-----\n"
    odd = f"pä\"ss\\{mark(4)}'ö d"
    return {
        "nginx_servers": [
            {
                "listen": 8081,
                "include": ["/etc/nginx/snippet.conf", "/etc/nginx/marked.conf"],
                "location /": {
                    "proxy_pass": f"http://127.0.0.1:9/?user={mark(5)}",
                    "proxy_set_header": [f"Authorization {json.dumps(bearer)}", f'Cookie "session={mark(6)}"'],
                },
                "location /link": {"secure_link_secret": mark(7), "return": "204"},
            }
        ],
        "nginx_files": [
            {"dest": "/etc/nginx/tls.key", "content": pem, "secret": True},
            {"dest": "/etc/nginx/htpasswd", "content": f"ann:$apr1${mark(8)}\nbob:{odd}\n", "secret": True},
            {"dest": "/etc/nginx/snippet.conf", "content": f"# {mark(9)}\nset $a {mark(9)};\n", "secret": True},
            # Not marked as secret, but it contains one.
            {"dest": "/etc/nginx/marked.conf", "content": f"set $api_token {mark(10)};\n"},
        ],
        "nginx_secrets": [mark(5)],
        "haproxy_frontends": [
            {
                "name": "main",
                "bind": ":8082",
                "http-request": [
                    f"set-header Authorization {json.dumps(f'Basic {mark(11)}=')}",
                    f"set-header X-Odd {json.dumps(odd, ensure_ascii=False)}",
                ],
                "stats": {"auth": f"admin:{mark(12)}"},
            }
        ],
        "haproxy_sections": {"userlist ops": {"user": f"ann insecure-password {mark(13)}"}},
        "haproxy_files": [{"dest": "/etc/haproxy/site.pem", "content": pem + mark(14), "secret": True}],
        "haproxy_secrets": [odd],
        "keepalived_profile": "compatible",
        "keepalived_track_services": [],
        "keepalived_check_url": "",
        "keepalived_accept": ["subnet"],
        "keepalived_vips": [{"address": "198.51.100.7/32", "interface": "eth1", "vrid": 207}],
        "keepalived_vrrp_instance": {"authentication": {"auth_type": "PASS", "auth_pass": mark(15)}},
        "keepalived_alert_mail": {
            "to": ["a@example.com"],
            "from": "b@example.com",
            "server": "127.0.0.1",
            "port": 9,
            "tls": "starttls",
            "username": "ann",
            "password": f"{odd}{mark(16)}",
        },
        "keepalived_alert_webhook": {
            "url": f"http://127.0.0.1:9/{mark(17)}",
            "headers": {"Authorization": f'Bearer "{mark(18)}\\x"'},
        },
        "keepalived_scripts": [{"name": "marked", "content": "#!/bin/sh\nexit 0\n"}],
        "keepalived_secrets": [mark(19)],
    }


def refused(variables: dict[str, Any]) -> dict[str, Any]:
    """Return the *variables* with a secret in a line that each daemon rejects and quotes."""
    (server,), (frontend,) = variables["nginx_servers"], variables["haproxy_frontends"]
    snippet = {"dest": "/etc/nginx/snippet.conf", "content": f"{MARK}20 on;\n", "secret": True}
    return {
        **variables,
        "nginx_servers": [{**server, "location /user": {"proxy_pass": f"http://user:{MARK}21@:x/"}}],
        "nginx_files": [file for file in variables["nginx_files"] if file["dest"] != snippet["dest"]] + [snippet],
        "haproxy_frontends": [{**frontend, f"{MARK}22": "on"}],
        "haproxy_secrets": [*variables["haproxy_secrets"], f"{MARK}22"],
        "keepalived_conf": {f"{MARK}23": "on"},
        "keepalived_secrets": [f"{MARK}23"],
    }


class Runs:
    """Runs of Ansible against the client, and all their output."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.folder = folder
        self.printed: list[str] = []
        inventory = {
            "all": {
                "vars": inventory_variables(lab.inventory),
                "children": {"balancers": {"hosts": {CLIENT: inventory_hosts(lab.inventory, "clients")[CLIENT]}}},
            }
        }
        (folder / "inventory.json").write_text(json.dumps(inventory))

    def run(self, program: str, *arguments: str, variables: dict[str, Any] | None = None) -> str:
        """Run ansible or ansible-playbook with ``-vvv``, and return the output. It may fail."""
        extra = self.folder / f"extra{len(self.printed)}.json"
        extra.write_text(json.dumps(variables or {}))
        run = subprocess.run(
            [program, "-vvv", "-i", str(self.folder / "inventory.json"), f"--extra-vars=@{extra}", *arguments],
            env={
                **os.environ,
                "ANSIBLE_CACHE_PLUGIN": "jsonfile",
                "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.folder / "facts"),
                "ANSIBLE_FORCE_COLOR": "false",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            text=True,
            timeout=600,
        )
        self.printed.append(run.stdout)
        return run.stdout

    def roles(self, variables: dict[str, Any], *arguments: str) -> str:
        """Run the three roles."""
        return self.run("ansible-playbook", str(Path(__file__).parent / "roles.yml"), *arguments, variables=variables)


@contextmanager
def processes_noted(node: Host) -> Iterator[None]:
    """Record the command lines of all processes on the node, ten times per second."""
    loop = f"while :; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; sleep 0.1; done >{SAMPLES}"
    node.check_output("systemd-run --quiet --collect --unit=haproof-processes sh -c %s", loop)
    try:
        yield
    finally:
        node.check_output("systemctl stop haproof-processes")


@pytest.fixture(scope="module")
def runs(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Run the roles with valid and rejected variables, also in check mode, and all readers of configurations."""
    runs = Runs(lab, tmp_path_factory.mktemp("secrets"))
    node = lab.nodes[CLIENT]
    node.check_output("touch %s", STARTED)
    with processes_noted(node):
        good = runs.roles(secrets(""), "--diff")
        assert failures(good) == ("0", "0"), good
        check = runs.roles(secrets("b"), "--diff", "--check")
        assert failures(check) == ("0", "0"), check
        assert check.count("(new secret content)") > 3, check
        fewer = runs.roles({**secrets(""), "nginx_files": secrets("")["nginx_files"][2:]}, "--diff")
        assert "/etc/nginx/tls.key (absent)" in fewer, fewer
        failing = runs.roles(refused(secrets("c")), "--diff")
        daemons = set(re.findall(r"(\w+) rejects /etc/\S+; all changes were rolled back", failing))
        assert daemons == {"nginx", "haproxy", "keepalived"}, failing
        report = runs.folder / "audit.json"
        runs.run("ansible-playbook", "haproof.balancer.audit", variables={"audit_report": str(report)})
        assert report.exists()
        runs.run("ansible", CLIENT, "-m", "ansible.builtin.setup")
    return runs


def failures(printed: str) -> tuple[str, ...]:
    """Return the number of failed tasks, and of ignored failures."""
    (counts,) = re.findall(r"failed=(\d+) .*ignored=(\d+)", printed)
    return tuple(counts)


def found(text: str) -> list[str]:
    """Return the lines that show a secret."""
    return [line[max(0, line.index(MARK) - 200) :][:400] for line in text.splitlines() if MARK in line]


def test_no_output_shows_a_secret(runs: Runs) -> None:
    assert [line for text in runs.printed for line in found(text)] == []


@pytest.mark.usefixtures("runs")
def test_no_journal_shows_a_secret(lab: Lab) -> None:
    # Without --all, large entries would look clean.
    entries = "journalctl --all --output=export --since=\"$(date --reference=%s '+%%F %%T')\""
    assert found(lab.nodes[CLIENT].check_output(f"{entries} | grep --text %s || :", STARTED, MARK)) == []


@pytest.mark.usefixtures("runs")
def test_no_command_line_has_a_secret(lab: Lab) -> None:
    assert "/usr/sbin/haproxy" in lab.nodes[CLIENT].check_output("cat %s", SAMPLES)
    assert found(lab.nodes[CLIENT].check_output("grep --text %s %s || :", MARK, SAMPLES)) == []


@pytest.mark.usefixtures("runs")
def test_other_users_cannot_read_a_secret(lab: Lab) -> None:
    """Search as another user, and search the temporary directories for leftovers."""
    node = lab.nodes[CLIENT]
    others = "runuser -u nobody -- find / /run /dev/shm -xdev -newer %s -type f -readable"
    search = "-exec grep --files-with-matches --text %s {} + 2>/dev/null || :"
    assert node.check_output(f"{others} {search}", STARTED, MARK) == ""
    assert node.check_output("grep -rl --text %s /tmp /var/tmp || :", MARK) == ""
    # Prove that the search can find it.
    assert MARK in node.check_output("cat /etc/nginx/nginx.conf /etc/keepalived/keepalived.conf")


def test_no_facts_or_reports_hold_a_secret(runs: Runs) -> None:
    files = [path for path in runs.folder.rglob("*") if path.is_file() and not path.name.startswith("extra")]
    # The cache's file has a prefix.
    assert {"audit.json", CLIENT} <= {path.name.rpartition("_")[2] for path in files}
    assert [path.name for path in files if MARK in path.read_text()] == []

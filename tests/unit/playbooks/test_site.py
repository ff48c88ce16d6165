# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which inventories the playbook site takes."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[3]
RENDER = CHECKOUT / "tests/unit/examples/render.yml"
PAIR = {"lb01": {"ansible_host": "192.0.2.11"}, "lb02": {"ansible_host": "192.0.2.12"}}
VIPS = {"keepalived_vips": [{"address": "192.0.2.10/24"}]}


def play(playbook: Path | str, inventory: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a playbook with an inventory, without other hosts than this one."""
    (folder / "inventory.json").write_text(json.dumps(inventory))
    return subprocess.run(
        ["ansible-playbook", playbook, "-i", folder / "inventory.json", "-e", f"output={folder / 'rendered.json'}"],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_LOCALHOST_WARNING": "false"},
        capture_output=True,
        text=True,
        check=False,
    )


def rendered(inventory: dict[str, Any], folder: Path) -> dict[str, dict[str, str]]:
    """Return the files that site would write, by host."""
    done = play(RENDER, inventory, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    files: dict[str, dict[str, str]] = json.loads((folder / "rendered.json").read_text())
    return files


def test_groups_in_groups(tmp_path: Path) -> None:
    inventory = {
        "balancers": {
            "children": {"edge": {"children": {"a": {"hosts": {"lb01": PAIR["lb01"]}}, "b": None}}},
            "vars": VIPS,
        },
        "b": {"hosts": {"lb02": PAIR["lb02"]}},
        "backends": {"children": {"web": {"hosts": {"web01": {"ansible_host": "192.0.2.21"}}}}},
    }
    files = rendered(inventory, tmp_path)
    assert [
        "    priority 254\n" in files["lb01"]["keepalived.conf"],
        "    priority 253\n" in files["lb02"]["keepalived.conf"],
    ]
    assert "server 192.0.2.21:80;" in files["lb01"]["engine"]


def test_services_of_the_balancers_own_need_no_backends(tmp_path: Path) -> None:
    own = {"nginx_servers": [{"listen": 80, "return": "204"}]}
    files = rendered({"balancers": {"hosts": PAIR, "vars": {**VIPS, **own}}}, tmp_path)
    assert "return 204;" in files["lb01"]["engine"]
    assert "upstream backends" not in files["lb01"]["engine"]
    listens = [{"name": "echo", "bind": ":7", "server": "a 192.0.2.21:7"}]
    own = {"balancer_engine": "haproxy", "haproxy_listens": listens, "haproxy_defaults": {"mode": "tcp"}}
    files = rendered({"balancers": {"hosts": PAIR, "vars": {**VIPS, **own}}}, tmp_path)
    assert "listen echo\n" in files["lb01"]["engine"]
    assert "backend" not in files["lb01"]["engine"]


def test_a_balancer_without_anything_to_forward_to(tmp_path: Path) -> None:
    here = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    for engine, variable in (("nginx", "nginx_servers"), ("haproxy", "haproxy_frontends")):
        hosts = {"lb01": {"balancer_engine": engine, **here}}
        done = play("haproof.balancer.site", {"balancers": {"hosts": hosts, "vars": VIPS}}, tmp_path)
        assert done.returncode != 0
        # None of the groups that only some inventories have draws a warning.
        assert "Could not match" not in done.stdout + done.stderr
        assert (
            "lb01: the inventory has no hosts in the group backends; add the hosts that serve port 80, or set "
            f"{variable}"
        ) in done.stdout + done.stderr


def test_a_backend_has_none_of_the_balancers_defaults(tmp_path: Path) -> None:
    inventory = {"balancers": {"hosts": PAIR, "vars": VIPS}, "backends": {"hosts": {"web01": {}, "web02": {}}}}
    (tmp_path / "inventory.json").write_text(json.dumps(inventory))
    defaults = "{{ [__site_nginx_upstreams, __site_nginx_servers, __site_nginx_health_listen, __site_replaced] }}"
    command = ["ansible", "web01", "-i", tmp_path / "inventory.json", "-e", "@playbooks/vars/balancers.yml"]
    done = subprocess.run(
        [*command, "-m", "debug", "-a", json.dumps({"msg": defaults})],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.partition("=>")[2])["msg"] == [[], [], "", ""]


def test_a_later_play_has_the_roles_own_defaults() -> None:
    after = yaml.safe_load((CHECKOUT / "playbooks/vars/after.yml").read_text())
    texts = [path.read_text() for name in ("defaults", "tasks") for path in CHECKOUT.glob(f"roles/*/{name}/*.yml")]
    # The others are set by the plays themselves.
    named = re.findall(r"(__site_(?!look)\w+) \| default\(('[^']*'|\[\])", "\n".join(texts))
    assert after == {name: ast.literal_eval(default) for name, default in named}
    assert len(after) == 9

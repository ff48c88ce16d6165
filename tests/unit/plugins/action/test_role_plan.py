# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of Ansible shows of a plan, and that a plan is data, whatever it looks like."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[4]
PLAYBOOK = """
- hosts: balancers
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact:
        os_family: Debian
        interfaces: [eth0]
        eth0: {device: eth0, ipv4: {address: 192.0.2.11, prefix: "24"}}
        cacheable: true
    - ansible.builtin.include_role:
        name: "haproof.balancer.{{ role }}"
        tasks_from: preflight
        public: true
        # As site does.
        rolespec_validate: false
    - ansible.builtin.copy:
        content: "{{ lookup('ansible.builtin.vars', '__' ~ role ~ '_plan')[key] }}"
        dest: "{{ output }}"
      no_log: true
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Return what applies a role's preflight with variables, and returns its exit code and output."""

    def run_preflight(role: str = "nginx", key: str = "conf", **variables: Any) -> tuple[int, str]:
        host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        inventory = {"balancers": {"hosts": {"lb01": host}, "vars": variables}}
        variables.update(role=role, key=key, output=str(tmp_path / "conf"))
        (tmp_path / "inventory.json").write_text(json.dumps(inventory))
        (tmp_path / "playbook.yml").write_text(PLAYBOOK)
        done = subprocess.run(
            ["ansible-playbook", "-vvv", tmp_path / "playbook.yml", "-i", tmp_path / "inventory.json"],
            capture_output=True,
            check=False,
            cwd=CHECKOUT,
            env={**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg")},
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    return run_preflight


def test_a_plan_is_not_shown(run: Any, tmp_path: Path) -> None:
    header = {"proxy_set_header": "X-Key s3cretword"}
    code, output = run(nginx_servers=[{"listen": 80, **header}])
    assert (code, "s3cretword" in output) == (0, False), output
    assert "X-Key s3cretword;" in (tmp_path / "conf").read_text()


def test_findings_are_shown(run: Any) -> None:
    code, output = run(nginx_upstreams=[{"name": "web"}], nginx_http={"proxy_set_header": "Authorization s3cretword"})
    assert (code, "s3cretword" in output) == (2, False), output
    assert "lb01: nginx_upstreams[0] (web): no server; give at least one" in output


def test_wrong_arguments_are_shown(run: Any) -> None:
    code, output = run(nginx_servers={"listen": 80}, nginx_package_source="backports")
    assert code == 2, output
    assert "value of nginx_package_source must be one of: distribution, vendor, got: backports" in output
    # ansible-core 2.18 writes <class 'dict'>.
    assert re.search("argument 'nginx_servers' is of type .*dict.* and we were unable to convert to list", output)


def test_a_text_that_looks_like_a_template_stays_a_text(run: Any, tmp_path: Path) -> None:
    # As a lookup or {% raw %} gives it.
    code, output = run(nginx_http={"add_header": "X-Page {{ '\"{{ 6 * 7 }}\"' }}"})
    assert code == 0, output
    assert 'add_header X-Page "{{ 6 * 7 }}";' in (tmp_path / "conf").read_text()


def test_the_variables_of_a_tracked_service_may_ask_for_the_virtual_ips(run: Any, tmp_path: Path) -> None:
    code, output = run(
        role="keepalived",
        key="sysctl",
        keepalived_track_services=["nginx"],
        keepalived_vips=[{"address": "192.0.2.10/24"}],
        nginx_servers="{{ [{'listen': __keepalived_plan.vips[0] ~ ':80'}] }}",
    )
    assert code == 0, output
    assert json.loads((tmp_path / "conf").read_text()) == {"net.ipv4.ip_nonlocal_bind": 1}

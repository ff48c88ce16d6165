# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hostile node's files are adopted and rendered again word by word, and run nothing on the controller."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy import parse as haproxy_parse
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived import parse as keepalived_parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx import parse as nginx_parse

CHECKOUT = Path(__file__).parents[3]
RENDER = CHECKOUT / "tests/unit/examples/render.yml"

# RUN is a template that leaves a mark on the controller, in single quotes only.
FILES = {
    "haproxy.cfg": """
# RUN
global # RUN
    description "RUN"
    "RUN" "RUN"
    log-send-hostname lb01
defaults
    mode http
    log-format "%ci {%hrl} %ST {# {{"
    option "RUN"
    option "RUN"
frontend "RUN"
    bind "RUN"
    acl a path /a
    http-request deny if a
    acl "RUN" path "RUN"
    http-request deny if "RUN"
    use_backend web
backend web # RUN
    server "RUN" 192.0.2.21:80
    http-response set-header X-Own "!unsafe yes: - [ \\# ] & * {% if %}"
userlist "RUN"
    user "RUN" insecure-password "RUN"
""",
    "keepalived.conf": """
! RUN
# RUN
"$NAME"="RUN"
global_defs {
    router_id "RUN"
    notification_email {
        "RUN"
    }
    "RUN" "RUN"
    "RUN"
}
vrrp_script "RUN" {
    script "RUN"
}
vrrp_instance "RUN" {
    interface eth0
    virtual_router_id 51
    priority 100
    authentication {
        auth_type PASS
        auth_pass "{{1}}"
    }
    virtual_ipaddress {
        192.0.2.10/24 dev eth0
    }
    notify "RUN"
    track_script {
        "RUN"
    }
}
"RUN" {
    "RUN" lb01
}
""",
    "nginx.conf": """
# RUN
user "RUN" lb01;
"RUN" "RUN";
"RUN";
events { "RUN" "RUN"; }
http {
    log_format json '{"nested": {{"a": "$uri"}} {% {# }';
    map $uri "RUN" { "RUN" "RUN"; }
    "RUN" "RUN";
    upstream "RUN" { server "RUN"; }
    upstream plain { server 192.0.2.21 "RUN"; "RUN" "RUN"; }
    server {
        listen 80;
        "RUN" "RUN";
        server_name "RUN";
        "RUN" other;
        location "RUN" { return 200 "RUN"; }
    }
}
""",
}


def play(playbook: str, folder: Path, **variables: str) -> None:
    """Run a playbook with the Ansible of these tests."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), playbook, "-i", str(folder / "inventory.yml")]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "build/collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    run = subprocess.run(
        [*command, "-e", json.dumps(variables)],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Adopt the files of a hostile node, which is this machine, into an inventory."""
    folder = tmp_path_factory.mktemp("adopted")
    for name, text in FILES.items():
        (folder / name).write_text(text.replace("RUN", template(folder)))
    node = {
        "ansible_connection": "local",
        "ansible_host": "192.0.2.11",
        "ansible_python_interpreter": sys.executable,
    }
    inventory = {"balancers": {"hosts": {"lb01": node}}, "backends": {"hosts": {}}}
    (folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
    play("haproof.balancer.adopt", folder, **{f"adopt_{name.replace('.', '_')}": str(folder / name) for name in FILES})
    return folder


def template(folder: Path) -> str:
    """Return a template that leaves a mark where it is rendered."""
    return f"{{{{ lookup('ansible.builtin.pipe', 'touch {folder}/mark') }}}}"


@pytest.mark.parametrize(
    ("engine", "name", "parser"), [("haproxy", "haproxy.cfg", haproxy_parse), ("nginx", "nginx.conf", nginx_parse)]
)
def test_nothing_runs_and_every_word_comes_back(folder: Path, engine: str, name: str, parser: Any) -> None:
    play(str(RENDER), folder, balancer_engine=engine, output=str(folder / "rendered"))

    rendered = json.loads((folder / "rendered").read_text())
    for file, key, reads in [(name, "engine", parser), ("keepalived.conf", "keepalived.conf", keepalived_parse)]:
        assert ordered(reads, rendered["lb01"][key]) == ordered(reads, (folder / file).read_text())
    assert not (folder / "mark").exists()


def ordered(parser: Any, text: str) -> Any:
    """Return the configuration as a daemon reads it; the order of blocks does not matter."""
    tree = parser.parse(text)
    return sorted(map(repr, parser.normal(tree))) if hasattr(parser, "normal") else tree


def test_the_variables_are_for_the_owner_alone(folder: Path) -> None:
    written = sorted(str(path.relative_to(folder)) for path in folder.glob("*_vars/*/*.yml"))
    groups = [f"group_vars/balancers/{daemon}.yml" for daemon in ("haproxy", "keepalived", "nginx")]
    hosts = [f"host_vars/lb01/{daemon}.yml" for daemon in ("haproxy", "keepalived", "nginx")]
    assert written == groups + hosts
    assert {(folder / path).stat().st_mode & 0o777 for path in written} == {0o600}

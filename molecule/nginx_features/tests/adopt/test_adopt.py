# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An nginx.conf that was written by hand is adopted unchanged."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from nodes import inventory_balancers, run_playbook, write_inventory

CHECKOUT = Path(__file__).parents[4]
sys.path.insert(0, str(CHECKOUT / "build/collections"))
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import normal, parse

if TYPE_CHECKING:
    from nodes import Lab

CONF = "/etc/nginx/nginx.conf"
HAND_MADE = CHECKOUT / "tests/unit/plugins/plugin_utils/_nginx/fixtures/nginx_hand_made.conf"
# Text that Ansible would evaluate as a template.
OWN = """
http {
    log_format json '{"nested": {{"a": "$uri"}} {% {# }';
    server { listen 127.0.0.1:82; access_log /var/log/nginx/json.log json; }
"""


def live(lab: Lab) -> dict[str, list[Any]]:
    """Return nginx's configuration on each balancer; the order of blocks does not matter."""
    return {
        name: sorted(normal(parse(lab.nodes[name].file(CONF).content_string))[-1].body or [], key=repr)
        for name in lab.balancers
    }


@pytest.fixture(scope="module")
def inventory(lab: Lab) -> Path:
    """Write a different nginx.conf on each balancer by hand, and create an inventory without nginx variables."""
    for name in lab.balancers:
        text = HAND_MADE.read_text()
        if name == "lb01":
            text = text.replace("http {", OWN, 1)
        lab.nodes[name].check_output("echo %s >%s && nginx -s reload", text, CONF)
    content = yaml.safe_load(lab.inventory.read_text())
    # The adopted configuration has no server for it.
    content["all"]["vars"]["keepalived_check_url"] = ""
    return write_inventory(lab, "adopted", content)


def test_adopt_writes_variables(lab: Lab, inventory: Path) -> None:
    before = live(lab)
    adopted = run_playbook("haproof.balancer.adopt", inventory, "--limit=balancers")
    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    written = sorted(str(path.relative_to(inventory.parent)) for path in inventory.parent.rglob("nginx.yml"))
    assert written == [
        "group_vars/balancers/nginx.yml",
        "host_vars/lb01/nginx.yml",
        "host_vars/lb02/nginx.yml",
    ]
    assert {(inventory.parent / path).stat().st_mode & 0o777 for path in written} == {0o600}
    assert live(lab) == before


def test_site_reproduces_the_configuration(lab: Lab, inventory: Path) -> None:
    before = live(lab)
    # keepalived is already managed by this collection.
    for path in inventory.parent.rglob("keepalived.yml"):
        path.unlink()
    site = run_playbook("haproof.balancer.site", inventory, "--limit=balancers")
    assert site.returncode == 0, site.stdout + site.stderr
    assert live(lab) == before
    address = inventory_balancers(lab.inventory)["lb01"]["backend_address"]
    assert (
        lab.nodes["client"].check_output("curl --silent http://%s:81/health --write-out '%%{http_code}'", address)
        == "204"
    )

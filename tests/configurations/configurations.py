# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configurations of keepalived.yml as the role would write them. Needs the collection on sys.path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.tree import tree
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.vips import Cluster

HERE = Path(__file__).parent
ROLE = HERE.parents[1] / "roles" / "keepalived"
NAMES: list[str] = list(yaml.safe_load((HERE / "keepalived.yml").read_text()))


def facts(host: str, interface: str) -> dict[str, Any]:
    """Return the facts of a host whose interface has an address of each family and of two subnets."""
    byte = host[-1]
    link = {
        "device": interface,
        "ipv4": {"address": f"192.0.2.1{byte}", "prefix": "24"},
        "ipv6": [{"address": f"2001:db8::1{byte}", "prefix": "64"}],
    }
    return {"interfaces": [interface], interface: link}


def configuration(name: str, interface: str) -> Any:
    """Return what the role would have keepalived do with the variables of that name, on lb01 of a pair."""
    text = (HERE / "keepalived.yml").read_text().replace("IFACE", interface)
    # A default that is a template.
    variables = {**_read("defaults"), "keepalived_track_services": [], **yaml.safe_load(text)[name]}
    settings = {key.partition("_")[2]: value for key, value in variables.items()}
    profiles = _read("vars")["__keepalived_profiles"]
    settings["profile"] = profiles[variables["keepalived_profile"]] if variables["keepalived_base"] else {}
    settings["check_script"] = ""
    hosts = ["lb01", "lb02"]
    return tree(settings, Cluster("lb01", hosts, {host: facts(host, interface) for host in hosts}))


def _read(folder: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROLE / folder / "main.yml").read_text())
    return loaded

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""vip_check, vrrp_listen and vrrp_probe on the nodes, also for an unprivileged user."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from nodes import BACKENDS, CLIENT, ad_hoc_results

if TYPE_CHECKING:
    from nodes import Lab

# Module, valid arguments, and the message for an unprivileged user.
UNPRIVILEGED_CASES: list[tuple[str, dict[str, Any], str]] = [
    ("vip_check", {"vip": "VIP"}, "inspecting the link needs CAP_NET_RAW: use become, or connect as root"),
    ("vrrp_listen", {"duration": 1}, "inspecting the link needs CAP_NET_RAW: use become, or connect as root"),
    (
        "vrrp_probe",
        {"instances": [{"interface": "eth1", "addresses": ["VIP"]}]},
        "inspecting the link needs CAP_NET_RAW: use become, or connect as root",
    ),
]


def as_nobody(lab: Lab, module: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run a module on the client as an unprivileged user."""
    become = ["--become", "--become-method=su", "--become-user=nobody", "-e", "ansible_become_flags=-s/bin/sh"]
    command = ["ansible", CLIENT, "-i", str(lab.inventory), "-m", f"haproof.balancer.{module}", *become]
    environment = {**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_FORCE_COLOR": "false"}
    run = subprocess.run(
        [*command, "-a", json.dumps(arguments)], env=environment, capture_output=True, check=False, text=True
    )
    return ad_hoc_results(run.stdout)[CLIENT]


@pytest.mark.parametrize(("module", "arguments", "message"), UNPRIVILEGED_CASES, ids=[c[0] for c in UNPRIVILEGED_CASES])
def test_an_unprivileged_user_gets_an_error(lab: Lab, module: str, arguments: dict[str, Any], message: str) -> None:
    arguments = json.loads(json.dumps(arguments).replace("VIP", lab.vip))
    assert as_nobody(lab, module, arguments)["msg"] == message


def test_an_unprivileged_user_can_check_the_service(lab: Lab) -> None:
    seen = as_nobody(lab, "vip_check", {"vip": lab.vip, "link": False, "port": 80})
    assert (seen["tcp"]["open"], seen["findings"]) == (True, [])


def test_the_holder_is_heard(lab: Lab) -> None:
    heard = lab.module(CLIENT, "vrrp_listen", {"duration": 1.5, "interfaces": ["eth1"]})[CLIENT]
    (router,) = heard["routers"]
    assert router["addresses"] == [lab.vip]
    assert router["priority"] == 254
    assert router["checksum_ok"]
    assert router["count"] > 1
    assert [router["mac"]] == sorted(lab.holder_macs())


def test_the_holder_answers(lab: Lab) -> None:
    holder = lab.nodes["lb01"].check_output("ip -oneline -4 address show eth1").split()[3].split("/")[0]
    url, body = "http://www.example.com/", "web0[12]"
    asked = {"vip": lab.vip, "holder": holder, "port": 80, "url": url, "body": body}
    seen = lab.module(CLIENT, "vip_check", asked)[CLIENT]
    assert seen["macs"] == sorted(lab.holder_macs())
    assert (seen["answered"], seen["findings"], seen["http"]["status"]) == (True, [], 200)


def test_the_wrong_holder_is_reported(lab: Lab) -> None:
    seen = lab.module(CLIENT, "vip_check", {"vip": lab.vip, "holder": "02:00:00:00:00:01"})[CLIENT]
    (mac,) = lab.holder_macs()
    assert seen["msg"] == f"{lab.vip}: {mac} answers for it, not the expected holder 02:00:00:00:00:01"


@pytest.mark.parametrize("address", ["192.0.2.77", "fd00:77::77"])
def test_both_answering_hosts_are_named(lab: Lab, address: str) -> None:
    """In a network that is not routed; IPv6 without duplicate address detection, which would disable one of them."""
    prefix, flags = (64, "nodad") if ":" in address else (24, "")
    macs = []
    try:
        for name in BACKENDS:
            node = lab.nodes[name]
            node.check_output("sysctl -qw net.ipv6.conf.eth1.disable_ipv6=0")
            node.check_output(f"ip address add {address}/{prefix} dev eth1 {flags}")
            macs.append(node.check_output("cat /sys/class/net/eth1/address"))
        lab.nodes[CLIENT].check_output("sysctl -qw net.ipv6.conf.eth1.disable_ipv6=0")
        seen = lab.module(CLIENT, "vip_check", {"vip": address, "interface": "eth1"})[CLIENT]
    finally:
        for name in BACKENDS:
            lab.nodes[name].run(f"ip address del {address}/{prefix} dev eth1")
            lab.nodes[name].run("sysctl -qw net.ipv6.conf.eth1.disable_ipv6=1")
        lab.nodes[CLIENT].run("sysctl -qw net.ipv6.conf.eth1.disable_ipv6=1")
    assert seen["macs"] == sorted(macs)
    assert seen["msg"] == f"{address}: 2 MAC addresses answer for it: {', '.join(sorted(macs))}"

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair with the names, paths and users of Enterprise Linux."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import BACKENDS, BALANCERS

if TYPE_CHECKING:
    from nodes import Lab


def main_process(lab: Lab, name: str, service: str) -> str:
    """Return the process id of a service on a node."""
    return lab.nodes[name].check_output("systemctl show --value --property=MainPID %s", service)


@pytest.mark.parametrize("name", BALANCERS)
def test_ansible_takes_the_node_for_red_hats(lab: Lab, name: str) -> None:
    found = lab.nodes[name].ansible("setup", check=False)["ansible_facts"]
    assert (found["ansible_os_family"], found["ansible_pkg_mgr"]) == ("RedHat", "dnf")
    assert not lab.nodes[name].exists("apt-get")


@pytest.mark.parametrize("name", BALANCERS)
def test_the_daemons_are_dnfs(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    for service, package in (("keepalived", "keepalived"), ("nginx", "nginx-core")):
        program = node.check_output("readlink /proc/%s/exe", main_process(lab, name, service))
        owner = node.check_output("rpm --query --file --queryformat '%%{NAME}' %s", program)
        assert (program, owner) == (f"/usr/sbin/{service}", package)


@pytest.mark.parametrize("name", [*BALANCERS, *BACKENDS])
def test_nginx_runs_and_logs_as_the_familys_user(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    users = node.check_output("ps --no-headers -o user:32 --ppid %s", main_process(lab, name, "nginx")).split()
    assert set(users) == {"nginx"}
    node.check_output("curl --silent --fail http://127.0.0.1/")
    assert node.file("/var/log/nginx/access.log").size > 0


@pytest.mark.parametrize("name", BALANCERS)
def test_keepalived_has_the_administrators_arguments_and_the_policys_paths(lab: Lab, name: str) -> None:
    node = lab.nodes[name]
    arguments = node.check_output("tr '\\0' ' ' </proc/%s/cmdline", main_process(lab, name, "keepalived")).split()
    # From /etc/sysconfig/keepalived, as the package installs it.
    assert "-D" in arguments
    scripts = node.check_output("ls /usr/libexec/keepalived").split()
    assert {"alert", "answers", "check", "track"} <= set(scripts)
    assert "/usr/libexec/keepalived/" in node.file("/etc/keepalived/keepalived.conf").content_string
    assert not node.file("/usr/local/libexec/keepalived").exists


@pytest.mark.parametrize(("name", "peer"), [BALANCERS, BALANCERS[::-1]])
def test_firewalld_allows_only_the_peer(lab: Lab, name: str, peer: str) -> None:
    (address,) = (one for one in lab.nodes[peer].interface("eth1").addresses if one.endswith((".11", ".12")))
    for scope in ("--zone=public", "--permanent"):
        rules = lab.nodes[name].check_output("firewall-cmd %s --list-rich-rules", scope).splitlines()
        assert rules
        assert all(f'address="{address}"' in rule for rule in rules), rules

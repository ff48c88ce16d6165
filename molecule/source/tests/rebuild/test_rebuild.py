# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Switch to another build, to the package, and back; each test starts from the scenario's own build."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable

from nodes import BALANCERS, apply_site, eventually, run_playbook, running_keepalived

if TYPE_CHECKING:
    from nodes import Lab

PACKAGED = "/usr/sbin/keepalived"


def running(lab: Lab) -> dict[str, str]:
    """Return the binary of each balancer's keepalived; there must be one."""
    return {name: running_keepalived(lab, name) for name in BALANCERS}


def starts(lab: Lab) -> dict[str, str]:
    """Return when each balancer's keepalived started."""
    return {
        name: lab.nodes[name].check_output("systemctl show --value --property=ActiveEnterTimestampMonotonic keepalived")
        for name in BALANCERS
    }


def builds(lab: Lab, name: str) -> set[str]:
    """Return the builds on a balancer with their times."""
    return set(lab.nodes[name].check_output("stat -c '%n %W' /usr/local/keepalived-*/sbin/keepalived").splitlines())


def settled(lab: Lab) -> bool:
    """Return whether only the owner has the VIP."""
    return eventually(lambda: lab.holders() == ["lb01"], within_s=10)


def test_a_wrong_checksum_is_rejected(lab: Lab, answers_so_far: Callable[[], list[str]]) -> None:
    wanted = lab.variables_of("balancers")
    url, right = wanted["keepalived_source_url"], wanted["keepalived_checksum"]
    wrong = "sha256:" + "0" * 64
    before = running(lab), starts(lab), builds(lab, "lb01")

    play = apply_site(lab, {"keepalived_checksum": wrong})

    assert play.returncode != 0
    assert f"{url} has the checksum {right}, not {wrong}" in " ".join(play.stdout.split())
    assert (running(lab), starts(lab), builds(lab, "lb01")) == before
    assert set(answers_so_far()) == {"200"}


def test_a_missing_checksum_is_rejected_before_a_host_is_touched(lab: Lab) -> None:
    play = apply_site(lab, {"keepalived_checksum": ""})
    assert play.returncode != 0
    assert "lb01: keepalived_checksum is empty; a build from source needs it" in " ".join(play.stdout.split())


def test_another_option_is_another_build_and_the_former_comes_back(lab: Lab) -> None:
    before, built = running(lab), builds(lab, "lb02")

    # No need for long builds on two nodes at once.
    play = apply_site(lab, {"keepalived_configure_options": ["--enable-json"]}, "--limit", "lb02")
    assert play.returncode == 0, play.stdout
    other = running(lab)
    assert other["lb01"] == before["lb01"]
    assert other["lb02"] != before["lb02"]
    assert "BFD" not in lab.nodes["lb02"].run("%s --version", other["lb02"]).stderr.split()
    assert settled(lab)

    play = apply_site(lab, {}, "--limit", "lb02")
    assert play.returncode == 0, play.stdout
    assert running(lab) == before
    # The previous build was not made again, and the other one stays too.
    after = builds(lab, "lb02")
    assert built <= after
    assert other["lb02"] in {line.split()[0] for line in after}
    assert settled(lab)


def test_an_upgrade_switches_the_build_of_a_balancer_out_of_service(lab: Lab) -> None:
    before = running(lab)

    def upgrade(**variables: Any) -> str:
        settings = json.dumps({"upgrade_hosts": "lb02", **variables})
        play = run_playbook("haproof.balancer.upgrade", lab.inventory, "--extra-vars", settings)
        assert play.returncode == 0, play.stdout
        return " ".join(play.stdout.split())

    version = lab.variables_of("balancers")["keepalived_version"]
    other = upgrade(keepalived_configure_options=["--enable-json"])
    assert f"lb02 is upgraded: keepalived {version} -> {version} from source" in other
    assert "lb02 is back: it is a standby" in other
    assert running(lab)["lb02"] != before["lb02"]
    upgrade()
    assert running(lab) == before
    assert "nothing to upgrade" in upgrade()
    assert settled(lab)


def test_to_the_package_and_back(lab: Lab, answers_so_far: Callable[[], list[str]]) -> None:
    before, built = running(lab), builds(lab, "lb01")
    answered = len(answers_so_far())

    play = apply_site(lab, {"keepalived_install_method": "package"}, "--limit", "lb01")
    assert play.returncode == 0, play.stdout
    assert running(lab) == {**before, "lb01": PACKAGED}
    assert settled(lab)

    play = apply_site(lab, {}, "--limit", "lb01")
    assert play.returncode == 0, play.stdout
    assert running(lab) == before
    assert builds(lab, "lb01") == built
    assert lab.nodes["lb01"].service("keepalived").is_enabled
    assert not lab.nodes["lb01"].file(PACKAGED).exists
    assert settled(lab)
    # The holder changed, so the VIP moved four times, and each move may have cut a pending request.
    failed = [answer for answer in answers_so_far()[answered:] if answer != "200"]
    assert len(failed) <= 4, failed


def test_a_reload_of_the_build_shows(lab: Lab) -> None:
    started = starts(lab)
    play = apply_site(lab, {"keepalived_global_defs": {"vrrp_garp_master_delay": 2}}, "--limit", "lb02")
    assert play.returncode == 0, play.stdout
    assert starts(lab) == started
    assert "vrrp_garp_master_delay 2" in lab.nodes["lb02"].file("/etc/keepalived/keepalived.conf").content_string
    play = apply_site(lab, {}, "--limit", "lb02")
    assert play.returncode == 0, play.stdout
    assert starts(lab) == started

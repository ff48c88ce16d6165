# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Updates by dnf, nginx from its vendor, and keepalived from source."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nodes import BALANCERS, apply_site, eventually, running_keepalived, unchanged

if TYPE_CHECKING:
    from nodes import Lab

PACKAGES = "/srv/packages"
REPOSITORY = "/etc/yum.repos.d/haproof-nginx.repo"
UNPATIENT_S = 0.9


@pytest.fixture(autouse=True, scope="module")
def packages(lab: Lab) -> None:
    """Skip on a real image, whose repositories are the distribution's."""
    if not lab.nodes["lb01"].file(PACKAGES).exists:
        pytest.skip(f"needs the disguised nodes' {PACKAGES}")


def settled(lab: Lab) -> bool:
    """Return whether only the owner has the VIP."""
    return eventually(lambda: lab.holders() == ["lb01"], within_s=10)


def release(lab: Lab, name: str, package: str) -> str:
    """Return the release of an installed package."""
    return lab.nodes[name].check_output("rpm --query --queryformat '%%{RELEASE}' %s", package)


def stops(lab: Lab, name: str) -> int:
    """Return how often keepalived was stopped since the node's boot."""
    journal = lab.nodes[name].check_output("journalctl --boot --unit=keepalived --output=cat")
    return sum(line.startswith("Stopped keepalived.service") for line in journal.splitlines())


@pytest.mark.parametrize("name", reversed(BALANCERS))
def test_an_update_of_nginx_costs_no_request(lab: Lab, name: str) -> None:
    with lab.probed(timeout_s=UNPATIENT_S) as seen:
        lab.nodes[name].check_output("dnf --assumeyes --enablerepo=updates upgrade nginx")
    assert release(lab, name, "nginx-core") == "2.el9"
    program = lab.nodes[name].check_output("readlink /proc/$(cat /run/nginx.pid)/exe")
    assert program == "/usr/sbin/nginx"
    assert seen["requests"] > 0
    assert seen["failed"] == 0
    assert settled(lab)


def test_an_update_of_keepalived_moves_the_vip_and_keeps_the_roles_files(lab: Lab) -> None:
    for name in reversed(BALANCERS):
        lab.nodes[name].check_output("dnf --assumeyes --enablerepo=updates upgrade keepalived")
        assert release(lab, name, "keepalived") == "2.el9"
        assert settled(lab)
    play = apply_site(lab, {})
    assert play.returncode == 0, play.stdout
    assert unchanged(play.stdout), play.stdout


def vendor(lab: Lab, **variables: Any) -> dict[str, Any]:
    """Return variables for nginx from the vendor's repository on the nodes."""
    key = f"{PACKAGES}/vendor/key.asc"
    return {
        "nginx_package_source": "vendor",
        "nginx_vendor_url": f"file:{PACKAGES}/vendor",
        "nginx_vendor_key_url": f"file://{key}",
        "nginx_vendor_key_checksum": "sha256:" + lab.nodes["lb02"].check_output("sha256sum %s", key).split()[0],
        **variables,
    }


def test_a_repository_without_packages_is_not_left_behind(lab: Lab) -> None:
    before = lab.nodes["lb02"].check_output("rpm --query nginx")
    play = apply_site(lab, vendor(lab, nginx_vendor_url="file:/srv/nothing"), "--limit", "lb02")
    assert play.returncode != 0
    output = " ".join(play.stdout.split())
    assert "lb02: nginx from file:/srv/nothing: Errors during downloading metadata" in output, output
    # The distribution's repositories are not used in its place.
    assert "Ignoring repositories" not in output
    assert not lab.nodes["lb02"].file(REPOSITORY).exists
    assert lab.nodes["lb02"].check_output("rpm --query nginx") == before


def test_the_vendors_nginx_replaces_the_distributions(lab: Lab) -> None:
    node = lab.nodes["lb02"]
    with lab.probed(timeout_s=UNPATIENT_S) as seen:
        play = apply_site(lab, vendor(lab), "--limit", "lb02")
    assert play.returncode == 0, play.stdout
    assert seen["failed"] == 0
    assert node.check_output("rpm --query --queryformat '%{VERSION}' nginx") == "1.99.0"
    assert not node.package("nginx-core").is_installed
    # The key of the repository was checked.
    assert "\ngpgcheck=1\n" in node.file(REPOSITORY).content_string
    # The running program is the new one, not a deleted file.
    assert node.check_output("readlink /proc/$(cat /run/nginx.pid)/exe") == "/usr/sbin/nginx"
    again = apply_site(lab, vendor(lab), "--limit", "lb02")
    assert again.returncode == 0, again.stdout
    assert unchanged(again.stdout), again.stdout


def source(lab: Lab) -> dict[str, Any]:
    """Return variables for a build of the tarball on the nodes."""
    told = json.loads(lab.nodes["lb01"].file(f"{PACKAGES}/source/keepalived.json").content_string)
    return {
        "keepalived_install_method": "source",
        "keepalived_version": told["version"],
        "keepalived_checksum": f"sha256:{told['sha256']}",
        "keepalived_source_url": f"file://{PACKAGES}/source/keepalived.tar.gz",
    }


def test_a_missing_repository_of_a_build_is_named(lab: Lab) -> None:
    play = apply_site(lab, source(lab), "--limit", "lb01")
    assert play.returncode != 0
    assert "kmod-devel" in play.stdout, play.stdout
    assert running_keepalived(lab, "lb01") == "/usr/sbin/keepalived"
    assert settled(lab)


def test_a_build_replaces_the_package_with_one_stop(lab: Lab) -> None:
    node = lab.nodes["lb01"]
    node.check_output("sed -i 's/^enabled=0$/enabled=1/' /etc/yum.repos.d/rocky.repo")
    before = stops(lab, "lb01")
    play = apply_site(lab, source(lab), "--limit", "lb01")
    assert play.returncode == 0, play.stdout
    assert running_keepalived(lab, "lb01").startswith("/usr/local/keepalived-")
    assert not node.package("keepalived").is_installed
    assert node.service("keepalived").is_enabled
    assert stops(lab, "lb01") == before + 1
    arguments = node.check_output("tr '\\0' ' ' </proc/$(cat /run/keepalived.pid)/cmdline")
    assert " -D" in arguments
    assert settled(lab)


def test_the_package_replaces_the_build(lab: Lab) -> None:
    play = apply_site(lab, {}, "--limit", "lb01")
    assert play.returncode == 0, play.stdout
    assert running_keepalived(lab, "lb01") == "/usr/sbin/keepalived"
    assert lab.nodes["lb01"].service("keepalived").is_enabled
    assert settled(lab)

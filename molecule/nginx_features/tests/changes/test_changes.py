# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of a working nginx: rejected ones touch nothing, the others match check mode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest
import yaml

from nodes import apply_site, eventually

if TYPE_CHECKING:
    from nodes import Lab

KEY = "/etc/nginx/tls/www.key"
SPARE = "/etc/nginx/tls/spare.key"
LOGO = "/srv/static/logo.png"
SECRETS = ("PRIVATE KEY", "sp4re")
PAGE = "/etc/nginx/haproof/degraded.html"


def live(lab: Lab, *names: str) -> dict[str, str]:
    """Return the checksums of the role's files, and the installed nginx."""
    find = "find /etc/apt /etc/nginx /etc/systemd/system /srv/static -type f -exec sha256sum {} +"
    return {name: lab.nodes[name].check_output(f"{find}; dpkg-query --show nginx") for name in (names or lab.balancers)}


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"nginx_static": {"expires": "1d"}}, "lb01: nginx_static: has no root, and has no effect without it"),
        ({"nginx_static": {"rot": "/srv"}}, "nginx_static.rot. Supported parameters"),
        ({"nginx_servers": [{"location /": {"proxy_pass": "http://wbe"}}]}, "proxy_pass: wbe is not an upstream"),
        (
            {"nginx_package_source": "vendor", "nginx_vendor_key_checksum": ""},
            "lb01: nginx_vendor_key_checksum: the vendor's key must be pinned",
        ),
    ],
)
def test_bad_input_stops_before_a_host_is_touched(
    lab: Lab, answers_so_far: Callable[[], list[str]], variables: dict[str, Any], named: str
) -> None:
    before = live(lab)
    play = apply_site(lab, variables, "--limit", "balancers")
    assert play.returncode != 0
    assert named in " ".join(play.stdout.split()), play.stdout
    assert live(lab) == before
    assert set(answers_so_far()) <= {"301"}


def test_limit_rejected_by_nginx_is_rolled_back(lab: Lab, answers_so_far: Callable[[], list[str]]) -> None:
    before = live(lab)
    play = apply_site(lab, {"nginx_cache": {"size": "much"}}, "--limit", "lb01")
    assert play.returncode != 0
    assert 'invalid max_size value "max_size=much"' in " ".join(play.stdout.split()), play.stdout
    assert live(lab) == before
    asked = len(answers_so_far())
    assert eventually(lambda: len(answers_so_far()) > asked, within_s=10)
    assert set(answers_so_far()) == {"301"}


def test_removal_from_the_variables_matches_check_mode(lab: Lab, answers_so_far: Callable[[], list[str]]) -> None:
    wanted = yaml.safe_load((lab.inventory.parent / "group_vars/balancers.yml").read_text())
    fewer = {
        "nginx_degraded": {},
        "nginx_gzip": False,
        "nginx_files": [item for item in wanted["nginx_files"] if item["dest"] not in (LOGO, SPARE)],
    }
    before = live(lab)
    lines = ["-    gzip on;", f"--- before: {PAGE} (root:root 0644)", f"+++ after: {LOGO} (absent)"]

    checked = apply_site(lab, fewer, "--limit", "lb01", "--check", "--diff")
    assert checked.returncode == 0, checked.stdout
    assert all(line in checked.stdout for line in lines), checked.stdout
    assert not any(word in checked.stdout for word in SECRETS)
    assert live(lab) == before

    done = apply_site(lab, fewer, "--limit", "lb01", "--diff", "-vvv")
    assert done.returncode == 0, done.stdout
    assert all(line in done.stdout for line in lines), done.stdout
    assert not any(word in done.stdout + done.stderr for word in SECRETS)
    node = lab.nodes["lb01"]
    assert not node.file(PAGE).exists
    assert not node.file(LOGO).exists
    assert not node.file(SPARE).exists
    assert node.file(KEY).exists
    assert "gzip" not in node.file("/etc/nginx/nginx.conf").content_string
    assert set(answers_so_far()) == {"301"}


@pytest.mark.parametrize(
    ("key", "checksum", "named"),
    [
        ("key.asc", "0" * 64, "The checksum for"),
        ("other.asc", "", "lb02: nginx from file:/srv/vendor: "),
    ],
    ids=["not the pinned one", "not the one that signed"],
)
def test_wrong_key_is_rejected(lab: Lab, key: str, checksum: str, named: str) -> None:
    node = lab.nodes["lb02"]
    variables = {
        "nginx_vendor_key_url": f"file:///srv/vendor/{key}",
        "nginx_vendor_key_checksum": "sha256:"
        + (checksum or node.check_output("sha256sum /srv/vendor/%s", key).split()[0]),
    }
    before = live(lab, "lb02")["lb02"]
    play = apply_site(lab, variables, "--limit", "lb02")
    assert play.returncode != 0
    assert named in " ".join(play.stdout.split()), play.stdout
    if checksum:
        assert live(lab, "lb02")["lb02"] == before
    else:
        # Its packages are no longer used, and nginx keeps running.
        assert not node.file("/etc/apt/sources.list.d/haproof-nginx.sources").exists
        assert node.check_output("dpkg-query --show nginx") == before.splitlines()[-1]
    assert node.service("nginx").is_running

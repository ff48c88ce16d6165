# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import File
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packed import pack
from ansible_collections.haproof.balancer.plugins.modules.daemon_config import (
    check_paths,
    default_mode,
    former_files,
    is_hidden,
    masks,
    secrets_of,
    wanted_file,
)


@pytest.mark.parametrize(
    ("mode", "secret", "expected"), [(None, False, 0o644), (None, True, 0o600), ("0640", True, 0o640)]
)
def test_modes(mode: str | None, secret: bool, expected: int) -> None:
    options = {"dest": "/a", "content": pack(""), "owner": "root", "group": "root", "mode": mode, "secret": secret}
    assert wanted_file(options).mode == expected


def test_a_mode_must_be_octal() -> None:
    with pytest.raises(ValueError, match=r"^/a: mode 'rw' is not octal; write '0644'$"):
        wanted_file({"dest": "/a", "content": pack(""), "owner": "root", "group": "root", "mode": "rw"})


def test_content_must_be_packed() -> None:
    with pytest.raises(ValueError, match=r"^/a: content is not packed: the action plugin did not run; "):
        wanted_file({"dest": "/a", "content": "s3cret", "owner": "root", "group": "root", "mode": "0644"})


def test_secrets_are_the_named_ones_and_those_in_secret_files() -> None:
    files = [
        {"secret": True, "content": pack("k\u00e9y\n")},
        {"secret": False, "content": pack("page")},
        {"secret": True, "content": None},
    ]
    assert secrets_of({"secrets": [pack("word")], "files": files}) == ["word", "k\u00e9y\n"]


PLAIN = {"dest": "/etc/a", "files": [{"dest": "/etc/b"}], "absent": ["/etc/c"], "restart_on": ["/etc/b"]}


def test_plain_paths_pass() -> None:
    check_paths(PLAIN)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dest": "/etc/a\n/etc/b"}, r"'/etc/a\\n/etc/b' holds a line break or control character; remove it"),
        ({"files": [{"dest": "b"}]}, "'b' is not an absolute path"),
        ({"absent": ["/etc/../c"]}, "'/etc/../c' is another spelling of '/c'; use that one"),
        ({"restart_on": ["//etc/b"]}, "'//etc/b' is another spelling of '/etc/b'; use that one"),
        ({"absent": ["/etc/b"]}, "/etc/b is listed 2 times in dest, files and absent; list it once"),
        ({"files": [{"dest": "/etc/a"}]}, "/etc/a is listed 2 times in dest, files and absent; list it once"),
    ],
)
def test_other_paths_are_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        check_paths({**PLAIN, **changed})


@pytest.mark.parametrize(
    ("dest", "mode", "stays", "secret", "expected"),
    [
        ("/etc/nginx/a.conf", 0o640, True, set(), False),
        ("/etc/nginx/a.conf", 0o640, True, {"/etc/nginx/a.conf"}, True),
        ("/etc/nginx/a.conf", 0o640, False, set(), True),
        ("/etc/nginx/a.conf", 0o644, False, set(), False),
        ("/etc/nginx/tls.key", 0o600, True, set(), True),
        ("/etc/nginx/tls.key", 0o600, False, set(), True),
        ("/etc/nginx/tls.key", None, True, set(), False),
        ("/etc/nginx/tls.key", None, True, {"/etc/nginx/tls.key"}, True),
    ],
)
def test_what_others_could_not_read_is_not_shown_when_it_goes(
    dest: str, mode: int | None, stays: bool, secret: set[str], expected: bool
) -> None:
    before = None if mode is None else File(dest, b"x", "root", "root", mode)
    assert is_hidden(dest, before, stays, secret) is expected


@pytest.mark.parametrize(
    ("dest", "content", "secret", "expected"),
    [
        ("/a.conf", b"", False, "0644"),
        ("/a.conf", b"proxy_set_header Authorization abc;", False, "0640"),
        ("/page.html", b"proxy_set_header Authorization abc;", False, "0644"),
        ("/page.html", b"", True, "0600"),
        ("/etc/nginx/sites-enabled/app", b"location / { proxy_set_header Authorization abc; }\n", False, "0640"),
        ("/etc/nginx/tokens.map", b"named acme;", False, "0640"),
        ("/etc/nginx/htpasswd", b"ann:named", False, "0644"),
        ("/page.html", b"named", False, "0644"),
    ],
)
def test_what_holds_secrets_is_not_for_others(dest: str, content: bytes, secret: bool, expected: str) -> None:
    assert default_mode(dest, content, secret, lambda text: text.replace("named", "***")) == expected


def test_masks_know_what_is_in_the_files() -> None:
    def file(dest: str, text: str) -> File:
        return File(dest, text.encode(), "root", "root", 0o600)

    former = [file("/main", "stats auth admin:former\nuser x password stays\nmap k3y 1\n")]
    files = [
        file("/main", "stats auth admin:new-one\nmap named 1\n"),
        file("/key", "-----BEGIN KEY-----\nMIIE\n"),
        file("/snippet", "unheard_of thing;\n"),
        file("/page.txt", "password=page\n"),
    ]
    mask, mask_output = masks(["named"], "/main", {"/key", "/snippet"}, files, former)
    text = "k3y named former new-one stays MIIE thing page"
    assert mask(text) == "******** ******** ******** ******** ******** ******** thing page"
    assert mask_output(text) == "******** ******** ******** ******** ******** ******** ******** page"


def test_a_manifest_is_read_from_the_host(tmp_path: Path) -> None:
    manifest = tmp_path / "files"
    assert former_files(None) == former_files(str(manifest)) == []
    manifest.write_text("/srv/a\n/srv/b\n")
    assert former_files(str(manifest)) == ["/srv/a", "/srv/b"]
    manifest.write_text("/etc/nginx/nginx.conf\n")
    with pytest.raises(ValueError, match=r"the role did not write the line '/etc/nginx/nginx\.conf'; delete it"):
        former_files(str(manifest))

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.loaded import (
    Started,
    haproxy_files,
    haproxy_started,
    nginx_files,
    nginx_started,
    read_process,
    since_epoch,
)

MASTER = Started("nginx: master process", 100)


def worker(started: int, more: str = "") -> Started:
    return Started(f"nginx: worker process{more}", started)


STARTED = [
    ("after the start", [worker(101), worker(101)], 101, 101),
    ("after a reload", [worker(101, " is shutting down"), worker(500), worker(500)], 500, 500),
    ("a worker has died", [worker(500), worker(900)], 500, 900),
    ("without workers", [], 100, 100),
]


@pytest.mark.parametrize(
    ("children", "nginx", "haproxy"), [case[1:] for case in STARTED], ids=[case[0] for case in STARTED]
)
def test_started(children: list[Started], nginx: int, haproxy: int) -> None:
    assert nginx_started(MASTER, children) == nginx
    assert haproxy_started(MASTER, children) == haproxy


def test_a_process_and_its_time() -> None:
    process = read_process(os.getpid())
    assert process
    assert process.command == Path("/proc/self/cmdline").read_text()
    assert time.time() - 3600 < since_epoch(process.started) < time.time() + 1
    assert read_process(2**22 + 1) is None


def files(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("ROOT", str(folder)))


def test_nginx_files(tmp_path: Path) -> None:
    conf = """
load_module modules/m.so;
# include commented.conf;
http { include "mime.types"; include sites/*.conf; auth_basic_user_file htpasswd; access_log ROOT/access.log;
    ssl_certificate_key 'ROOT/b.key';
    proxy_ssl_trusted_certificate ca.pem;  # ssl_crl crl.pem;
    ssl_certificate $name.pem; include absent.conf; }
"""
    names = ("modules/m.so", "commented.conf", "mime.types", "htpasswd", "access.log", "b.key", "ca.pem", "crl.pem")
    files(tmp_path, {**dict.fromkeys(names, ""), "nginx.conf": conf, "sites/.hidden.conf": ""})
    files(
        tmp_path,
        {"sites/a.conf": "server { ssl_certificate a.pem; }", "a.pem": "", "sites/b.conf": "include nginx.conf;"},
    )
    found = nginx_files([f"nginx: master process /usr/sbin/nginx -c {tmp_path}/nginx.conf -g daemon on;", ""])
    assert sorted(os.path.relpath(path, tmp_path) for path in found) == [
        *("a.pem", "b.key", "ca.pem", "mime.types", "modules/m.so", "nginx.conf", "sites/a.conf", "sites/b.conf"),
    ]


BUILT: list[tuple[str, str, str]] = [
    ("/usr/sbin/nginx -g daemon on;", "configure arguments: --prefix=ROOT/share --conf-path=ROOT/a.conf", "a.conf"),
    ("ROOT/sbin/nginx", "configure arguments: --prefix=ROOT", "conf/nginx.conf"),
    ("ROOT/sbin/nginx -c conf/b.conf", "--prefix=ROOT --conf-path=ROOT/a.conf", "conf/b.conf"),
    ("nginx -p ROOT/own/ -c c.conf", "--prefix=ROOT", "own/c.conf"),
]


@pytest.mark.parametrize(("title", "build", "expected"), BUILT)
def test_where_nginx_has_its_configuration(tmp_path: Path, title: str, build: str, expected: str) -> None:
    files(tmp_path, dict.fromkeys(("a.conf", "conf/nginx.conf", "conf/b.conf", "own/c.conf"), ""))
    title, build = (text.replace("ROOT", str(tmp_path)) for text in (title, build))
    found = nginx_files([f"nginx: master process {title}", ""], build)
    assert [os.path.relpath(path, tmp_path) for path in found] == [expected]


def test_haproxy_files(tmp_path: Path) -> None:
    conf = """
global
    lua-load ROOT/x.lua
frontend a
    bind :443 ssl crt ROOT/certs crt 'ROOT/one.pem' ca-file ROOT/ca.pem
    bind :444 ssl crt ROOT/absent.pem # crt ROOT/other.pem
    errorfile 503 ROOT/503.http
    http-request deny if { src -f ROOT/list }
"""
    names = ("x.lua", "certs/a.pem", "one.pem", "ca.pem", "other.pem", "503.http", "list", "conf.d/notes")
    files(tmp_path, {**dict.fromkeys(names, ""), "haproxy.cfg": conf, "conf.d/b.cfg": ""})
    argv = ["/usr/sbin/haproxy", "-Ws", "-f", f"{tmp_path}/haproxy.cfg", "-f", f"{tmp_path}/conf.d", "-p", "/run/x", ""]
    assert [os.path.relpath(path, tmp_path) for path in haproxy_files(argv)] == [
        *("haproxy.cfg", "conf.d/b.cfg", "x.lua", "certs/a.pem", "one.pem", "ca.pem", "503.http"),
    ]

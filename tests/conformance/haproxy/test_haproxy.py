# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A haproxy.cfg that haproxy accepts keeps its meaning when it becomes the role's variables and they become a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from adopted import certificate, written
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import SECTIONS, parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.adopt import variables
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.findings import findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.tree import sections

from daemons import RELEASES, configuration, run

HERE = Path(__file__).parent
CASES = {path.stem: path for path in sorted(HERE.glob("*.cfg"))}
# Those that not every release knows.
ONLY = {"crt_store": ["13"]}
# What these name lies in /mnt, where the judge finds it.
BESIDE = {
    "400.http": "HTTP/1.0 400 Bad request\r\nConnection: close\r\n\r\n",
    "503.http": "HTTP/1.0 503 Service Unavailable\r\nConnection: close\r\n\r\n",
    "blocked.lst": "192.0.2.66\n",
    "crt.list": "/mnt/cert.pem [alpn h2] www.example.com\n",
    "hello.lua": 'core.register_action("hello", {"http-req"}, function(txn) end)\n'
    'core.register_service("answer", "http", function(applet) end)\n',
    "hosts.map": "www.example.com b\n",
    "spoe.conf": "[scan]\nspoe-agent scan\n    messages check\n    timeout hello 1s\n    timeout idle 1m\n"
    "    timeout processing 1s\n    use-backend agents\nspoe-message check\n    args ip=src\n"
    "    event on-client-session\n",
}
# What site sets where the inventory says nothing.
SITE: dict[str, Any] = {
    "haproxy_frontends": [{"name": "http", "bind": "*:80", "default_backend": "backends"}],
    "haproxy_backends": [{"name": "backends", "server": "web01 192.0.2.21:80"}],
    "haproxy_health_bind": "127.0.0.1:8099",
}
NOTHING: dict[str, Any] = {"global": {}, "defaults": {}, "sections": {}, "frontends": []}


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what the configurations name."""
    folder = tmp_path_factory.mktemp("haproxy")
    for name, text in BESIDE.items():
        (folder / name).write_text(text)
    pem = folder / "cert.pem"
    certificate(folder)
    pem.write_text((folder / "cert").read_text() + (folder / "key").read_text())
    return folder


def adopt(text: str) -> dict[str, Any]:
    """Return the variables that adopt writes for a single balancer."""
    return written(variables(parse(text)))


def site(adopted: dict[str, Any]) -> str:
    """Return the file that site writes with the variables, by which it must find nothing wrong."""
    role = yaml.safe_load((HERE.parents[2] / "roles/haproxy/defaults/main.yml").read_text())
    everything = {**role, **SITE, **adopted}
    assert not everything["haproxy_base"]
    assert [everything["haproxy_stats_bind"], everything["haproxy_health_bind"]] == ["", ""]
    settings = {name.partition("_")[2]: value for name, value in everything.items()}
    assert list(findings(settings, NOTHING, "/etc/haproxy/haproxy.cfg")) == []
    return render(sections(settings, NOTHING))


def accepts(release: str, folder: Path, text: str) -> tuple[bool, str]:
    """Return whether haproxy accepts the text, and what it says."""
    (folder / "haproxy.cfg").write_text(text, encoding="utf-8", newline="")
    said = run(release, folder, "haproxy", "-c", "-f", "/mnt/haproxy.cfg")
    return said.returncode == 0 or "no listener" in said.stdout, said.stdout


def dump_of(folder: Path, text: str) -> str:
    """Return the words that haproxy reads in the text; Debian 12's cannot show them."""
    (folder / "haproxy.cfg").write_text(text, encoding="utf-8", newline="")
    return run("13", folder, "haproxy", "-c", "-dC", "-f", "/mnt/haproxy.cfg").stdout


def dumped(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the headers of the sections in haproxy's dump, and their lines."""
    header: list[str] = []
    lines: list[str] = []
    for line in text.partition("Configuration file")[0].split("\n"):
        if line.split(" ")[0] in SECTIONS:
            yield header, lines
            header, lines = line.split(), []
        elif line.strip():
            lines.append(line.strip(" "))
    yield header, lines


def meaning(text: str) -> list[Any]:
    """Return what a dump says: each section with the lines of its defaults. Only the place of global counts."""
    found: list[Any] = []
    before: list[str] = []
    named: dict[str, list[str]] = {}
    for index, (header, lines) in enumerate(dumped(text)):
        kind = "".join(header[:1])
        source = named[header[3]] if header[2:3] == ["from"] else None
        if kind == "defaults":
            before = [*(source or []), *lines]
            named["".join(header[1:2])] = before
        elif kind in ("frontend", "backend", "listen"):
            found.append((header[:2], before if source is None else source, lines))
        else:
            found.append((header, [str(index)] if kind == "global" else [], lines))
    return sorted(found)


@pytest.mark.parametrize(
    ("name", "release"),
    [(name, release) for name in CASES for release in RELEASES if release in ONLY.get(name, RELEASES)],
)
def test_meaning(name: str, release: str, beside: Path) -> None:
    text = configuration(CASES[name])
    accepted, said = accepts(release, beside, text)
    assert accepted, said
    again = site(adopt(text))
    accepted_again, said_again = accepts(release, beside, again)
    assert accepted_again, f"{again}\n{said_again}"
    assert meaning(dump_of(beside, again)) == meaning(dump_of(beside, text))

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""An nginx.conf that nginx accepts keeps its meaning when it becomes the role's variables and they become a file."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import crossplane
import pytest
from adopted import certificate, written
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.adopt import variables
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.findings import findings
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import parse
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.tree import NOTHING, tree

from daemons import RELEASES, behind_walls, configuration, run

HERE = Path(__file__).parent
CASES = {path.stem: path for path in sorted(HERE.glob("*.conf"))}
# What these include lies in /mnt, where the judge finds it.
BESIDE = {
    "events.inc": "events { worker_connections 64; }\n",
    "geo.inc": "192.0.2.0/24 DE;\n",
    "headers.inc": "add_header X-Included yes;\n",
    "hello.lua": "ngx.say('hello')\n",
    "htpasswd": "user:{PLAIN}password\n",
    "http.inc": "http { server { listen 80; } }\n",
    "location.inc": "location /included { return 200 included; }\n",
    "location2.inc": "location /included2 { return 200 included2; }\n",
    "map.inc": "included value;\n",
    "map_block.inc": "map $uri $included { default 1; }\n",
    "server.inc": "server { listen 80; server_name included; }\n",
}
# What site sets where the inventory says nothing, and the role.
SITE: dict[str, Any] = {
    "nginx_base": True,
    "nginx_proxy_headers": True,
    "nginx_health_listen": "127.0.0.1:8099",
    "nginx_upstreams": [{"name": "backends", "server": ["192.0.2.21:80"]}],
    "nginx_servers": [{"listen": "80 default_server", "location /": {"proxy_pass": "http://backends"}}],
}
NO_DEFAULTS: dict[str, Any] = {"main": {}, "events": {}, "http": {}, "upstream": {}, "servers": []}
# Where crossplane differs from nginx: it takes form feeds, U+0085 and U+00A0 for blanks, a carriage return for a line
# feed, and a brace in a word, or in a comment of Lua, for the end of a block.
NOT_FOR_CROSSPLANE = ("brace_in_words", "carriage_returns", "control_characters", "lua", "separators")
LISTEN = re.compile(r"\blisten\s+80;")


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what the configurations include."""
    folder = tmp_path_factory.mktemp("nginx")
    for name, text in BESIDE.items():
        (folder / name).write_text(text)
    certificate(folder)
    return folder


def adopt(text: str) -> dict[str, Any]:
    """Return the variables that adopt writes for a single balancer."""
    return written(variables(parse(text)))


def site(adopted: dict[str, Any]) -> str:
    """Return the file that site writes with the variables, by which it must find nothing wrong."""
    everything = {**SITE, **adopted}
    assert [everything[f"nginx_{name}"] for name in ("base", "proxy_headers", "health_listen")] == [
        False,
        False,
        "",
    ]
    settings = {**NOTHING, **{name.partition("_")[2]: value for name, value in everything.items()}}
    assert list(findings(settings, "/etc/nginx/nginx.conf")) == []
    return render(tree(settings, NO_DEFAULTS))


def accepts(release: str, folder: Path, text: str) -> tuple[bool, str]:
    """Return whether nginx accepts the text, and what it says."""
    (folder / "nginx.conf").write_text(text, encoding="utf-8", newline="")
    said = run(release, folder, "nginx", "-t", "-e", "stderr", "-c", "/mnt/nginx.conf")
    return said.returncode == 0, said.stdout


def read_by_crossplane(folder: Path, text: str) -> list[Any]:
    """Return what another parser reads, with the blocks in an order of our own where theirs does not count."""
    path = folder / "crossplane.conf"
    path.write_text(text, encoding="utf-8", newline="")
    found = crossplane.parse(str(path), single=True, check_ctx=False, check_args=False)
    assert found["errors"] == []
    return in_order(statements(found["config"][0]["parsed"]))


def statements(block: list[dict[str, Any]]) -> list[Any]:
    """Return the words of each directive as nginx reads them; crossplane leaves escapes as they are."""
    return [
        ([one["directive"], *map(unescaped, one["args"])], statements(one["block"]) if "block" in one else None)
        for one in block
        if one["directive"] != "#"
    ]


def unescaped(word: str) -> str:
    """Return the word without its escapes; nginx knows these and no others."""
    letters = {"t": "\t", "n": "\n", "r": "\r"}
    return re.sub(r"""\\([\\"'tnr])""", lambda found: letters.get(found[1], found[1]), word)


def in_order(main: list[Any]) -> list[Any]:
    """Return the statements with contexts last, in http with upstreams by name and servers last, without empty ones."""
    contexts = {"events", "http", "stream"}
    found = [one for one in main if one[0][0] not in contexts]
    for words, body in sorted(one for one in main if one[0][0] in contexts):
        if words == ["http"]:
            groups = sorted(one for one in body if one[0][0] == "upstream")
            servers = [one for one in body if one[0][0] in ("server", "include")]
            others = [one for one in body if one[0][0] not in ("server", "upstream")]
            body = [*others, *groups, *servers]
        if body or words == ["events"]:
            found.append((words, body))
    return found


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", CASES)
def test_meaning(name: str, release: str, beside: Path) -> None:
    text = configuration(CASES[name])
    accepted, said = accepts(release, beside, text)
    assert accepted, said
    again = site(adopt(text))
    accepted_again, said_again = accepts(release, beside, again)
    assert accepted_again, f"{again}\n{said_again}"
    if name not in NOT_FOR_CROSSPLANE:
        assert read_by_crossplane(beside, again) == read_by_crossplane(beside, text)
    if LISTEN.search(text):
        paths = sorted({*re.findall(r"/[\w%.-]*", text), "/x.html?a=1&x=2"})
        assert answers(release, beside, again, paths) == answers(release, beside, text, paths)


def answers(release: str, folder: Path, text: str, paths: list[str]) -> list[Any]:
    """Return status, headers and content of what an nginx with this configuration answers to requests for the paths."""
    (folder / "nginx.conf").write_text(LISTEN.sub("listen unix:/mnt/socket;", text), encoding="utf-8", newline="")
    (folder / "socket").unlink(missing_ok=True)
    command = behind_walls(release, folder, "nginx", "-e", "stderr", "-g", "daemon off;", "-c", "/mnt/nginx.conf")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as nginx:
        try:
            wait_for(nginx, folder / "socket")
            return [answer(folder / "socket", path) for path in paths]
        finally:
            nginx.kill()


def wait_for(nginx: subprocess.Popen[bytes], path: Path) -> None:
    """Wait until nginx accepts connections."""
    deadline = time.monotonic() + 20
    while True:
        try:
            connect(path).close()
        except OSError:
            assert nginx.poll() is None, "nginx does not start"
            assert time.monotonic() < deadline, "nginx does not listen"
            time.sleep(0.01)
        else:
            return


def connect(path: Path) -> socket.socket:
    """Return a connection to the socket at the path."""
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(10)
    made.connect(str(path))
    return made


def answer(path: Path, target: str) -> Any:
    """Return status, headers and content of one answer."""
    connection = http.client.HTTPConnection("www.example.com")
    connection.sock = connect(path)
    try:
        connection.request("GET", quote(target, safe="%/?=&"))
        response = connection.getresponse()
        headers = [header for header in response.getheaders() if header[0] not in ("Date", "Set-Cookie")]
        return target, response.status, headers, response.read()
    finally:
        connection.close()

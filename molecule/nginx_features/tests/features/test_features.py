# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The effects of the nginx role's switches, tested on running balancers."""

from __future__ import annotations

import random
import re
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

from keeping import check_kept_connections
from nodes import BACKENDS, CLIENT, eventually, inventory_balancers

if TYPE_CHECKING:
    from nodes import Lab

WWW = "www.example.test"
PAGE = 'Back soon, for $5; "really" {1}'


class Answer(NamedTuple):
    """An HTTP response; the headers' names are in lower case."""

    status: int
    headers: dict[str, str]
    body: str


def ask(lab: Lab, url: str, *options: str, balancer: str = "lb01", asker: str = CLIENT) -> Answer:
    """Request a URL from a balancer, whatever its host name resolves to, and read the whole response."""
    address = inventory_balancers(lab.inventory)[balancer]["backend_address"]
    connect = ["--connect-to", f"::{address}:"]
    command = ["curl", "--silent", "--show-error", "--insecure", "--include", "--max-time", "10", *connect, *options]
    text = lab.nodes[asker].check_output(" ".join(["%s"] * (len(command) + 1)), *command, url)
    head, _blank, body = text.partition("\r\n\r\n" if "\r\n\r\n" in text else "\n\n")
    first, *fields = head.splitlines()
    return Answer(
        int(first.split()[1]),
        {name.lower(): value.strip() for name, _colon, value in (field.partition(":") for field in fields)},
        body,
    )


@pytest.fixture(params=["lb01", "lb02"])
def balancer(request: pytest.FixtureRequest) -> str:
    """Each balancer; the second has a vendor's nginx."""
    return str(request.param)


def test_nginx_comes_from_where_it_should(lab: Lab) -> None:
    versions = {
        name: lab.nodes[name].check_output("dpkg-query --show --showformat='${Version}' nginx")
        for name in lab.balancers
    }
    assert versions["lb02"] == versions["lb01"] + "+haproof1"


def test_other_names_are_redirected_to_the_canonical_one_in_one_step(lab: Lab) -> None:
    for url, target in (
        ("http://example.test/a?b=c", "https://www.example.test/a?b=c"),
        ("https://example.test/a?b=c", "https://www.example.test/a?b=c"),
        ("http://other.example.test/", "https://www.example.test/"),
        ("http://www.example.test/a", "https://www.example.test/a"),
    ):
        answer = ask(lab, url)
        assert (answer.status, answer.headers["location"]) == (301, target)


def test_tls(lab: Lab, balancer: str) -> None:
    answer = ask(lab, f"https://{WWW}/", balancer=balancer)
    assert answer.status == 200
    assert answer.body.strip() in BACKENDS
    assert answer.headers["strict-transport-security"] == "max-age=63072000"
    assert "strict-transport-security" not in ask(lab, "http://echo.example.test/", balancer=balancer).headers


def test_old_tls_is_rejected(lab: Lab) -> None:
    # Make curl's library offer the old TLS versions, which are disabled by default.
    old = ("--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0")
    with pytest.raises(AssertionError, match=r"rc=35|exit_status=35|35"):
        ask(lab, f"https://{WWW}/", *old)
    assert ask(lab, f"https://{WWW}/", "--tls-max", "1.2").status == 200


def test_http2(lab: Lab) -> None:
    version = "%{http_version}"
    answer = ask(lab, f"https://{WWW}/", "--http2", "--write-out", version)
    assert answer.body.endswith("2")


def test_headers_reach_the_backend_even_if_a_location_has_its_own(lab: Lab) -> None:
    answer = ask(lab, f"https://{WWW}/own/", "--http1.1")
    client = lab.nodes[CLIENT].check_output("hostname -I").split()
    sent = dict(word.split("=", 1) for word in answer.body.split())
    assert sent["ip"] in client
    assert sent == {
        "host": WWW,
        "ip": sent["ip"],
        "proto": "https",
        "connection": "",
        "upgrade": "",
        "own": "mine",
    }
    assert answer.headers["x-own"] == "mine"
    assert answer.headers["strict-transport-security"] == "max-age=63072000"


def test_websocket_upgrade(lab: Lab) -> None:
    upgrade = ("--http1.1", "--header", "Connection: keep-alive, Upgrade", "--header", "Upgrade: websocket")
    assert " connection=upgrade upgrade=websocket " in ask(lab, "http://echo.example.test/", *upgrade).body
    assert " connection= upgrade= " in ask(lab, "http://echo.example.test/").body


def test_connections_to_backends_are_kept_and_only_repeatable_requests_retried(lab: Lab) -> None:
    address = inventory_balancers(lab.inventory)["lb01"]["backend_address"]
    check_kept_connections(lab, address, "kept.example.test")


def test_client_address_comes_only_from_trusted_proxies(lab: Lab) -> None:
    forwarded = ("--header", "X-Forwarded-For: 203.0.113.9")
    assert " ip=203.0.113.9 " in ask(lab, "http://echo.example.test/", *forwarded).body
    assert " ip=203.0.113.9 " not in ask(lab, "http://echo.example.test/", *forwarded, asker="lb02").body


def test_static_files(lab: Lab) -> None:
    answer = ask(lab, f"https://{WWW}/logo.png")
    assert (answer.status, answer.body) == (200, "not really a picture")
    assert answer.headers["cache-control"] == "max-age=604800"
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["strict-transport-security"] == "max-age=63072000"
    # Not from this server: it forwards to its backends, which lack the file.
    assert ask(lab, "http://cached.example.test/logo.png").status == 404


@pytest.mark.parametrize(
    ("referer", "status"),
    [
        ("", 200),
        ("https://www.example.test/page", 200),
        ("https://friend.example.test/", 200),
        ("https://thief.example.org/", 403),
    ],
)
def test_hotlinks(lab: Lab, referer: str, status: int) -> None:
    assert ask(lab, f"https://{WWW}/logo.png", "--referer", referer).status == status
    assert ask(lab, f"https://{WWW}/", "--referer", referer).status == 200


def test_gzip(lab: Lab) -> None:
    for backend in BACKENDS:
        lab.nodes[backend].check_output("head -c 5000 /dev/zero | tr '\\0' a >/srv/www/long.html")
    count = ("--output", "/dev/null", "--dump-header", "-", "--write-out", "%{size_download}")
    plain = ask(lab, "http://cached.example.test/long.html", *count)
    zipped = ask(lab, "http://cached.example.test/long.html", *count, "--header", "Accept-Encoding: gzip")
    assert (plain.body, plain.headers.get("content-encoding")) == ("5000", None)
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.headers["vary"] == "Accept-Encoding"
    assert int(zipped.body) < 500


def test_flood_is_limited_and_others_are_not(lab: Lab) -> None:
    node = lab.nodes["lb01"]
    # A new address for each run, since the zone has state.
    source = "127." + ".".join(str(random.randint(1, 254)) for _dummy in range(3))  # noqa: S311 - no secret
    flood = (
        "seq 16 | xargs -P 16 -I {} curl --silent --output /dev/null --write-out '%{http_code}\\n' --interface "
        f"{source} --resolve limited.example.test:80:127.0.0.1 http://limited.example.test/"
    )
    codes = node.check_output(flood).split()
    # One at once and three more; one per minute may have been added meanwhile.
    assert sorted(codes)[:4] == ["200"] * 4
    assert codes.count("429") >= 11
    assert len(codes) == 16
    assert ask(lab, "http://limited.example.test/").status == 200 or ask(lab, "http://echo.example.test/").status == 200


def test_stream_selects_by_tls_server_name(lab: Lab) -> None:
    assert ask(lab, f"https://{WWW}:8443/").body.strip() in BACKENDS
    with pytest.raises(AssertionError):
        ask(lab, "https://other.example.test:8443/")


def test_nginx_answers_a_missing_page_and_a_missing_backend(lab: Lab) -> None:
    answer = ask(lab, "http://echo.example.test/nowhere")
    assert (answer.status, answer.body) == (503, PAGE)
    assert answer.headers["retry-after"] == "30"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/plain"
    assert ask(lab, "http://echo.example.test/nowhere", "--data", "a=b").status == 503
    assert ask(lab, "http://echo.example.test/lost").status == 503
    # Clients cannot request it.
    assert ask(lab, "http://cached.example.test/haproof-degraded.html").status == 404


def test_cached_page_survives_all_backends_and_others_get_the_fallback(lab: Lab) -> None:
    cached = ask(lab, "http://cached.example.test/")
    assert cached.status == 200
    with ExitStack() as stack:
        for backend in BACKENDS:
            stack.enter_context(lab.stopped(backend, "nginx"))
        kept = time.monotonic() + 1.2
        assert eventually(lambda: time.monotonic() > kept, within_s=5)
        assert ask(lab, "http://cached.example.test/")[::2] == cached[::2]
        assert ask(lab, "http://cached.example.test/other")[::2] == (503, PAGE)
        assert ask(lab, f"https://{WWW}/")[::2] == (503, PAGE)
    assert eventually(lambda: ask(lab, f"https://{WWW}/").status == 200, within_s=15)


def test_restart_under_hardening(lab: Lab, balancer: str) -> None:
    node = lab.nodes[balancer]
    node.check_output("systemctl restart nginx")
    assert ask(lab, f"https://{WWW}/", balancer=balancer).status == 200
    pid = node.check_output("systemctl show --property=MainPID --value nginx")
    assert "NoNewPrivs:\t1" in node.check_output("cat /proc/%s/status", pid)
    exposure = node.check_output("systemd-analyze security nginx | tail -1")
    assert float(re.findall(r"\d+\.\d", exposure)[-1]) <= 3.5, exposure
    # Its log is in a directory that systemd makes read-only by default.
    mark = f"/mark-{random.random()}"  # noqa: S311 - no secret
    ask(lab, f"http://echo.example.test{mark}", balancer=balancer)
    assert eventually(lambda: node.run("grep -F %s /usr/local/logs/access.log", mark).rc == 0, within_s=5)
    limits = node.check_output("grep 'open files' /proc/%s/limits", pid)
    assert limits.split()[-2] == "16384"


def test_only_root_can_read_the_key(lab: Lab) -> None:
    key = lab.nodes["lb01"].file("/etc/nginx/tls/www.key")
    assert (key.user, key.group, key.mode) == ("root", "root", 0o600)

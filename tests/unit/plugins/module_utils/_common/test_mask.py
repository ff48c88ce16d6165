# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
import time
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import Mask, replaced_secrets
from hypothesis import given
from hypothesis import strategies as st

# secrets, a text, and what is shown of it
CASES: list[tuple[list[str], str, str]] = [
    ([], "auth_pass s3cret", "auth_pass s3cret"),
    (["", " \n"], "nothing is hidden", "nothing is hidden"),
    (["s3cret-word"], "a-s3cret-word-b", "a-********-b"),
    # A short one only as a whole word.
    (
        ["abc"],
        "auth_pass abc\nabcd abc_ xabc 'abc' \\nabc.",
        "auth_pass ********\nabcd abc_ xabc '********' \\n********.",
    ),
    (["on"], "daemon on;", "daemon ********;"),
    (["p!"], "p!x ap!", "********x ap!"),
    # The longer one first.
    (["token-one", "token-one-two"], "token-one-two token-one", "******** ********"),
    # Line by line.
    (
        ["-----BEGIN KEY-----\nMIIabc/1+\n}\nMIIdef==\n-----END KEY-----\n"],
        "-----BEGIN KEY-----\nMIIdef== } MIIabc/1+",
        "-----BEGIN KEY-----\n******** } ********",
    ),
    (["one line\nanother one"], "  one line\n    another one\n", "  ********\n"),
    (
        ['Bearer "k\\x"'],
        'proxy_set_header Authorization "Bearer \\"k\\\\x\\"";',
        'proxy_set_header Authorization "********";',
    ),
    (['Bearer "k\\x"'], 'hdr Authorization Bearer\\ \\"k\\\\x\\"', "hdr Authorization ********"),
    (["päss wörd"], "said p\\u00e4ss w\\u00f6rd and P%C3%A4", "said ******** and P%C3%A4"),
    (["p/ss:wörd"], "http://me:p%2fss%3Aw%c3%b6rd@host/", "http://me:********@host/"),
    (["🔑key-word"], '"\\ud83d\\udd11key-word" %F0%9F%94%91key-word', '"********" ********'),
]


@pytest.mark.parametrize(("secrets", "text", "expected"), CASES)
def test_secrets_are_replaced(secrets: list[str], text: str, expected: str) -> None:
    assert Mask(secrets)(text) == expected


# former text of a file, new text with the secret "new-one", and the secrets that it replaces
REPLACED: list[tuple[str, str, list[str]]] = [
    ("a old-one;\n", "a new-one;\n", ["old-one"]),
    ("  map k3y 1;\n  b on;\n", "  map new-one 1;\n  b off;\n", ["k3y"]),
    ("a old new-one x;\n", "a new-one, new-one;\n", ["old new-one x"]),
    ("a old-one;\na 1;\n", "a new-one;\na 1;\n", ["old-one"]),
    ("old-one\n", "new-one\n", []),
    ("b old-one;\n", "a new-one;\n", []),
    ("", "a new-one;\n", []),
]


@pytest.mark.parametrize(("former", "new", "expected"), REPLACED)
def test_secrets_that_are_replaced(former: str, new: str, expected: list[str]) -> None:
    assert list(replaced_secrets(Mask(["new-one"]), former, new)) == expected


@given(st.text(st.characters(exclude_categories=["Cc"], include_characters="\n\t"), min_size=1, max_size=20))
def test_every_spelling_is_found(drawn: str) -> None:
    secret = f"a{drawn}z"
    daemon = re.sub(r'(["\\ ])', r"\\\1", secret)
    escaped = secret.encode("utf-8", errors="surrogatepass")
    for spelling in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], daemon):
        assert Mask([secret])(f"<{spelling}>") == "<********>"
    for spelling in (quote(escaped, safe=""), quote_plus(escaped)):
        assert Mask([secret])(f"<{spelling}>") == "<********>"


def test_a_large_key_in_a_large_text_takes_no_time() -> None:
    started = time.monotonic()
    Mask(["\n".join(f"MIIE{line:060x}" for line in range(200))])("proxy_pass http://backend;\n" * 20_000)
    Mask(["\\" * 40 + "\n" * 40 + "x"])(("\\" * 400 + "\n" * 400) * 10)
    assert time.monotonic() - started < 5

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any text is allowed in a document, and stays text."""

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.markup import (
    add,
    child,
    clean,
    element,
    html,
    xml,
)
from hypothesis import given
from hypothesis import strategies as st

from .._drill.drill_reports import parsed


def test_element() -> None:
    made = element("p", "a", element("b", "<&>"), "c", class_="x", aria_label='"', data_none=None, width=1.5, y=2.0)
    add(made, None, " d")
    child(made, "i", "e", id="f")
    assert html(made) == (
        '<!doctype html>\n<p class="x" aria-label="&quot;" width="1.5" y="2">'
        'a<b>&lt;&amp;&gt;</b>c d<i id="f">e</i></p>\n'
    )


@given(st.text(st.characters()))
def test_any_text_survives_xml(text: str) -> None:
    read = parsed(xml(element("a", text, b=text)))
    assert (read.text or "") == clean(text).replace("\r\n", "\n").replace("\r", "\n")
    assert read.get("b") == clean(text)


def test_forbidden_characters() -> None:
    assert clean("a\x00\x1b\x9f\ud800\uffff\tü\U0001f600") == "a\ufffd\ufffd\ufffd\ufffd\ufffd\tü\U0001f600"

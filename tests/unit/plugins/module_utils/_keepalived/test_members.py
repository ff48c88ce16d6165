# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host remembers of its cluster, and who has left it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.members import former, parse, text_of, valid

PAIR = {"lb01": ["192.0.2.11"], "lb02": ["192.0.2.12"]}
THREE = {**PAIR, "lb03": ["192.0.2.13", "fe80::13"]}


def test_the_file_is_read_as_it_was_written() -> None:
    assert text_of({}) == ""
    assert text_of(PAIR) == text_of(dict(reversed(PAIR.items()))) == '{"lb01": ["192.0.2.11"], "lb02": ["192.0.2.12"]}'
    assert parse(text_of(THREE)) == THREE


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_a_damaged_file_has_no_members(text: str) -> None:
    assert parse(text) == {}


def test_data_of_another_form_is_left_out() -> None:
    assert valid({"lb01": [1, "::1"], "lb02": "no", 3: []}) == {"lb01": ["1", "::1"], "3": []}
    assert valid(None) == {}


@pytest.mark.parametrize(
    ("present", "managed", "left"),
    [
        (THREE, [], {}),
        (PAIR, [], {"lb03": THREE["lb03"]}),
        # Renamed, or replaced by a host with its address.
        ({**PAIR, "gamma": ["fe80::13"]}, [], {}),
        # It has joined another cluster.
        (PAIR, ["lb03"], {}),
    ],
)
def test_who_has_left(present: dict[str, Any], managed: list[str], left: dict[str, Any]) -> None:
    assert former(THREE, present, managed) == left

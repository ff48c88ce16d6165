# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""CI systems get each fault as a test case, whatever its texts are."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.markup import clean
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.junit import junit
from hypothesis import given
from hypothesis import strategies as st

from .drill_reports import HOSTILE, disturbed, hostile, parsed, report


def suite() -> Element:
    found = parsed(junit(report())).find("testsuite")
    assert found is not None
    return found


def case(fault: str) -> Element:
    found = suite().find(f"testcase[@name='{fault}']")
    assert found is not None
    return found


def properties(of: Element) -> dict[str, str]:
    return {item.attrib["name"]: item.attrib["value"] for item in of.iterfind("properties/property")}


def test_totals() -> None:
    found = suite().attrib
    assert (found["tests"], found["failures"], found["errors"], found["skipped"]) == ("9", "2", "0", "1")
    assert (found["timestamp"], found["time"]) == ("2026-03-02T09:14:03Z", "310.368")
    assert properties(suite())["balancers"] == "lb01, lb02"


def test_pass() -> None:
    found = case("keepalived_stop")
    assert found.attrib == {"classname": "drill.keepalived", "name": "keepalived_stop", "time": "9.400"}
    assert [part.tag for part in found] == ["properties"]
    told = properties(found)
    assert (told["outage_s.worst"], told["expected.bound_s"], told["takeover_s.median"]) == ("0", "0.0223", "0.0115")
    assert told["resolution_s"] == "0.0127"
    assert not {"alarm_s.median", "retried", "unproven"} & set(told)


def test_fail() -> None:
    failure = case("vrrp_block").find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "the alarm came after 7.31 s, the objective is 5.00 s"
    assert (failure.text or "").splitlines()[1] == "after healing 198.18.0.10 was on lb01 and lb02 for 2.20 s"


def test_disturbed_is_an_error_and_no_failure() -> None:
    told = report()
    told["drills"] = [disturbed(drill) if drill["verdict"] == "fail" else drill for drill in told["drills"]]
    found = parsed(junit(told)).find("testsuite")
    assert found is not None
    assert (found.attrib["failures"], found.attrib["errors"]) == ("0", "2")
    errors = [one.attrib for one in found.iter("error")]
    assert errors == [{"message": "for 300 ms client made no request", "type": "disturbed"}] * 2
    case_of = found.find("testcase[@name='vrrp_block']")
    assert case_of is not None
    told_of = properties(case_of)
    assert (told_of["retried"], told_of["unproven"]) == ("the prober died", "it is behind a NAT")


def test_skip() -> None:
    found = case("node_power_off")
    skipped = found.find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"].startswith("lb01 is a container")
    assert found.attrib["time"] == "0.000"


@pytest.mark.parametrize("text", [HOSTILE, "", "\r\n\t", "]]>"])
def test_hostile_texts(text: str) -> None:
    root = parsed(junit(hostile(report(), text)))
    messages = {failure.attrib["message"] for failure in root.iter("failure")}
    assert messages == {clean(text)}


@given(st.text(st.characters()))
def test_any_text(text: str) -> None:
    parsed(junit(hostile(report(), text)))

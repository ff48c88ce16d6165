# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts that vip_info adds to its helpers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import AddressError, read_addresses
from ansible_collections.haproof.balancer.plugins.modules import vip_info


def test_vip_problems_name_each_value() -> None:
    assert vip_info.vip_problems(["198.18.0.10/24", "lb", "198.18.0.10/99"]) == [
        "vips[1]: 'lb' is not an IP address",
        "vips[2]: '198.18.0.10/99' is not an IP address",
    ]


def test_ip_that_fails_is_named() -> None:
    with pytest.raises(AddressError, match="ip -json address failed with exit code 255: no netlink"):
        read_addresses(lambda _argv: (255, "", "no netlink\n"))


def test_a_stopped_keepalived_is_not_an_error(tmp_path: Path) -> None:
    def run(_argv: list[str]) -> tuple[int, str, str]:
        raise AssertionError("nothing to ask")

    assert vip_info.read_vrrp(run, str(tmp_path / "none.pid"), 1.0, True) == {
        "keepalived": {"running": False, "pid": None, "version": None},
        "instances": [],
    }


IP = '[{"ifname": "eth1", "addr_info": [{"local": "198.18.0.10", "prefixlen": 24}]}]'


def test_observe_without_keepalived() -> None:
    vips = ["198.18.0.10/24", "198.18.0.9"]
    info = vip_info.observe(lambda _argv: (0, IP, ""), vips, None, 1.0, True, "/nonexistent")
    assert (info["alarms"], info["watched"]) == ([], False)
    assert info["boot"]
    assert info["holds"] == ["198.18.0.10/24"]
    assert info["roles"] == {"198.18.0.10/24": "holder", "198.18.0.9": "standby"}
    assert info["instances"] == []
    assert "keepalived" not in info


class Host:
    """Holds the VIP from the third poll on; records whether keepalived was queried."""

    def __init__(self) -> None:
        self.asked: list[bool] = []

    def look(self, ask: bool) -> dict[str, Any]:
        self.asked.append(ask)
        return {"roles": {"198.18.0.10": "holder" if len(self.asked) > 2 else "standby"}}


def test_keepalived_is_asked_only_when_the_kernel_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vip_info, "POLL_S", 0.001)
    host = Host()
    assert vip_info.wait(host.look, "holder", 5.0, ask=True)["roles"] == {"198.18.0.10": "holder"}
    assert host.asked == [False, False, False, True]


def test_waiting_ends_with_what_there_is() -> None:
    host = Host()
    start = time.monotonic()
    assert vip_info.wait(host.look, "unheard of", 0.05, ask=True)["roles"] == {"198.18.0.10": "standby"}
    assert time.monotonic() - start < 2


def test_without_waiting_one_look_is_enough() -> None:
    host = Host()
    vip_info.wait(host.look, None, 5.0, ask=True)
    assert host.asked == [True]


@pytest.mark.parametrize(
    ("roles", "wanted", "expected"),
    [
        (["holder"], "holder", True),
        (["holder", "standby"], "holder", False),
        (["holder", "standby"], "settled", True),
        (["unready"], "settled", False),
        (["standby"], "standby", True),
    ],
)
def test_reached(roles: list[str], wanted: str, expected: bool) -> None:
    assert (
        vip_info.reached({"roles": {str(number): role for number, role in enumerate(roles)}}, wanted, False) is expected
    )


@pytest.mark.parametrize(
    ("alarms", "quiet", "expected"), [([], True, True), (["x"], False, True), (["x"], True, False)]
)
def test_a_raised_alarm_is_waited_for_when_asked(alarms: list[str], quiet: bool, expected: bool) -> None:
    info = {"roles": {"198.18.0.10": "standby"}, "alarms": alarms}
    assert vip_info.reached(info, "settled", quiet) is expected


def test_alarms_are_those_that_are_raised(tmp_path: Path) -> None:
    line = 'haproof_vip_finding{instance_name="VI",vip="198.18.0.%d",vrid="1",finding="split_brain"} %d\n'
    (tmp_path / "metrics").write_text(line % (10, 1) + line % (11, 0))
    info = vip_info.observe(lambda _argv: (0, IP, ""), [], None, 1.0, True, str(tmp_path / "metrics"))
    assert info["alarms"] == [{"vip": "198.18.0.10", "finding": "split_brain"}]
    assert info["watched"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"vip": "192.0.2.10", "state": "holder", "problem": null}]', [{"vip": "192.0.2.10", "problem": None}]),
        ('[{"vip": "192.0.2.10", "problem": "why"}]', [{"vip": "192.0.2.10", "problem": "why"}]),
        (None, []),
        ("[{", []),
        ('[{"vip": "192.0.2.10"}]', []),
        ("3", []),
    ],
)
def test_the_hand_over_is_read_from_its_service(
    text: str | None, expected: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(vip_info, "HANDOVER", str(path))
    monkeypatch.setattr(vip_info, "HANDOVER_CONFIG", str(tmp_path / "none"))
    assert vip_info.read_handover() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"vips": [{"address": "192.0.2.10"}], "left_out": {"192.0.2.20": "it is on a VMAC\'s interface"}}',
            [
                {"vip": "192.0.2.10", "problem": "keepalived-handover does not run"},
                {"vip": "192.0.2.20", "problem": "it is on a VMAC's interface"},
            ],
        ),
        ('{"vips": [], "left_out": []}', []),
        ("[]", []),
    ],
)
def test_without_its_service_the_hand_over_is_read_from_its_configuration(
    text: str, expected: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "handover.json").write_text(text)
    monkeypatch.setattr(vip_info, "HANDOVER", str(tmp_path / "none"))
    monkeypatch.setattr(vip_info, "HANDOVER_CONFIG", str(tmp_path / "handover.json"))
    assert vip_info.read_handover() == expected

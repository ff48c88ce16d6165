# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Invariants of the balancers, whoever has a VIP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodes import BACKENDS, eventually

if TYPE_CHECKING:
    from nodes import Lab


def test_one_balancer_has_the_vip(lab: Lab, vip: str) -> None:
    assert eventually(lambda: len(lab.holders(vip)) == 1, within_s=10), lab.holders(vip)


def test_one_mac_answers_for_the_vip(lab: Lab, vip: str) -> None:
    answering = lab.answering_macs(vip)
    assert answering == lab.holder_macs(vip)
    assert len(answering) == 1


def test_requests_reach_every_backend(lab: Lab, vip: str) -> None:
    bodies = lab.answers(requests=10, vip=vip)
    for backend in BACKENDS:
        assert any(backend in body for body in bodies), bodies

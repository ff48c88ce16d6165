# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pair without a firewall is vulnerable, which also proves that the forged adverts of the other tests are valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodes import eventually

if TYPE_CHECKING:
    from nodes import Lab


def test_a_foreign_host_takes_the_vip_away(lab: Lab) -> None:
    lab.forge_adverts()
    assert eventually(lambda: lab.holders() == [], within_s=2), lab.holders()


def test_the_vip_comes_back(lab: Lab) -> None:
    assert eventually(lambda: lab.holders() == ["lb01"], within_s=10), lab.holders()

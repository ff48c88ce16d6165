# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pair while the owner is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nodes import eventually

if TYPE_CHECKING:
    from nodes import Lab


def test_the_standby_has_the_vip(lab: Lab) -> None:
    assert eventually(lambda: lab.holders() == ["lb02"], within_s=10), lab.holders()

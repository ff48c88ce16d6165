# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The balancers in steady state, before a fault and after it is healed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nodes import BACKENDS, eventually

if TYPE_CHECKING:
    from nodes import Lab


def test_the_owner_has_the_vip(lab: Lab, vip: str) -> None:
    assert eventually(lambda: lab.holders(vip) == [lab.owners[vip]], within_s=10), lab.holders(vip)


@pytest.mark.parametrize("unit", ["keepalived", "engine"])
def test_balancers_run_keepalived_and_their_engine(lab: Lab, unit: str) -> None:
    for name in lab.balancers:
        service = lab.nodes[name].service(lab.engine if unit == "engine" else unit)
        assert service.is_enabled, name
        assert service.is_running, name


@pytest.mark.parametrize("name", BACKENDS)
def test_backend_runs_nginx(lab: Lab, name: str) -> None:
    service = lab.nodes[name].service("nginx")
    assert service.is_enabled
    assert service.is_running

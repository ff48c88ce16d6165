# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault's entry in the catalogue is whole."""

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS, PLANS, SURVIVORS
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import Options


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_injected_on_a_host_or_injects_another_fault(name: str) -> None:
    fault = FAULTS[name]
    assert (name in PLANS) != (fault.injects in PLANS)
    # What a host needs is declared where it is injected.
    assert name in PLANS or not (fault.needs or fault.service or fault.survives_boot)


@pytest.mark.parametrize("name", PLANS)
def test_it_needs_options_that_there_are(name: str) -> None:
    assert set(FAULTS[name].needs) <= set(Options._fields)
    assert FAULTS[name].service is None or "service" not in FAULTS[name].needs


def test_what_a_boot_does_not_end() -> None:
    assert sorted(SURVIVORS) == ["disk_full", "keepalived_bad_config", "node_freeze", "node_power_off", "node_reboot"]

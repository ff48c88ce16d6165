# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drill's filters hand on what their helpers decide, and turn bad input into Ansible's errors."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.filter import (
    drill_faults,
    drill_findings,
    drill_holder_after,
    drill_plan,
    drill_progress,
    drill_report,
    drill_table,
    drill_targets,
    drill_verdict,
)


def test_plan_of_nobody() -> None:
    assert drill_plan.drill_plan({}, "198.18.0.10")["findings"] == [
        "198.18.0.10 must have exactly one holder, it has none",
        "198.18.0.10 has no standby that could take over",
    ]


def test_bad_vip() -> None:
    infos = {"lb01": {"addresses": []}}
    with pytest.raises(AnsibleFilterError, match="drill_plan: 'lb' is not an IP address"):
        drill_plan.drill_plan(infos, "lb")


def test_an_unknown_fault() -> None:
    with pytest.raises(AnsibleFilterError, match="drill_faults: unknown: link_dwon; the faults are service_stop, "):
        drill_faults.drill_faults(["link_dwon"])


def test_findings_on_half_of_the_settings() -> None:
    with pytest.raises(AnsibleFilterError, match="drill_findings: the settings lack 'slo'"):
        drill_findings.drill_findings(["link_down"], {})


def test_who_has_the_vip_afterwards() -> None:
    plan = {"holder": "lb02", "holder_after": "lb01"}
    assert drill_holder_after.drill_holder_after(plan, "link_down", ["lb02"]) == "lb01"


def test_targets_with_and_without_a_plan() -> None:
    plan = {"holder": "lb02", "standby": "lb01"}
    assert drill_targets.drill_targets(["link_down"], ["lb01", "lb02"], ["web01"]) == ["lb01", "lb02"]
    assert drill_targets.drill_targets(["link_down"], ["lb01", "lb02"], ["web01"], plan) == ["lb02"]


def test_verdict_on_something_else() -> None:
    with pytest.raises(AnsibleFilterError, match=r"drill_verdict: .*vip"):
        drill_verdict.drill_verdict({}, {}, {})


@pytest.mark.parametrize(
    "plugin",
    [drill_faults, drill_findings, drill_plan, drill_progress, drill_report, drill_table, drill_targets, drill_verdict],
)
def test_registered_by_its_name(plugin: object) -> None:
    name = plugin.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    assert list(plugin.FilterModule().filters()) == [name]  # type: ignore[attr-defined]

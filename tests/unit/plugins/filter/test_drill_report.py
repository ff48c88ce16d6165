# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters of the drill's report turn bad reports into Ansible's errors."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.haproof.balancer.plugins.filter import drill_junit, drill_page, drill_table

from ..plugin_utils._drill.drill_reports import report

FILTERS: dict[str, Callable[..., str]] = {
    **drill_junit.FilterModule().filters(),
    **drill_page.FilterModule().filters(),
    **drill_table.FilterModule().filters(),
}
BAD: list[tuple[Any, str]] = [
    ({"schema_version": 1}, "the report's schema_version is 1, it must be 5"),
    ({"schema_version": 5}, "lacks 'cluster'|lacks 'drills'"),
    ([], "'list' object has no attribute 'get'"),
    ({**report(), "drills": [None]}, "NoneType"),
]


@pytest.mark.parametrize("name", ["drill_junit", "drill_page"])
def test_registered_by_its_name(name: str) -> None:
    assert FILTERS[name](report()).startswith("<")


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(("what", "message"), BAD)
def test_bad_report(name: str, what: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=f"^{name}: .*({message})"):
        FILTERS[name](what)


def test_bad_previous_report() -> None:
    with pytest.raises(AnsibleFilterError, match="drill_page: the report, or the previous one, lacks 'started'"):
        drill_page.drill_page(report(), {"schema_version": 5})

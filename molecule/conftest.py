# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of all scenarios, and the journals when a test fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Callable, Generator, Iterator

import pytest
import testinfra

from nodes import CLIENT, Lab, inventory_hosts, inventory_variables, vip_owners

if TYPE_CHECKING:
    from testinfra.host import Host

PROBE_LOG = "/run/haproof-probe.log"
UNITS = ("keepalived", "keepalived-handover", "keepalived-watch", "nginx", "haproxy")


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Lab:
    """Connect to the nodes of molecule's inventory."""
    inventory = Path(request.config.option.ansible_inventory)
    balancers, backends = (list(inventory_hosts(inventory, group)) for group in ("balancers", "backends"))
    return Lab(
        inventory=inventory,
        nodes={
            name: testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}")
            for name in (*balancers, *backends, CLIENT)
        },
        engine=inventory_variables(inventory)["balancer_engine"],
        balancers=balancers,
        backends=backends,
        owners=vip_owners(inventory),
    )


@pytest.fixture(scope="module")
def answers_so_far(lab: Lab) -> Iterator[Callable[[], list[str]]]:
    """Request the VIP's page from the client continuously; return the status codes since the start."""
    client = lab.nodes[CLIENT]
    request = "curl --silent --output /dev/null --max-time 1 --write-out '%{http_code}\n'"
    loop = f"while true; do {request} http://{lab.vip}/ || true; sleep 0.02; done >{PROBE_LOG}"
    client.check_output("systemd-run --quiet --collect --unit=haproof-probe sh -c %s", loop)
    yield lambda: client.check_output("cat %s", PROBE_LOG).split()
    client.check_output("systemctl stop haproof-probe")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with ``vip`` once per VIP of the inventory."""
    if "vip" in metafunc.fixturenames:
        metafunc.parametrize("vip", vip_owners(Path(metafunc.config.option.ansible_inventory)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of the nodes' daemons to the report of a failed test."""
    report = yield
    lab = item.funcargs.get("lab")
    if report.when == "call" and report.failed and isinstance(lab, Lab):
        for name in (*lab.balancers, *lab.backends):
            report.sections.append((f"journal of {name}", journal(lab.nodes[name])))
    return report


def journal(node: Host) -> str:
    """Return the last log lines of a node's daemons, or that the node does not answer."""
    units = " ".join(f"--unit={unit}" for unit in UNITS)
    try:
        return node.run(f"journalctl --no-pager --lines=40 -o short-precise {units}").stdout
    except (AssertionError, OSError, RuntimeError) as error:
        # This must not replace the test's own failure.
        return f"(cannot be read: {error})"

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Arm the dead man's switch, inject a fault, and heal it."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Union

from ansible_collections.haproof.balancer.plugins.module_utils._common.boot import current_boot
from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import SURVIVORS
from ansible_collections.haproof.balancer.plugins.module_utils._faults.plan import (
    FaultError,
    FaultHost,
    FaultPlan,
    Options,
    Step,
    as_data,
    from_data,
)
from ansible_collections.haproof.balancer.plugins.module_utils._faults.record import FaultRecord, Records, folder_name
from ansible_collections.haproof.balancer.plugins.module_utils._faults.script import heal_script
from ansible_collections.haproof.balancer.plugins.module_utils._faults.switch import AtBoot, Guard, HealTimer

Switch = Union[Guard, HealTimer]


def switch_for(host: FaultHost, records: Records, fault: str, node: str) -> Switch:
    """Return the switch that heals the fault at its deadline: a timer on the node, a process on a driver host."""
    return Guard(records.folder(folder_name(fault, node))) if node else HealTimer(host, fault)


def is_injected(host: FaultHost, records: Records, record: FaultRecord) -> bool:
    """Return whether the fault is in effect and will be healed at its deadline."""
    armed = switch_for(host, records, record.fault, record.node).armed()
    return armed and all(map(host.holds, from_data(record.present)))


def refusal(active: list[FaultRecord], fault: str, node: str, options: dict[str, Any], now_s: float) -> str | None:
    """Return which active fault conflicts with this one, None if none does."""
    where = f"{node} has" if node else "this host has"
    for record in active:
        if record.node == node and (record.fault, record.options) != (fault, options):
            when = f"heals in {max(record.deadline_s - now_s, 0):.0f} s"
            if record.boot and record.boot != current_boot():
                when = "dates from an earlier boot"
            return (
                f"{where} the fault {record.fault} ({describe(record.options)}) already, which {when}: "
                "heal it first, with state=healed"
            )
    return None


def describe(options: dict[str, Any]) -> str:
    """Return options in one line."""
    return ", ".join(f"{name}={value}" for name, value in options.items()) or "no options"


def inject(host: FaultHost, records: Records, plan: FaultPlan, options: Options, asked: dict[str, Any]) -> FaultRecord:
    """Write the record and the script, arm the switch, inject. If a step fails, the fault is healed at once.

    *asked* are the options that the user gave. Raises FaultError.
    """
    name = folder_name(options.fault, options.node)
    switch = switch_for(host, records, options.fault, options.node)
    what = options.fault + (f" on {options.node}" if options.node else "")
    at_boot = [AtBoot(options.fault, options.node)] if survives(host, options.fault) else []
    disarm = [step for one in [*at_boot, switch] for step in one.disarm()]
    script = heal_script(what, records.folder(name), plan.present, plan.heal, disarm, sys.executable)
    if switch.armed():
        # A timer whose record was removed by hand would heal this fault too early.
        for step in switch.disarm():
            perform(host, step, "cannot disarm an older switch")
    records.create(name, {**plan.files, "heal": script})
    record = FaultRecord(
        fault=options.fault,
        node=options.node,
        unit=plan.unit,
        options=asked,
        present=as_data(plan.injected),
        deadline_s=time.monotonic() + options.deadline_s,
        injected_s=None,
        delayed=plan.delayed,
        boot=current_boot(),
    )
    records.write(record)
    try:
        for one in at_boot:
            one.arm(records.script(name), plan.unit)
        switch.arm(records.script(name), options.deadline_s)
    except FaultError:
        for step in at_boot[0].disarm() if at_boot else []:
            host.run(list(step.argv))
        records.remove(name)
        raise
    record = record._replace(injected_s=None if plan.delayed else time.monotonic())
    try:
        records.write(record)
        for step in plan.inject:
            perform(host, step, "cannot inject the fault")
        took_s = None if record.injected_s is None else time.monotonic() - record.injected_s
        for step in plan.injected:
            perform(host, step, f"the fault is not in effect after injecting: {step.lost or 'its timer is inactive'}")
    except FaultError:
        heal(host, records, name)
        raise
    return record._replace(took_s=took_s)


def survives(host: FaultHost, fault: str) -> bool:
    """Return whether a unit must heal the fault after a boot; only root can install one."""
    return fault in SURVIVORS and os.geteuid() == 0 and host.has_systemd()


def heal(host: FaultHost, records: Records, name: str) -> None:
    """Run the script, which disarms the switch once the fault is gone. Raises FaultError."""
    host.output(["sh", records.own_script(name)], f"fault {name} is not healed; its timer retries at the deadline")


def perform(host: FaultHost, step: Step, failure: str) -> None:
    """Run one step. Raises FaultError with *failure*."""
    if step.only_if and not host.holds(Step(step.only_if)):
        return
    argv = list(step.argv)
    rc, out, err = host.run(argv)
    if (rc != 0) != step.must_fail:
        raise FaultError(f"{failure}: {(err or out).strip() or f'exit code {rc}'} ({' '.join(argv)})", argv, rc, err)

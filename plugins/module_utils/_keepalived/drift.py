# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Compares keepalived's file with the text dump of the running keepalived. Pure functions."""

from __future__ import annotations

import os
from typing import Any, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import (
    ADDRESSES,
    Block,
    Instance,
    read_text,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.script_words import file_command


def differences(text: str, config_id: str, running: Mapping[str, Any]) -> list[str]:
    """Return the differences between file and process: ``VI_10: priority is 150 on disk, 100 runs``.

    *text* is the file's, *config_id* that of the running keepalived. *running* has ``instances`` and ``scripts`` as
    ``dump`` returns them. Only settings in the dump that are known from the file are compared. Raises ParseError.
    """
    disk = read_text(text, lambda word: word == config_id)
    instances = {instance.name: _instance(instance) for instance in disk.instances}
    scripts = {name: _script(block) for name, block in disk.blocks("vrrp_script").items()}
    # Undefined names are unknown too.
    complete = disk.complete and not any("$" in name for name in (*instances, *scripts))
    found = _compare(
        "vrrp_instance",
        instances,
        {entry["name"]: _running_instance(entry) for entry in running["instances"]},
        complete=complete,
    )
    return found + _compare(
        "vrrp_script",
        scripts,
        dict(running["scripts"]),
        complete=complete,
        # keepalived forgets a script that no instance tracks.
        left_out=True,
    )


def disabled(text: str, config_id: str, running: Mapping[str, Any]) -> list[str]:
    """Return the tracked scripts that do not run, since keepalived forgets those that it cannot find.

    The arguments are those of ``differences``. Raises ParseError.
    """
    disk = read_text(text, lambda word: word == config_id)
    runs = {entry["name"] for entry in running["instances"]}
    tracked = [
        line.word(0)
        for instance in disk.instances
        if instance.name in runs
        for line in instance.entries("track_script")
        if line.known
    ]
    configured = disk.blocks("vrrp_script")
    return [name for name in dict.fromkeys(tracked) if name in configured and name not in running["scripts"]]


def _compare(
    kind: str,
    disk: Mapping[str, Mapping[str, Any]],
    running: Mapping[str, Mapping[str, Any]],
    complete: bool,
    left_out: bool = False,
) -> list[str]:
    found = []
    for name, wanted in disk.items():
        if name not in running:
            found += [] if left_out or "$" in name else [f"{kind} {name} is on disk and does not run"]
            continue
        found += [
            f"{kind} {name}: {key} is {_told(value)} on disk, and {_told(running[name][key])} runs"
            for key, value in wanted.items()
            if value is not None and running[name].get(key) is not None and not _same(key, value, running[name][key])
        ]
    gone = [name for name in running if name not in disk] if complete else []
    return found + [f"{kind} {name} runs and is not on disk" for name in gone]


def _same(key: str, disk: Any, running: Any) -> bool:
    if key != "script" or not (disk and running) or "/" in disk[0]:
        return bool(disk == running)
    # keepalived looks up the program in its PATH, and runs and dumps the result.
    return bool([os.path.basename(running[0]), *running[1:]] == disk)


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _instance(instance: Instance) -> dict[str, Any]:
    return {
        "interface": instance.value("interface", None) if instance.flag("use_vmac") is False else None,
        "virtual_router_id": instance.number("virtual_router_id"),
        "priority": instance.priority,
        "advert_int": instance.advert_int_s,
        "version": instance.version,
        "addresses": instance.all_addresses(*ADDRESSES),
    }


def _running_instance(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "interface": entry["interface"],
        "virtual_router_id": float(entry["vrid"]),
        "priority": float(entry["priority"]),
        "advert_int": float(entry["advert_int_s"]),
        "version": float(entry["version"]),
        "addresses": sorted(entry["virtual_addresses"]),
    }


def _script(block: Block) -> dict[str, Any]:
    known, line = block.last("script")
    return {
        "script": file_command(" ".join(line.words[1:])) if known and line and line.known else None,
        "interval": block.number("interval", 1),
        "weight": block.number("weight", 0),
        "rise": block.number("rise", 1),
        "fall": block.number("fall", 1),
    }

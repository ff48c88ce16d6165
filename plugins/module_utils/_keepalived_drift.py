# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Does the running keepalived do what its file says? Compares the file with keepalived's text dump. Pure functions."""

from __future__ import annotations

import re
import shlex
from typing import Any, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._addresses import AddressError, bare_address

# Definitions, repeated blocks and conditions: what a line means then depends on more than the file.
_UNCLEAR = re.compile(r"^\s*(?:\$\w+=|~SEQ|@)|\$\{?\w", re.MULTILINE)


def differences(tree: Any, text: str, running: Mapping[str, Any]) -> list[str]:
    """Return in what the file differs from what runs: ``VI_10: priority is 150 on disk, 100 runs``.

    *tree* is the file as ``_keepalived_parse.parse`` returns it, *text* its text. *running* has ``instances`` and
    ``scripts`` as ``_keepalived_dump`` returns them. Only what the dump tells can be compared; nothing is, when the
    file has definitions or conditions.
    """
    if _UNCLEAR.search(text):
        return []
    blocks = _blocks(tree)
    defaults = _flat(blocks.get("global_defs"))
    version = int(defaults.get("vrrp_version", 2))
    found = _compare(
        "vrrp_instance",
        {name: _instance(body, version) for name, body in _named(blocks, "vrrp_instance").items()},
        {entry["name"]: _running_instance(entry) for entry in running["instances"]},
    )
    return found + _compare(
        "vrrp_script",
        {name: _script(body) for name, body in _named(blocks, "vrrp_script").items()},
        dict(running["scripts"]),
        # keepalived forgets a script that nobody tracks.
        left_out=True,
    )


def _compare(
    kind: str, disk: Mapping[str, Mapping[str, Any]], running: Mapping[str, Mapping[str, Any]], left_out: bool = False
) -> list[str]:
    found = []
    for name, wanted in disk.items():
        if name not in running:
            found += [] if left_out else [f"{kind} {name} is on disk and does not run"]
            continue
        found += [
            f"{kind} {name}: {key} is {_told(value)} on disk, and {_told(running[name][key])} runs"
            for key, value in wanted.items()
            if value is not None and running[name].get(key) is not None and running[name][key] != value
        ]
    return found + [f"{kind} {name} runs and is not on disk" for name in running if name not in disk]


def _told(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _blocks(tree: Any) -> dict[str, Any]:
    return _flat(tree)


def _flat(body: Any) -> dict[str, Any]:
    """Return a block's directives; of a repeated one the last."""
    if isinstance(body, Mapping):
        return dict(body)
    parts = body if isinstance(body, (list, tuple)) else ()
    return {key: value for part in parts if isinstance(part, Mapping) for key, value in part.items()}


def _named(blocks: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = {}
    for key, body in blocks.items():
        words = key.split()
        if len(words) > 1 and words[0] == kind:
            found[words[1].strip("\"'")] = _flat(body)
    return found


def _instance(body: Mapping[str, Any], version: int) -> dict[str, Any]:
    lines = [str(line) for key in ("virtual_ipaddress", "virtual_ipaddress_excluded") for line in body.get(key) or ()]
    return {
        "interface": _word(body.get("interface")) if "use_vmac" not in body else None,
        "virtual_router_id": _number(body.get("virtual_router_id")),
        "priority": _number(body.get("priority", 100)),
        "advert_int": _number(body.get("advert_int", 1)),
        # keepalived takes version 3 for IPv6 whatever the default is.
        "version": _number(body.get("version", None if any(":" in line for line in lines) else version)),
        "addresses": _addresses(lines),
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


def _script(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "script": command(str(body.get("script", ""))),
        "interval": _number(body.get("interval", 1)),
        "weight": _number(body.get("weight", 0)),
        "rise": _number(body.get("rise", 1)),
        "fall": _number(body.get("fall", 1)),
    }


def command(line: str) -> list[str] | None:
    """Return the words of a script's line as the file or the dump has it, None when they cannot be told."""
    try:
        words = shlex.split(line)
        # In the file the whole command may be in quotes.
        return shlex.split(words[0]) if len(words) == 1 else words
    except (IndexError, ValueError):
        return None


def _word(value: Any) -> str | None:
    return str(value).split()[0].strip("\"'") if value not in (None, True) else None


def _number(value: Any) -> float | None:
    try:
        return float(str(value).split()[0])
    except (IndexError, ValueError):
        return None


def _addresses(lines: list[str]) -> list[str] | None:
    try:
        return sorted(bare_address(line.split()[0].strip("\"'")) for line in lines if line.split())
    except AddressError:
        return None

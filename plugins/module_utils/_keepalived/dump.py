# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Parses keepalived's dumps of its state: JSON, and text where JSON is not built in.

Pure functions. Both parsers of instances return the same::

    {"name", "state", "interface", "vrid", "version", "priority", "effective_priority", "master_priority",
     "advert_int_s", "down_timer_adverts", "preempt", "virtual_addresses", "last_transition"}

``state`` is init, backup, master or fault. ``master_priority`` is the master's last advertised priority (None
without a master). ``down_timer_adverts`` is None in JSON, which lacks it up to 2.3.4. ``last_transition`` is in seconds
since the epoch by the host's clock.
"""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Mapping

from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.script_words import command
from ansible_collections.haproof.balancer.plugins.module_utils._link.addresses import bare_address

# vrrp.h: VRRP_STATE_*
_STATES = {0: "init", 1: "backup", 2: "master", 3: "fault"}


class DumpError(ValueError):
    """The dump is incomplete, or not keepalived's."""


def parse_json(text: str) -> list[dict[str, Any]]:
    """Return the instances in a JSON dump (``keepalived.json``). Raises DumpError if it is incomplete."""
    try:
        document = json.loads(text)
        # 2.2.7 dumps a list of instances; 2.3 puts the list under "vrrp".
        entries = document.get("vrrp", []) if isinstance(document, dict) else document
        return [_from_json(entry["data"]) for entry in entries]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DumpError(f"not a complete keepalived JSON dump: {error}") from error


def parse_text(text: str) -> list[dict[str, Any]]:
    """Return the instances in a text dump (``keepalived.data``). Raises DumpError if it is incomplete."""
    head, mark, topology = text.partition("------< VRRP Topology >------\n")
    # The interfaces come after the instances, so a dump that has them has all instances.
    body, end, _rest = topology.partition("------< Interfaces >------")
    if not (mark and end):
        if "Global definitions" in head and "------< Interfaces >------" in head:
            return []  # keepalived runs without any VRRP instance
        raise DumpError("not a complete keepalived text dump: no VRRP topology up to the interfaces")
    blocks = re.split(r"^ VRRP Instance = ", body.split("\n------<")[0], flags=re.MULTILINE)[1:]
    try:
        return [_from_text(block) for block in blocks]
    except (KeyError, ValueError) as error:
        raise DumpError(f"not a keepalived text dump that can be read: {error}") from error


def parse_details(text: str) -> dict[str, dict[str, Any]]:
    """Return the details of each instance that only the text dump has, by name.

    ``down_timer_adverts``, ``authentication``, ``unicast_peers`` and ``tracked``.
    ``authentication`` is none, pass or ah. ``tracked`` has ``{"kind", "name", "weight", "state", "failing"}``: ``kind``
    is script, file, process, interface or bfd. ``state`` is keepalived's word or number, None if it has none.
    ``failing``: whether it currently lowers the priority, or puts the instance in FAULT.
    """
    states = {
        "script": _states(text, "VRRP Script"),
        "file": _states(text, "Track file"),
        "process": _states(text, "VRRP Track process"),
    }
    topology = text.partition("------< VRRP Topology >------\n")[2].split("\n------<")[0]
    found = {}
    for block in re.split(r"^ VRRP Instance = ", topology, flags=re.MULTILINE)[1:]:
        name = block.partition("\n")[0].strip()
        lists = dict(re.findall(r"^   (\w[^=\n]*?) :\n((?:     .*\n)*)", block, flags=re.MULTILINE))
        authentication = re.search(r"^   Authentication type = (\S+)", block, flags=re.MULTILINE)
        adverts = re.search(r"^   Down timer adverts = (\d+)", block, flags=re.MULTILINE)
        found[name] = {
            "down_timer_adverts": int(adverts.group(1)) if adverts else None,
            "authentication": _AUTHENTICATION.get(authentication.group(1), "none") if authentication else "none",
            "unicast_peers": [line.split()[0] for line in lists.get("Unicast Peer", "").splitlines()],
            "tracked": [
                _tracked(kind, line, states)
                for title, kind in _KINDS.items()
                for line in lists.get(f"Tracked {title}", "").splitlines()
            ],
        }
    return found


def parse_scripts(text: str) -> dict[str, dict[str, Any]]:
    """Return a text dump's scripts by name, with ``script`` (words), ``interval``, ``weight``, ``rise``, ``fall``."""
    found = {}
    for name, fields in _sections(text, "VRRP Script"):
        found[name] = {
            "script": command(fields.get("Command", "")),
            "interval": _leading(fields.get("Interval")),
            "weight": _leading(fields.get("Weight")),
            "rise": _leading(fields.get("Rise")),
            "fall": _leading(fields.get("Fall")),
        }
    return found


def parse_script_security(text: str) -> bool:
    """Return whether a text dump has ``enable_script_security``."""
    return "\n Script security enabled\n" in text


def parse_version(output: str) -> str | None:
    """Return the version in the output of ``keepalived --version``, such as ``2.2.7``, None if there is none."""
    found = re.search(r"^Keepalived v(\S+)", output, flags=re.MULTILINE)
    return found.group(1) if found else None


def parse_defaults(output: str) -> list[str]:
    """Paths in the output of ``keepalived --help`` of which the first that exists is read without ``--use-file``."""
    found = re.search(r"--use-file=FILE.*\n\s*default '([^']*)'(?:\s+or '([^']*)')?", output)
    return [path for path in found.groups() if path] if found else []


def parse_signum(output: str) -> int | None:
    """Return the number in the output of ``keepalived --signum=…``, None if that signal is not built in."""
    text = output.strip()
    return int(text) if text.isdigit() and int(text) > 0 else None


def _from_json(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": data["iname"],
        "state": _STATES.get(data["state"], str(data["state"])),
        "interface": data.get("vmac_ifname") or data.get("ifp_ifname"),
        "vrid": int(data["vrid"]),
        "version": int(data["version"]),
        "priority": int(data["base_priority"]),
        "effective_priority": int(data["effective_priority"]),
        "master_priority": int(data.get("master_priority") or 0) or None,
        "advert_int_s": float(data["adver_int"]),
        "down_timer_adverts": data.get("down_timer_adverts"),
        "preempt": not data["nopreempt"],
        "virtual_addresses": [_virtual_address(line) for key in ("vips", "evips") for line in data.get(key, [])],
        "last_transition": float(data["last_transition"]),
    }


def _from_text(block: str) -> dict[str, Any]:
    name, _newline, rest = block.partition("\n")
    fields: dict[str, str] = dict(re.findall(r"^   (\w[^=\n]*?) = (.*)$", rest, flags=re.MULTILINE))
    return {
        "name": name.strip(),
        "state": fields["State"].split()[0].lower(),
        "interface": fields.get("Interface", "").split(",")[0] or None,
        "vrid": int(fields["Virtual Router ID"]),
        "version": int(fields["VRRP Version"]),
        "priority": int(fields["Priority"]),
        "effective_priority": int(fields["Effective priority"]),
        "master_priority": _optional(int, fields.get("Master priority")),
        "advert_int_s": _seconds(fields["Advert interval"]),
        "down_timer_adverts": _optional(int, fields.get("Down timer adverts")),
        "preempt": fields["Preempt"].startswith("enabled"),
        "virtual_addresses": [_virtual_address(line) for line in _address_lines(rest)],
        "last_transition": float(fields["Last transition"].split()[0]),
    }


def _address_lines(block: str) -> list[str]:
    """Return the lines indented under "Virtual IP (n):" and "Virtual IP Excluded (n):"."""
    lists = re.findall(r"^   Virtual IP[^\n]*:\n((?:     [^\n]*\n)*)", block, flags=re.MULTILINE)
    return [line.strip() for lines in lists for line in lines.splitlines()]


_AUTHENTICATION = {"SIMPLE_PASSWORD": "pass", "IPSEC_AH": "ah"}
_KINDS = {"scripts": "script", "files": "file", "processes": "process", "interfaces": "interface", "BFDs": "bfd"}


def _sections(text: str, title: str) -> list[tuple[str, dict[str, str]]]:
    """Return the names and fields of the blocks that begin with `` <title> = name``."""
    found = []
    for block in re.split(rf"^ {title} = ", text, flags=re.MULTILINE)[1:]:
        name, _newline, rest = block.partition("\n")
        body = re.split(r"^(?! {3})", rest, flags=re.MULTILINE)[0]
        found.append((name.strip(), dict(re.findall(r"^   (\w[^=\n]*?) = (.*)$", body, flags=re.MULTILINE))))
    return found


def _states(text: str, title: str) -> dict[str, str]:
    return {name: fields["Status"] for name, fields in _sections(text, title) if "Status" in fields}


def _tracked(kind: str, line: str, states: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Parse a line such as ``answers weight 0`` (scripts) or ``nginx, weight 0`` (files)."""
    name = line.split()[0].rstrip(",")
    weight = int((re.search(r"\bweight (-?\d+)", line) or ["", "0"])[1])
    state = states.get(kind, {}).get(name)
    if kind == "file":
        value = int(state) if state and re.fullmatch(r"-?\d+", state) else 0
        failing = value != 0 if weight == 0 else value * weight < 0
    else:
        failing = state == "BAD"
    return {"kind": kind, "name": name, "weight": weight, "state": state, "failing": failing}


def _leading(text: str | None) -> float | None:
    """``1 sec`` -> 1.0."""
    found = re.match(r"-?\d+(\.\d+)?", text or "")
    return float(found.group()) if found else None


def _virtual_address(line: str) -> str:
    """``198.18.0.10/24 dev eth1 scope global set`` -> ``198.18.0.10``."""
    return bare_address(line.split()[0])


def _seconds(text: str) -> float:
    """``200 milli-sec`` -> 0.2, ``1 sec`` -> 1.0."""
    number, unit = text.split()[:2]
    return float(number) / (1000 if unit.startswith("milli") else 1)


def _optional(convert: Callable[[str], int], text: str | None) -> int | None:
    return (convert(text) or None) if text else None

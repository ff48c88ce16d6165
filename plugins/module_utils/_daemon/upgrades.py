# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What apt or dnf would upgrade, and the commands for it. Pure functions."""

from __future__ import annotations

import re
from typing import Any, Container, Mapping, NamedTuple, Sequence

LOCK_S = 600
"""How long apt waits for another package manager, such as unattended-upgrades."""

QUERIES = {
    "dpkg": [
        "dpkg-query",
        "--show",
        "--showformat=${Package}\t${source:Package}\t${Version}\t${db:Status-Want}\t${db:Status-Status}\n",
    ],
    "rpm": ["rpm", "--query", "--all", "--queryformat=%{NAME}\t%{SOURCERPM}\t%{EVR}\tinstall\tinstalled\n"],
}
"""What prints a line per package: its name and source, version, what its administrator wants, and its state."""

APT = [
    "apt-get",
    "--quiet",
    f"--option=DPkg::Lock::Timeout={LOCK_S}",
    # Keep the administrator's files and those of the roles, without asking.
    "--option=Dpkg::Options::=--force-confdef",
    "--option=Dpkg::Options::=--force-confold",
]

_THERE = ("installed", "triggers-awaited", "triggers-pending")
_ABSENT = ("not-installed", "config-files")
_APT_LINE = re.compile(r"^(Inst|Remv) (\S+?)(?::\S+)?(?: \[[^\]]*\])*(?: \((\S+) .*)?$", re.MULTILINE)
_DNF_ROW = re.compile(r" (\S+)\s+\S+\s+(\S+)\s+\S+\s+[\d.]+\s*\w*\s*$")
# A long name has the rest of its row on the next line.
_DNF_WRAPPED = re.compile(r"^( \S+)\n {2,}", re.MULTILINE)
_SOURCE_RPM = re.compile(r"-[^-]+-[^-]+\.rpm$")


class Package(NamedTuple):
    """An installed package. ``broken`` is one that an earlier run left half-installed or unconfigured."""

    name: str
    source: str
    version: str
    held: bool
    broken: bool


class Planned(NamedTuple):
    """New versions by name, and the names of packages that would be removed."""

    versions: Mapping[str, str]
    removed: Sequence[str]


def parse_packages(output: str) -> dict[str, Package]:
    """Return the packages in the output of such a query."""
    found = {}
    for line in output.splitlines():
        name, source, version, want, state = line.split("\t")
        if state not in _ABSENT:
            held, broken = want == "hold", state not in _THERE
            found[name] = Package(name, _SOURCE_RPM.sub("", source), version, held, broken)
    return found


def named(packages: Mapping[str, Package], daemons: Container[str], versions: Mapping[str, str]) -> dict[str, str]:
    """Return the packages of these daemons, each with the version to reach, empty for the newest one.

    A daemon's packages are all that come from its source, such as nginx-common. One on hold is left alone unless the
    version of its daemon is named.
    """
    return {
        package.name: versions.get(package.source, "")
        for package in packages.values()
        if package.source in daemons and (not package.held or package.source in versions)
    }


def commands(database: str, names: Mapping[str, str], system: bool) -> list[list[str]]:
    """Return the commands that upgrade these packages, or the whole *system*; see ``simulating`` and ``applying``."""
    plain = [name for name, version in names.items() if not version]
    if database == "rpm":
        # "upgrade" does not go back to an older version, and "install" does not upgrade to the newest.
        exact = [f"{name}-{version}" for name, version in names.items() if version]
        if system:
            return [["dnf", "upgrade"]]
        return [["dnf", verb, *words] for verb, words in (("upgrade", plain), ("install", exact)) if words]
    if system:
        return [[*APT, "dist-upgrade"]]
    exact = [f"{name}={version}" for name, version in names.items() if version]
    # Without --only-upgrade, packages that were installed as dependencies would count as installed by the user.
    options = ["--only-upgrade", *(["--allow-downgrades", "--allow-change-held-packages"] if exact else [])]
    return [[*APT, "install", *options, *plain, *exact]] if names else []


def simulating(argv: Sequence[str]) -> list[str]:
    """Return the command that prints what *argv* would do."""
    return ["dnf", "--assumeno", "--refresh", *argv[1:]] if argv[0] == "dnf" else [*argv, "--simulate"]


def applying(argv: Sequence[str]) -> list[str]:
    """Return the command that does it without asking."""
    return ["dnf", "--assumeyes", *argv[1:]] if argv[0] == "dnf" else [*argv, "--yes"]


def parse_simulation(database: str, output: str) -> Planned:
    """Return what the package manager would do."""
    return _parse_dnf(output) if database == "rpm" else _parse_apt(output)


def _parse_apt(output: str) -> Planned:
    lines = _APT_LINE.findall(output)
    versions = {name: version for verb, name, version in lines if verb == "Inst"}
    return Planned(versions, [name for verb, name, _version in lines if verb == "Remv"])


def _parse_dnf(output: str) -> Planned:
    versions, removed, section = {}, [], ""
    for line in _DNF_WRAPPED.sub(r"\1 ", output).splitlines():
        row = _DNF_ROW.match(line)
        if line.startswith("Transaction Summary"):
            break
        if row and section.startswith("Removing"):
            removed.append(row[1])
        elif row and section:
            versions[row[1]] = row[2]
        elif re.match(r"[A-Z][a-z ]+:$", line):
            section = line
    return Planned(versions, removed)


def combined(found: Sequence[Planned]) -> Planned:
    """Return what several commands would do."""
    versions = {name: version for each in found for name, version in each.versions.items()}
    return Planned(versions, [name for each in found for name in each.removed])


def changes(packages: Mapping[str, Package], planned: Planned, wanted: Container[str]) -> list[dict[str, Any]]:
    """Return ``name``, ``source``, ``old`` and ``new`` of each package that changes.

    ``source`` and ``old`` are empty for an added package. A broken one of those *wanted* is among them although its
    version stays.
    """
    added = Package("", "", "", held=False, broken=False)
    broken = {name: package.version for name, package in packages.items() if package.broken and name in wanted}
    versions = sorted({**broken, **planned.versions}.items())
    known = [(name, packages.get(name, added), new) for name, new in versions]
    return [
        {"name": name, "source": package.source, "old": package.version, "new": new} for name, package, new in known
    ]

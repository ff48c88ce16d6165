# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A keepalived built from source: its folder, its options, and the features that configure must have found."""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import url_shown

# Set by the role: files stay inside the prefix, the configuration stays in /etc, and the unit has Type=notify.
_OWN_OPTIONS: tuple[str, ...] = ("--sysconfdir=/etc", "--with-init=systemd", "--enable-systemd")
_RESERVED = re.compile(
    r"--(prefix|exec-prefix|bindir|sbindir|sysconfdir|with-init|with-systemdsystemunitdir|(en|dis)able-systemd)(=|$)"
)
_OPTION = re.compile(r"(--(enable|disable|with|without)-[a-z0-9-]+(=.*)?|[A-Z][A-Z0-9_]*=.*)")
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)+")
_URL = re.compile(r"(https?://[^/]+|file://)/.+")
_PREFIX = re.compile(r"/[^/]+/[^/\s]+(/[^/\s]+)*")

# The number of hexadecimal digits of each hash that a checksum may use.
_DIGITS: dict[str, int] = {"sha256": 64, "sha384": 96, "sha512": 128}

# configure's options, and the labels of their features in its summary.
_LABELS: dict[str, tuple[str, ...]] = {
    "bfd": ("Use BFD Framework",),
    "dbus": ("DBUS support",),
    "fwmark": ("fwmark socket support",),
    "iptables": ("Use iptables",),
    "json": ("Use JSON output",),
    "libnl": ("IPVS use libnl",),
    "linkbeat": ("With linkbeat",),
    "lvs": ("Use IPVS Framework",),
    "lvs-64bit-stats": ("IPVS 64 bit stats",),
    "lvs-syncd": ("IPVS syncd attributes",),
    "nftables": ("Use nftables",),
    "nm": ("Use NetworkManager",),
    "regex": ("HTTP_GET regex support",),
    "snmp": ("SNMP vrrp support", "SNMP checker support"),
    "snmp-checker": ("SNMP checker support",),
    "snmp-rfc": ("SNMP RFCv2 support", "SNMP RFCv3 support"),
    "snmp-rfcv2": ("SNMP RFCv2 support",),
    "snmp-rfcv3": ("SNMP RFCv3 support",),
    "snmp-vrrp": ("SNMP vrrp support",),
    "strict-config-checks": ("Strict config checks",),
    "systemd": ("systemd notify",),
    "track-process": ("With track_process",),
    "vmac": ("Use VRRP VMAC",),
    "vrrp": ("Use VRRP Framework",),
    "vrrp-auth": ("Use VRRP authentication",),
}
_ALWAYS = ("lvs", "libnl", "vrrp", "systemd")

_TITLE = "Keepalived configuration"
_UNRECOGNIZED = re.compile(r"^configure: WARNING: unrecognized options: (.+)$", re.MULTILINE)


class Source(NamedTuple):
    """The source to build: ``checksum`` is ``sha256:…``, ``options`` are the user's arguments for configure."""

    version: str
    url: str
    checksum: str
    prefix: str
    options: tuple[str, ...]

    @property
    def arguments(self) -> list[str]:
        """configure's arguments; the user's come first, so that the role's win."""
        return [*self.options, f"--prefix={self.prefix}", *_OWN_OPTIONS]

    @property
    def build(self) -> str:
        """The folder of this build, unique for its version, source and options."""
        told = "\0".join((self.version, self.checksum, *self.arguments))
        return f"{self.prefix}-{self.version}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"

    @property
    def binary(self) -> str:
        """The path of the daemon."""
        return f"{self.build}/sbin/keepalived"


def findings(source: Source) -> list[str]:
    """Return the findings about the role's variables, before a host is changed."""
    found = []
    if not source.version:
        found.append("keepalived_version is empty; a build from source needs it, such as 2.3.4")
    elif not _VERSION.fullmatch(source.version):
        found.append(f"keepalived_version: {source.version!r} is not a version such as 2.3.4")
    if not _URL.fullmatch(source.url):
        found.append(f"keepalived_source_url: {url_shown(source.url)!r} is not an http, https or file URL of a tarball")
    name, colon, digits = source.checksum.partition(":")
    if not source.checksum:
        found.append("keepalived_checksum is empty; a build from source needs it, such as sha256:2288c5…")
    elif not colon or not re.fullmatch(f"[0-9a-f]{{{_DIGITS.get(name, 0)}}}", digits):
        known = ", ".join(f"{known}:{count} digits" for known, count in _DIGITS.items())
        found.append(f"keepalived_checksum: {source.checksum!r} is not one of {known} (hexadecimal, lower case)")
    if not _PREFIX.fullmatch(source.prefix):
        found.append(f"keepalived_prefix: {source.prefix!r} is not an absolute path such as /usr/local/keepalived")
    for index, option in enumerate(source.options):
        place = f"keepalived_configure_options[{index}]"
        if _RESERVED.match(option):
            found.append(f"{place}: {option} is set by the role; remove it (the prefix is keepalived_prefix)")
        elif not _OPTION.fullmatch(option):
            found.append(f"{place}: {option!r} is neither an option such as --enable-json nor a variable CFLAGS=…")
    return found


def parse_summary(output: str) -> dict[str, str]:
    """Return configure's final summary, label to value; empty if it stopped before."""
    summary: dict[str, str] = {}
    lines = output.rpartition(f"{_TITLE}\n")[2].splitlines()[1:] if f"{_TITLE}\n" in output else []
    for line in lines:
        label, separator, value = line.partition(" : ")
        if not separator and not line.rstrip().endswith(" :"):
            break
        summary[label.rstrip(" :")] = value.strip()
    return summary


def to_text(summary: Mapping[str, str]) -> str:
    """Return the summary as configure prints it."""
    lines = [f"{label:<25}: {value}" for label, value in summary.items()]
    return "\n".join([_TITLE, "-" * len(_TITLE), *lines, ""])


def wanted_features(options: Sequence[str]) -> dict[str, bool]:
    """Return the features that must be in (True) or out (False), of those in configure's summary."""
    wanted = dict.fromkeys(_ALWAYS, True)
    for option in options:
        switch, _equals, value = option.partition("=")
        verb, _dash, feature = switch[2:].partition("-")
        if verb in ("enable", "disable") and feature in _LABELS:
            wanted[feature] = (verb == "enable") is (value != "no")
    if not wanted["lvs"]:
        del wanted["libnl"]
    return wanted


def unmet(source: Source, output: str) -> list[str]:
    """Return the requested version, options and features that configure's output does not confirm."""
    summary = parse_summary(output)
    if not summary:
        return ["configure printed no summary"]
    missing = []
    version = summary.get("Keepalived version")
    if version != source.version:
        missing.append(f"version {source.version} (the source is keepalived {version})")
    for option in sorted({option for line in _UNRECOGNIZED.findall(output) for option in line.split(", ")}):
        missing.append(f"{option} (keepalived {version} has no such option)")
    for feature, wanted in wanted_features(source.options).items():
        for label in _LABELS[feature]:
            value = summary.get(label, "not mentioned")
            if value.lower().startswith("yes") is not wanted:
                missing.append(
                    "{} ({}: {})".format("--{}able-{}".format("en" if wanted else "dis", feature), label, value)
                )
    return missing


def stale(builds: Sequence[str], current: str, keep: int) -> list[str]:
    """Return the builds to remove: all except *current* and the first *keep* others. *builds* are last used first."""
    return [build for build in builds if build != current][keep:]


def leaves(name: str, target: str = "") -> bool:
    """Return whether an archive's member, or its symbolic link's target, lies outside the destination folder."""
    if target:
        name = posixpath.join(posixpath.dirname(name), target)
    path = posixpath.normpath(name)
    return path.startswith(("/", "../")) or path == ".."

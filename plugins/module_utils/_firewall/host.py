# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes that a host needs for VRRP, first determined and then made."""

from __future__ import annotations

import glob
import os
import pwd
from functools import partial
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import File, FileSet, diff, read, sweep
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import Mark, Unfinished
from ansible_collections.haproof.balancer.plugins.module_utils._firewall import firewall, nftables
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.firewall import Allow
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.nftables import Chain, Ruleset
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.members import FILE as MEMBERS
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.members import text_of

UFW_CONF = "/etc/ufw/ufw.conf"
UFW_RULES = {4: "/etc/ufw/before.rules", 6: "/etc/ufw/before6.rules"}
# Loaded by nftables.service on Debian and Red Hat.
NFTABLES_CONF = ("/etc/nftables.conf", "/etc/sysconfig/nftables.conf")
NFTABLES_SNIPPET = "zz-haproof-keepalived.nft"


class HostError(Exception):
    """A command failed; ``output`` is its own."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output.strip()


class Change(NamedTuple):
    """A change to make: its diff, and the function that makes it (raises HostError, OSError)."""

    shown: Mapping[str, str]
    make: Callable[[], object]


class VrrpHost:
    """This host. ``label(staged, dest)`` gives a new file its SELinux context."""

    def __init__(self, run: Runner, has: Callable[[str], bool], label: Callable[[str, str], None]) -> None:
        self._run = run
        self._has = has
        self._label = label
        self._sets: list[FileSet] = []
        self._ufw_mark = Mark("ufw")
        self.warnings: list[str] = []

    def tidy(self, sysctl_file: str) -> None:
        """Remove the leftovers of a killed run beside this module's files. Raises OSError."""
        snippets = [nftables.place_for_rules(path, _text(path), NFTABLES_SNIPPET) for path in NFTABLES_CONF]
        sweep(map(os.path.dirname, (sysctl_file, MEMBERS, *UFW_RULES.values(), *NFTABLES_CONF, *snippets)))

    def settle(self) -> None:
        """Delete the kept former files, once all changes are made. Raises OSError."""
        for files in self._sets:
            files.settle()

    def _files(self) -> FileSet:
        self._sets.append(FileSet(self._label))
        return self._sets[-1]

    def firewall(self, allows: Sequence[Allow], interfaces: Sequence[str], keep: bool = False) -> list[Change]:
        """Return the changes by which the active firewalls let in *allows*, and nothing else that this module allowed.

        With *keep* earlier peers stay allowed, and permanent files are changed only if they are also the live ones.
        """
        ufw = self._ufw_enabled()
        changes = self._ufw(allows, keep) if ufw else []
        if self._has("firewall-cmd") and self._run(["systemctl", "is-active", "--quiet", "firewalld"])[0] == 0:
            changes += self._firewalld(allows, interfaces, keep)
        if self._has("nft"):
            changes += self._nftables(allows, ufw, keep)
        return changes

    def sysctl(self, wanted: Mapping[str, str], path: str) -> list[Change]:
        """Return the changes to reach the kernel settings *wanted*, in the file at *path* and in the running kernel."""
        lines = [f"{key} = {value}" for key, value in wanted.items()]
        text = "\n".join(["# Made by the Ansible collection haproof.balancer.", *lines, ""]) if wanted else ""
        return self._file(self._files(), path, text) + self.sysctl_now(wanted)

    def sysctl_now(self, wanted: Mapping[str, str]) -> list[Change]:
        """Return the changes to reach the kernel settings *wanted* in the running kernel."""
        changes = []
        for key, value in wanted.items():
            # sysctl.d(5): the first separator decides; after a dot, an interface's dots are written as slashes.
            place = "/proc/sys/" + (key if "/" in key.partition(".")[0] else key.translate(str.maketrans("./", "/.")))
            try:
                with open(place, encoding="ascii") as stream:
                    present = " ".join(stream.read().split())
            except FileNotFoundError:
                raise HostError(f"sysctl {key}: this kernel has no {place}; remove it") from None
            if present != " ".join(value.split()):
                shown = _shown(place, present + "\n", value + "\n")
                changes.append(Change(shown, partial(_write, place, value)))
        return changes

    def members(self, members: Mapping[str, Sequence[str]]) -> list[Change]:
        """Return the change by which this host remembers the members of its cluster."""
        return self._file(self._files(), MEMBERS, text_of(members))

    def user(self, name: str) -> list[Change]:
        """Return the change that creates a system user without home and login, if it does not exist."""
        try:
            pwd.getpwnam(name)
        except KeyError:
            options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
            argv = ["useradd", *options, "--shell", "/usr/sbin/nologin", name]
            return [Change(_shown("system users", "", name + "\n"), partial(self._output, argv))]
        return []

    def booleans(self, names: Sequence[str]) -> list[Change]:
        """Return the change that turns on those of the SELinux booleans that are off."""
        if not names:
            return []
        # "keepalived_connect_any --> off"
        off = [line.split()[0] for line in self._output(["getsebool", *names]).splitlines() if line.endswith("off")]
        argv = ["setsebool", "-P", *(f"{name}=on" for name in off)]
        return (
            [Change(_shown("SELinux", _lines(off, " off"), _lines(off, " on")), partial(self._output, argv))]
            if off
            else []
        )

    def _ufw_enabled(self) -> bool:
        conf = read(UFW_CONF)
        return conf is not None and b"ENABLED=yes" in conf.content.replace(b'"', b"").split()

    def _ufw(self, allows: Sequence[Allow], keep: bool) -> list[Change]:
        files = self._files()
        changes = []
        for version, path in UFW_RULES.items():
            present = read(path)
            if present:
                text = present.content.decode()
                rules = firewall.ufw_rules(allows, version)
                if keep:
                    former = firewall.block_of(text)
                    rules = former + [rule for rule in rules if rule not in former]
                changes += self._file(
                    files, path, firewall.with_block(text, rules, f"-A {firewall.ufw_chain(version)} ")
                )
        if not changes and not self._ufw_mark.read():
            return []

        def make() -> None:
            self._ufw_mark.write(Unfinished(restart=False, units=False, folders=[]))
            for change in changes:
                change.make()
            self._confirm(files, ["ufw", "reload"])
            self._ufw_mark.write(None)

        last = changes[-1].shown if changes else _shown("ufw", "", "reload that an earlier run left undone\n")
        return [Change(change.shown, _nothing) for change in changes[:-1]] + [Change(last, make)]

    def _firewalld(self, allows: Sequence[Allow], interfaces: Sequence[str], keep: bool) -> list[Change]:
        rules = [firewall.rich_rule(allow) for allow in allows]
        running = firewall.parse_zones(self._output(["firewall-cmd", "--list-all-zones"]))
        kept = firewall.parse_zones(self._output(["firewall-cmd", "--permanent", "--list-all-zones"]))
        default = self._output(["firewall-cmd", "--get-default-zone"]).strip()
        used = firewall.zones_in_use(running, default, interfaces)
        changes = []
        for scope, zones in [([], running)] + ([] if keep else [(["--permanent"], kept)]):
            for zone in zones:
                wanted = rules if zone.name in used else []
                options = firewall.rich_rule_options(zone, wanted, keep)
                if options:
                    argv = ["firewall-cmd", *scope, f"--zone={zone.name}", *options]
                    header = " ".join(["firewalld zone", zone.name, *scope])
                    shown = _shown(header, _lines(zone.ours), _lines(wanted))
                    changes.append(Change(shown, partial(self._output, argv)))
        return changes

    def _nftables(self, allows: Sequence[Allow], ufw: bool, keep: bool) -> list[Change]:
        # Terse: sets may hold a hundred thousand addresses.
        ruleset = nftables.parse_ruleset(self._output(["nft", "--terse", "--json", "list", "ruleset"]))
        if not ufw:
            self._warn_of_iptables(ruleset, allows)
        closed = [chain for chain in ruleset.closed if not chain.is_iptables]
        changes = [] if keep else self._nftables_files(closed, allows)
        statements = nftables.live_statements(ruleset, allows, keep)
        if statements:
            before = [f"{rule.chain}: {rule.comment}" for rule in ruleset.ours()]
            make = self._feed("\n".join([*statements, ""]))
            changes.append(Change(_shown("nftables ruleset", _lines(before), _lines(statements)), make))
        return changes

    def _warn_of_iptables(self, ruleset: Ruleset, allows: Sequence[Allow]) -> None:
        for chain in ruleset.closed:
            visible = [allow for allow in allows if allow.version == (4 if chain.family == "ip" else 6)]
            missing = [allow for allow in visible if not ruleset.names(chain, allow.source)]
            if chain.is_iptables and missing:
                commands = "; ".join(firewall.iptables_command(allow) for allow in missing)
                self.warnings.append(
                    "iptables' chain INPUT blocks the peers, and is left alone because ufw does not manage it."
                    f" Run, and make permanent: {commands}"
                )

    def _nftables_files(self, chains: Sequence[Chain], allows: Sequence[Allow]) -> list[Change]:
        """Return the changes to the file that loads the ruleset, or to one that it includes at its end."""
        path = next((path for path in NFTABLES_CONF if os.path.exists(path)), "")
        text = _text(path)
        if allows and not chains:
            # The ruleset may just not be loaded now, so its files stay.
            return []
        everything = firewall.with_block(text, []) + _included(text)
        defined = [chain for chain in chains if nftables.is_defined(chain, everything)]
        for chain in chains:
            if chain not in defined:
                self._warn_of_stranger(chain, allows)
        if not path:
            return []
        lines = nftables.kept_statements(defined, allows)
        place = nftables.place_for_rules(path, text, NFTABLES_SNIPPET)
        check = ["nft", "--check", "--file", path]
        files = self._files()
        changes = self._file(files, path, firewall.with_block(text, lines if place == path else []), check)
        if place != path:
            changes += self._file(files, place, firewall.with_block("", lines), check)
        return changes

    def _warn_of_stranger(self, chain: Chain, allows: Sequence[Allow]) -> None:
        rules = [f"insert rule {chain} {rule}" for rule in nftables.rules_for(chain, allows).values()]
        if rules:
            self.warnings.append(
                f"nftables' chain {chain} blocks the peers, and {' and '.join(NFTABLES_CONF)} do not define it."
                f" The peers are allowed now; add these rules to the program that defines it: {'; '.join(rules)}"
            )

    def _file(self, files: FileSet, path: str, text: str, check: Sequence[str] = ()) -> list[Change]:
        """Return the change that writes this text, or removes the file for an empty one, if the *check* accepts it."""
        present = read(path)
        if present is None and not text:
            return []
        wanted = (present or File(path, b"", "root", "root", 0o644))._replace(content=text.encode())
        if present == wanted:
            return []

        def make() -> None:
            if text:
                files.swap(files.stage(wanted), path)
            else:
                files.remove(path)
            if check:
                self._confirm(files, list(check))

        return [Change(diff(path, present, wanted if text else None, str), make)]

    def _confirm(self, files: FileSet, argv: list[str]) -> None:
        """Run a command that reads the new files; if it fails, restore them and run it again. Raises HostError."""
        try:
            self._output(argv)
        except HostError as error:
            failures = files.restore()
            self._run(argv)
            if failures:
                raise HostError(f"{error}, and the rollback failed too: {'; '.join(failures)}", error.output) from error
            raise

    def _feed(self, statements: str) -> Callable[[], None]:
        def make() -> None:
            files = self._files()
            staged = files.stage(File("/run/haproof.nft", statements.encode(), "root", "root", 0o600))
            try:
                self._output(["nft", "--file", staged])
            finally:
                files.settle()

        return make

    def _output(self, argv: list[str]) -> str:
        rc, out, err = self._run(argv)
        if rc != 0:
            raise HostError(f"{' '.join(argv)} failed with exit code {rc}", err or out)
        return out


def _shown(header: str, before: str, after: str) -> dict[str, Any]:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _lines(items: Sequence[str], end: str = "") -> str:
    return "".join(f"{item}{end}\n" for item in items)


def _text(path: str) -> str:
    present = read(path)
    return present.content.decode(errors="replace") if present else ""


def _write(path: str, value: str) -> None:
    with open(path, "w", encoding="ascii") as stream:
        stream.write(value + "\n")


def _included(text: str) -> str:
    """Return the text of the files that nftables.conf, as *text*, includes, except this module's own."""
    names = [name for pattern in nftables.includes(text) for name in sorted(glob.glob(os.path.join("/etc", pattern)))]
    return "".join(_text(name) for name in names if os.path.basename(name) != NFTABLES_SNIPPET)


def _nothing() -> None:
    """Do nothing: a later change makes this one too."""

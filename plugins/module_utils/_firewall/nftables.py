# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let peers through an existing nftables ruleset.

An accept ends only its own base chain: a drop in another one still drops. So our rules go to the head of every chain
that drops input, and into the file that loads these chains.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._firewall.firewall import PORTS, PROTOCOLS, Allow

_OURS = "haproof "
# Statements of a rule that matches every packet.
_ALWAYS = frozenset({"counter", "log", "drop", "reject", "jump", "goto"})


class Chain(NamedTuple):
    """A chain's address in the ruleset."""

    family: str
    table: str
    name: str

    @property
    def is_iptables(self) -> bool:
        """Whether iptables (and with it perhaps ufw) owns this base chain, which nft must not write to."""
        return self.family in ("ip", "ip6") and self.table == "filter" and self.name == "INPUT"

    def __str__(self) -> str:
        return " ".join(self)


class Rule(NamedTuple):
    """A rule as ``nft -j`` lists it."""

    chain: Chain
    handle: int
    comment: str
    expr: list[Mapping[str, Any]]


class Ruleset(NamedTuple):
    """``closed`` are the base chains that drop or reject input that no rule has accepted."""

    closed: list[Chain]
    rules: list[Rule]

    def ours(self) -> list[Rule]:
        """Return this collection's rules."""
        return [rule for rule in self.rules if rule.comment.startswith(_OURS)]

    def names(self, chain: Chain, source: str) -> bool:
        """Return whether a rule of the chain contains the address."""
        return any(rule.chain == chain and json.dumps(source) in json.dumps(rule.expr) for rule in self.rules)


def parse_ruleset(output: str) -> Ruleset:
    """Return the ruleset in the output of ``nft --json list ruleset``; ``{}`` is an empty one."""
    rules: list[Rule] = []
    inputs: list[tuple[Chain, str]] = []
    for entry in json.loads(output or "{}").get("nftables", []):
        if "rule" in entry:
            rule = entry["rule"]
            chain = Chain(rule["family"], rule["table"], rule["chain"])
            rules.append(Rule(chain, rule["handle"], rule.get("comment", ""), rule["expr"]))
        elif _filters_input(entry.get("chain", {})):
            found = entry["chain"]
            inputs.append((Chain(found["family"], found["table"], found["name"]), found.get("policy", "accept")))
    closed = [chain for chain, policy in inputs if policy == "drop" or _drops(chain, rules)]
    return Ruleset(closed, rules)


def _filters_input(chain: Mapping[str, Any]) -> bool:
    # firewalld owns its table; its zones are opened instead.
    return (
        chain.get("hook") == "input"
        and chain["type"] == "filter"
        and chain["family"] in ("ip", "ip6", "inet")
        and chain["table"] != "firewalld"
    )


def _drops(chain: Chain, rules: Sequence[Rule]) -> bool:
    """Return whether an unconditional rule drops or rejects, in this chain or in one that it always jumps to."""
    for rule in rules:
        statements = {name: value for part in rule.expr for name, value in part.items()}
        if rule.chain != chain or not statements.keys() <= _ALWAYS:
            continue
        if "drop" in statements or "reject" in statements:
            return True
        target = statements.get("jump") or statements.get("goto")
        if target and _drops(chain._replace(name=target["target"]), rules):
            return True
    return False


def rules_for(chain: Chain, allows: Sequence[Allow]) -> dict[str, str]:
    """Return the rules for those addresses that the chain's family can match, by comment."""
    return {
        f"{_OURS}{allow.service} from {allow.source}": _rule(allow)
        for allow in allows
        if chain.family in ("inet", "ip" if allow.version == 4 else "ip6")
    }


def _rule(allow: Allow) -> str:
    family = "ip" if allow.version == 4 else "ip6"
    # Numbers, since names need /etc/protocols, which a minimal system lacks.
    if allow.service in PROTOCOLS:
        what = f"meta l4proto {PROTOCOLS[allow.service]}"
    else:
        what = f"udp dport {PORTS[allow.service]}"
    return f'{family} saddr {allow.source} {what} accept comment "{_OURS}{allow.service} from {allow.source}"'


def live_statements(ruleset: Ruleset, allows: Sequence[Allow], keep: bool = False) -> list[str]:
    """Return the statements for ``nft -f`` that update our rules in the running ruleset, if any.

    With *keep* existing rules stay, and only missing ones are added.
    """
    closed = [chain for chain in ruleset.closed if not chain.is_iptables]
    chains = list(dict.fromkeys([*closed, *(rule.chain for rule in ruleset.ours())]))
    statements: list[str] = []
    for chain in chains:
        present = [rule for rule in ruleset.ours() if rule.chain == chain]
        wanted = rules_for(chain, allows) if chain in closed else {}
        if keep:
            comments = [rule.comment for rule in present]
            statements += _inserts(chain, {name: rule for name, rule in wanted.items() if name not in comments})
        elif [rule.comment for rule in present] != list(wanted):
            statements += [f"delete rule {chain} handle {rule.handle}" for rule in present]
            statements += _inserts(chain, wanted)
    return statements


def _inserts(chain: Chain, wanted: Mapping[str, str]) -> Iterator[str]:
    # Each is inserted at the head, so the last one comes first.
    return (f"insert rule {chain} {rule}" for rule in reversed(list(wanted.values())))


def kept_statements(chains: Sequence[Chain], allows: Sequence[Allow]) -> list[str]:
    """Return the lines that let the peers in when the ruleset is loaded from its files.

    A chain missing from the files would make the whole load fail, and leave the host without a firewall. So each is
    declared first: this does nothing to an existing chain, and otherwise creates one that no packet reaches.
    """
    lines = []
    for chain in chains:
        rules = rules_for(chain, allows)
        if rules:
            lines += [f"table {chain.family} {chain.table} {{", f"\tchain {chain.name} {{", "\t}", "}"]
            lines += _inserts(chain, rules)
    return lines


def is_defined(chain: Chain, text: str) -> bool:
    """Return whether the files' *text* defines anything in the chain's table."""
    family = r"(ip\s+)?" if chain.family == "ip" else rf"{chain.family}\s+"
    return (
        re.search(rf"^\s*(add\s+)?(table|chain)\s+{family}{re.escape(chain.table)}\b", text, re.MULTILINE) is not None
    )


def includes(text: str) -> list[str]:
    """Return the patterns of the ``include`` lines of a file."""
    return re.findall(r'^\s*include\s+"([^"]+)"', text, re.MULTILINE)


def place_for_rules(path: str, text: str, snippet: str) -> str:
    """Return the file for our rules: *snippet* in the directory that *path* includes by a pattern, else *path* itself.

    The pattern must be the last statement in *path*: only there are our rules read after the chains that they go to.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    for pattern in includes(lines[-1]) if lines else []:
        place = os.path.join(os.path.dirname(path), os.path.dirname(pattern), snippet)
        if "*" in pattern and fnmatch.fnmatch(snippet, os.path.basename(pattern)):
            return place
    return path

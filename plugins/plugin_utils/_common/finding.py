# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings of a preflight or an audit, and how the user accepts them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple


class Finding(NamedTuple):
    """A problem: its kind, by which it can be accepted, its message, and its host and VIP, "" for all."""

    kind: str
    text: str
    host: str = ""
    vip: str = ""


def refusals(
    findings: Iterable[Finding], accepted: Container[str], variable: str, acceptable: Container[str] | None = None
) -> list[str]:
    """Return the messages of the findings that are not *accepted*, with the setting of *variable* that accepts them.

    Only kinds in *acceptable* can be accepted, by default all.
    """
    refused = []
    for found in findings:
        if acceptable is not None and found.kind not in acceptable:
            refused.append(found.text)
        elif found.kind not in accepted:
            refused.append(f"{found.text} (if this is intended, set {variable}: [{found.kind}])")
    return refused

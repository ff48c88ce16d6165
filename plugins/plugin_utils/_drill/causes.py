# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Why requests failed, and the remedies. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._probe.outages import GOOD
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.measure import Record, origin_s

LIMITED = "http_429"
"""The service answers, but rate-limits this client."""
ADVICE = {
    LIMITED: "a rate limit rejects the client: exempt its address from the limit, or raise drill_interval_s",
    "tls_untrusted": "the client does not know the CA: install it there, or set drill_validate_certs to false",
    "tls_name": "the certificate does not match the name in drill_url",
    "tls_expired": "the certificate has expired",
    "tls_not_yet_valid": "the certificate is not valid yet, or the client's clock is wrong",
}

_LEAST_S = 1e-6


def kinds(probes: Mapping[str, Record], start_s: float = -math.inf, end_s: float = math.inf) -> dict[str, int]:
    """Return the failed requests by error, in runs that overlap this span of the first client's clock."""
    found: dict[str, int] = {}
    for probe in probes.values():
        shift = origin_s(probe)
        for first_s, last_s, _end_s, count, outcome in probe.get("runs", []):
            if outcome != GOOD and first_s + shift < end_s and last_s + shift >= start_s:
                found[outcome] = found.get(outcome, 0) + count
    return found


def causes(outages: Sequence[Record], probes: Mapping[str, Record]) -> dict[str, int]:
    """Return the failed requests by error within these outages, which are on the first client's clock."""
    found: dict[str, int] = {}
    for outage in outages:
        for kind, count in kinds(probes, outage["first_s"], outage["last_s"] + _LEAST_S).items():
            found[kind] = found.get(kind, 0) + count
    return found


def told(found: Mapping[str, int]) -> str:
    """Return the errors and their remedies in parentheses, to append to a reason; "" without errors."""
    counts = ", ".join(f"{kind} {count}" for kind, count in sorted(found.items(), key=lambda one: -one[1]))
    advice = [text for kind, text in ADVICE.items() if kind in found]
    return f" ({'; '.join([counts, *advice])})" if found else ""

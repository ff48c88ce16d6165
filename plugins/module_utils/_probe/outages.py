# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Outages derived from a prober's requests. Pure; all times in seconds on one monotonic clock."""

from __future__ import annotations

import errno
import math
import ssl
from array import array
from collections import Counter
from itertools import chain, groupby, islice
from operator import attrgetter, itemgetter
from typing import Any, Iterable, Iterator, NamedTuple, Sequence

GOOD = ""
"""The outcome of a good request; every other outcome is the kind of error."""

# Errors by the name that people search for.
_ERRNO_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.ETIMEDOUT: "timeout",
}

# Errors of a certificate, by OpenSSL's X509_V_ERR numbers (x509_vfy.h, which never renumbers them).
_CERTIFICATE_KINDS = {
    9: "tls_not_yet_valid",
    10: "tls_expired",
    18: "tls_untrusted",
    19: "tls_untrusted",
    20: "tls_untrusted",
    21: "tls_untrusted",
    62: "tls_name",
    64: "tls_name",
}


GOOD_IN_A_ROW = 10
"""An outage ends with this many good requests in a row: a service that refuses every other one is not back."""
GAPS = 1000
"""Maximum number of gaps to report; of more the longest are kept."""


class ExpiredError(OSError):
    """The deadline came before the awaited event."""


class Request(NamedTuple):
    """A finished request: its start, its duration, and its outcome."""

    start_s: float
    took_s: float
    outcome: str

    @property
    def end_s(self) -> float:
        """Return when it was answered, or abandoned."""
        return self.start_s + self.took_s


class Streak(NamedTuple):
    """Consecutive requests with the same outcome.

    ``start_s`` and ``last_start_s`` are the starts of the first and the last of them, ``first_end_s`` the end of the
    first, ``end_s`` the latest end of all.
    """

    start_s: float
    last_start_s: float
    first_end_s: float
    end_s: float
    size: int
    outcome: str


class Outage(NamedTuple):
    """Failed requests, with fewer than GOOD_IN_A_ROW good ones between any two of them.

    ``start_s`` is the start of the last good request before it, ``end_s`` the answer to the first good one after it,
    or the end of probing if there was none (``recovered`` is then False). ``first_s`` and ``last_s`` are the starts
    of the first and the last failed request, ``failed`` counts only failed ones.
    """

    start_s: float
    end_s: float
    first_s: float
    last_s: float
    failed: int
    recovered: bool


class Cut(NamedTuple):
    """A kept connection that ended in use: when its last request began, when the client noticed, and how."""

    since_s: float
    at_s: float
    kind: str


class Latency:
    """Durations of good requests. Counting equal ones, to three digits, keeps hours of them small in memory."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._longest_s = 0.0

    def add(self, took_s: float) -> None:
        """Add a duration in seconds."""
        self._counts[f"{took_s:.3g}"] += 1
        self._longest_s = max(self._longest_s, took_s)

    def summary(self) -> dict[str, float] | None:
        """Return median, 99th percentile (nearest rank, to three digits) and maximum; None without any."""
        if not self._counts:
            return None
        # Rounding up must not exceed the maximum.
        values = sorted((min(float(text), self._longest_s), count) for text, count in self._counts.items())
        return {
            "p50": _percentile(values, 0.5),
            "p99": _percentile(values, 0.99),
            "max": round(self._longest_s, 6),
        }


class Journal:
    """All requests of a probe, 13 bytes each, so that an hour at 500 per second stays below 24 MB."""

    def __init__(self) -> None:
        self.starts = array("d")
        # Single precision is off by 15 ns at 0.25 s.
        self._took = array("f")
        self._outcomes = array("B")
        self._codes: dict[str, int] = {GOOD: 0, "unfinished": 1}

    def __len__(self) -> int:
        """Return how many requests there are."""
        return len(self.starts)

    def begin(self, start_s: float) -> int:
        """Record the start of a request. Returns its number; until it ends it counts as unfinished."""
        self.starts.append(start_s)
        self._took.append(0.0)
        self._outcomes.append(1)
        return len(self.starts) - 1

    def end(self, number: int, end_s: float, outcome: str) -> None:
        """Record the end of request ``number``, with GOOD or the kind of error."""
        self._took[number] = end_s - self.starts[number]
        self._outcomes[number] = self._codes.setdefault(outcome, len(self._codes))

    def requests(self) -> Iterator[Request]:
        """Return the requests in the order of their starts."""
        kinds = list(self._codes)
        for start_s, took_s, code in zip(self.starts, self._took, self._outcomes):
            yield Request(start_s, took_s, kinds[code])

    def errors(self) -> dict[str, int]:
        """Return how many requests failed, by kind."""
        counts = {kind: self._outcomes.count(code) for kind, code in self._codes.items() if kind != GOOD}
        return {kind: count for kind, count in counts.items() if count}


def error_kind(number: int) -> str:
    """Name the error of a socket: refused, reset, unreachable, timeout, or the errno's own name."""
    return _ERRNO_KINDS.get(number) or errno.errorcode.get(number, f"errno_{number}")


def outcome_of(error: OSError) -> str:
    """Name the error that ended a request: timeout, tls_* or that of its socket."""
    if isinstance(error, ExpiredError):
        return "timeout"
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE_KINDS.get(error.verify_code, f"tls_certificate_{error.verify_code}")
    if isinstance(error, ssl.SSLEOFError):
        return "tls_closed"
    if isinstance(error, ssl.SSLError):
        # OpenSSL's own name, such as WRONG_VERSION_NUMBER from a server without TLS.
        return f"tls_{(error.reason or 'error').lower()}"
    return error_kind(error.errno or 0)


def runs(requests: Iterable[Request]) -> list[Streak]:
    """Group requests, in the order of their starts, into runs of the same outcome."""
    return [_run(group) for _outcome, group in groupby(requests, key=attrgetter("outcome"))]


def _run(requests: Iterator[Request]) -> Streak:
    first = next(requests)
    last_start_s, end_s, size = first.start_s, first.end_s, 1
    for request in requests:
        last_start_s = request.start_s
        end_s = max(end_s, request.end_s)
        size += 1
    return Streak(first.start_s, last_start_s, first.end_s, end_s, size, first.outcome)


def outages(found: Sequence[Streak]) -> list[Outage]:
    """Return the outages in *found*, runs in the order of their starts.

    If the first request fails, the outage starts with it, since the time before is unknown.
    """
    result: list[Outage] = []
    bad: list[Streak] = []
    good: Streak | None = None
    for number, run in enumerate(found, 1):
        if run.outcome != GOOD:
            bad.append(run)
            continue
        if bad and run.size < GOOD_IN_A_ROW and number < len(found):
            continue
        if bad:
            result.append(_outage(good, bad, run))
            bad = []
        good = run
    return [*result, _outage(good, bad, None)] if bad else result


def _outage(before: Streak | None, bad: Sequence[Streak], after: Streak | None) -> Outage:
    return Outage(
        start_s=before.last_start_s if before else bad[0].start_s,
        end_s=after.first_end_s if after else max(run.end_s for run in bad),
        first_s=bad[0].start_s,
        last_s=bad[-1].last_start_s,
        failed=sum(run.size for run in bad),
        recovered=after is not None,
    )


def max_gap_s(starts: Sequence[float], stopped_s: float) -> float:
    """Return the longest time without the start of a request, up to the end of probing."""
    later = chain(islice(starts, 1, None), [stopped_s])
    return max((after - before for before, after in zip(starts, later)), default=0.0)


def gaps(starts: Sequence[float], stopped_s: float, above_s: float) -> list[tuple[float, float]]:
    """Return the times longer than *above_s* without the start of a request: start and length, in order."""
    later = chain(islice(starts, 1, None), [stopped_s])
    found = [(before, after - before) for before, after in zip(starts, later) if after - before > above_s]
    return sorted(sorted(found, key=itemgetter(1))[-GAPS:])


def latency(good_s: Iterable[float]) -> dict[str, float] | None:
    """Return median, 99th percentile and maximum duration of good requests, None without any."""
    found = Latency()
    for took_s in good_s:
        found.add(took_s)
    return found.summary()


def _percentile(values: Sequence[tuple[float, int]], share: float) -> float:
    rank = math.ceil(share * sum(count for _value, count in values))
    for value, count in values:
        rank -= count
        if rank <= 0:
            return round(value, 6)
    raise ValueError("no values")


def summary(journal: Journal, stopped_s: float, interval_s: float) -> dict[str, Any]:
    """Return vip_probe's result; times count from the first request. A gap is longer than two intervals."""
    origin = journal.starts[0] if journal else stopped_s
    found = runs(journal.requests())
    away = outages(found)
    errors = journal.errors()
    return {
        "requests": len(journal),
        "failed": sum(errors.values()),
        "errors": errors,
        "origin_s": origin,
        "runs": [
            [
                round(run.start_s - origin, 6),
                round(run.last_start_s - origin, 6),
                round(run.end_s - origin, 6),
                run.size,
                run.outcome,
            ]
            for run in found
        ],
        "outages": [
            {
                "start_s": round(outage.start_s - origin, 6),
                "end_s": round(outage.end_s - origin, 6),
                "first_s": round(outage.first_s - origin, 6),
                "last_s": round(outage.last_s - origin, 6),
                "outage_s": round(outage.end_s - outage.start_s, 6),
                "failed": outage.failed,
                "recovered": outage.recovered,
            }
            for outage in away
        ],
        "outage_s": round(max((outage.end_s - outage.start_s for outage in away), default=0.0), 6),
        "gaps": [
            [round(since_s - origin, 6), round(length_s, 6)]
            for since_s, length_s in gaps(journal.starts, stopped_s, 2 * interval_s)
        ],
        "max_gap_s": round(max_gap_s(journal.starts, stopped_s), 6),
        "elapsed_s": round(stopped_s - origin, 6),
        "latency_s": latency(request.took_s for request in journal.requests() if request.outcome == GOOD),
    }

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Converts the results of a drill's tasks, loops over hosts, to the records that ``verdict`` judges. Pure.

Results have the host under ``__drill_host``, those of background jobs their job under ``__drill_job``.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.verdict import Drill

Result = Mapping[str, Any]
HOST, JOB = "__drill_host", "__drill_job"


def gather(drill: Mapping[str, Any], stopped: Sequence[Result], seen: Sequence[Result]) -> Drill:
    """Return the records of a drill.

    *drill* has the fields of Drill except those from background jobs. *stopped* are the results of removing each host's
    run file, *seen* those of the probers and watchers.
    """
    runs = [observe_run(run) for run in drill["runs"]]
    booted = {host for run in runs for host in run["targets"]} if FAULTS[drill["fault"]].boots else set()
    watching = {result[JOB][HOST] for result in seen}
    # A job that ends by itself removes its run file.
    early = [
        result[HOST]
        for result in stopped
        if not result.get("unreachable") and not result.get("changed") and result[HOST] in watching - booted
    ]
    lost = [
        f"{result[JOB][HOST]}: {result.get('msg') or 'its result did not arrive in time'}" for result in failed(seen)
    ]
    return Drill(
        **{
            **drill,
            "runs": runs,
            "probes": {result[JOB][HOST]: result["probe"] for result in seen if "probe" in result},
            "watches": {result[JOB][HOST]: result["watch"] for result in seen if "watch" in result},
            "disturbed": [f"{host}: it ended before the drill was over" for host in early] + lost,
        }
    )


def observe_run(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run with ``after`` keyed by host, and with its failed heals as ``errors``."""
    unhealed = [f"{result[HOST]}: {result.get('msg', '')}" for result in failed(run["healed"])]
    return {**run, "after": by_host(run["after"]), "errors": unhealed}


def by_host(results: Iterable[Result]) -> dict[str, Result]:
    """Return a loop's results by host."""
    return {result[HOST]: result for result in results}


def failed(results: Sequence[Result]) -> list[Result]:
    """Return the results that failed, then those of unreachable hosts."""
    return [result for key in ("failed", "unreachable") for result in results if result.get(key)]

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A drill as Ansible's tasks recorded it: results of loops over hosts, to records that can be judged. Pure.

Results have the host under ``__drill_host``, those of background jobs their job under ``__drill_job``.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._faults.catalogue import FAULTS
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill.verdict import Drill

Result = Mapping[str, Any]
HOST, JOB = "__drill_host", "__drill_job"


def gather(drill: Mapping[str, Any], stopped: Sequence[Result], seen: Sequence[Result]) -> Drill:
    """Return what can be judged.

    *drill* has the fields of Drill but those that come from the jobs: *stopped* says whether each host's run file was
    still there to be removed, *seen* is what the probers and watchers returned.
    """
    runs = [observe_run(run) for run in drill["runs"]]
    booted = {host for run in runs for host in run["targets"]} if FAULTS[drill["fault"]].boots else set()
    watching = {result[JOB][HOST] for result in seen}
    # One that ends by itself takes its run file away, so nothing is left to remove.
    early = [
        result[HOST]
        for result in stopped
        if not result.get("unreachable") and not result.get("changed") and result[HOST] in watching - booted
    ]
    lost = [
        f"{result[JOB][HOST]}: {result.get('msg') or 'what it saw did not come in time'}" for result in failed(seen)
    ]
    return Drill(
        **{
            **drill,
            "runs": runs,
            "probes": {result[JOB][HOST]: result["probe"] for result in seen if "probe" in result},
            "watches": {result[JOB][HOST]: result["watch"] for result in seen if "watch" in result},
            "disturbed": [f"{host}: it stopped looking before the drill was over" for host in early] + lost,
        }
    )


def observe_run(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run with what was seen ``after`` it by host, and with each heal that failed as one of its ``errors``."""
    unhealed = [f"{result[HOST]}: {result.get('msg', '')}" for result in failed(run["healed"])]
    return {**run, "after": by_host(run["after"]), "errors": unhealed}


def by_host(results: Iterable[Result]) -> dict[str, Result]:
    """Return the results of a loop over hosts by host."""
    return {result[HOST]: result for result in results}


def failed(results: Sequence[Result]) -> list[Result]:
    """Return the results that failed, and after them those of hosts that could not be reached."""
    return [result for key in ("failed", "unreachable") for result in results if result.get(key)]

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Turns what runs on the hosts into variables beside the configurations', and names what site cannot manage. Pure.

*answers* has what daemon_info returns for each host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._common.hand_made import job_kept, outside, untracked
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.plan import CONF

Answers = Mapping[str, Mapping[str, Any]]

ENGINES = ("haproxy", "nginx")
_BINDS = "; to bind a virtual IP that another host holds, it needs the kernel parameter net.ipv4.ip_nonlocal_bind=1"
CONFS = {"haproxy": "/etc/haproxy/haproxy.cfg", "keepalived": CONF, "nginx": "/etc/nginx/nginx.conf"}
"""Where the distribution's packages have their configurations."""


def engine(answers: Answers) -> str:
    """Return the one of nginx and haproxy that runs on the hosts as a service; empty if that is neither, or both."""
    found = {name for answer in answers.values() for name in ENGINES if answer["daemons"][name]["running"]}
    return found.pop() if len(found) == 1 else ""


def placed(daemon: str, answers: Answers) -> dict[str, dict[str, Any]]:
    """Return each host's variables for a daemon that is not where its package has it, or does not start at boot."""
    found: dict[str, dict[str, Any]] = {}
    for host, answer in answers.items():
        running = answer["daemons"][daemon]
        program, conf = running["program"] or "", running["conf"] or ""
        own: dict[str, Any] = {}
        if program and not _is_packaged(daemon, program):
            own[f"{daemon}_program"] = program
        if running["running"] and not running["at_boot"]:
            own[f"{daemon}_at_boot"] = False
        if conf and conf != CONFS[daemon] and daemon != "keepalived":
            own[f"{daemon}_conf_path"] = conf
        found[host] = own
    return found


def accepted(daemon: str, answers: Answers) -> set[str]:
    """Return the kinds of complaints that a daemon itself has about what it runs."""
    return {kind for answer in answers.values() for kind in answer["daemons"][daemon]["accepts"]}


def obstacles(answers: Answers) -> Iterator[str]:
    """Return why site could not manage what runs on the hosts, or would start more of it, one sentence each."""
    yield from _stopped(answers)
    for host, answer in answers.items():
        daemons = answer["daemons"]
        served = any(daemons[name]["running"] for name in ENGINES)
        for name, found in daemons.items():
            stray = found["stray"]
            if stray and (name == "keepalived" or not served):
                yield f"{host}: " + (
                    untracked(name, stray)
                    or f"{outside(name, stray)}, the unit by which site reloads and restarts it; write that unit if"
                    " there is none, end the process, and start the unit"
                )
        conf = daemons["keepalived"]["conf"]
        if conf and conf != CONF:
            yield (
                f"{host}: keepalived reads {conf}, but the role keepalived writes {CONF}:"
                f" move the file there, and start keepalived with --use-file={CONF}"
            )


def _stopped(answers: Answers) -> Iterator[str]:
    for name in filter(None, (engine(answers), "keepalived")):
        running = [host for host, answer in answers.items() if answer["daemons"][name]["running"]]
        for host, answer in answers.items():
            if running and host not in running and not answer["daemons"][name]["stray"]:
                yield (
                    f"{host}: {name}.service does not run here, but on {', '.join(running)}, and site would start it."
                    f" Start it{_BINDS if name in ENGINES else ''}"
                )


def left_alone(answers: Answers) -> Iterator[str]:
    """Return what site leaves alone or cannot change, one sentence each."""
    for host, answer in answers.items():
        for name, found in answer["daemons"].items():
            if found["running"] and not found["reloads"]:
                yield f"{host}: {name}.service has no ExecReload=, without which site cannot apply a change: add one"
        haproxy = answer["daemons"]["haproxy"]
        # Enterprise Linux's unit also names /etc/haproxy/conf.d.
        for path in sorted(set(haproxy["files"]) - {haproxy["conf"]}):
            if path.endswith(".cfg"):
                yield (
                    f"{host}: haproxy also reads {path}, which stays as it is; site checks a changed {haproxy['conf']}"
                    " without it"
                )
        for job in answer["cron"]:
            yield f"{host}: {job_kept(job)}"


def _is_packaged(daemon: str, program: str) -> bool:
    # Both are one folder where /sbin is a link.
    return program in (f"/usr/sbin/{daemon}", f"/sbin/{daemon}")

#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: daemon_info
short_description: Report whether daemons run what their files say
version_added: "0.1.0"
description:
  - Reports when a running nginx or haproxy last read its files, by the age of its processes, and when these files were
    written. It does not matter who reloaded it, or how.
  - Reports for pairs set up by hand where programs and configurations are, whether the daemons run as their own
    units, and which cron jobs concern them or an address in keepalived's configuration.
  - Reports what a killed run of M(haproof.balancer.daemon_config) left undone, also for keepalived. See
    RV(haproof.balancer.vip_info#module:keepalived) for how a running keepalived differs from its files.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
options:
  check:
    description: Whether to have the running daemons check their files, for RV(daemons.accepts).
    type: bool
    default: false
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Inspect the daemons
  haproof.balancer.daemon_info:
  register: daemons

- name: Fail if a run was interrupted before nginx read its files
  ansible.builtin.assert:
    that: not daemons.daemons.nginx.unfinished
"""

RETURN = r"""
daemons:
  description: The state of V(nginx), V(haproxy) and V(keepalived), by name.
  type: dict
  returned: always
  contains:
    running:
      description: Whether its unit is running.
      type: bool
    unfinished:
      description: The action that an earlier run left undone, V(reload) or V(restart); empty if there is none.
      type: str
      sample: reload
    units_outdated:
      description: Whether its unit files changed since systemd last read them.
      type: bool
    program:
      description: Path of its program, as its unit names it; null if its unit is not running.
      type: str
      sample: /usr/sbin/nginx
    reloads:
      description: Whether its unit can reload it.
      type: bool
    at_boot:
      description: Whether its unit is enabled, or generated from an init script, and so usually starts at boot.
      type: bool
    stray:
      description: The process that runs outside of its unit, if its unit is not running.
      type: dict
      contains:
        pid:
          description: Id of its main process.
          type: int
        unit:
          description: The service that this process is part of, such as that of a check which started it; may be empty.
          type: str
    conf:
      description: The configuration that it was started with; null if unknown.
      type: str
      sample: /etc/nginx/nginx.conf
    accepts:
      description:
        - The kinds of complaints from a check of its files, as in O(haproof.balancer.daemon_config#module:accept).
          Empty without O(check).
      type: list
      elements: str
    loaded_at:
      description: When it last read its files, in seconds since the epoch; null if unknown.
      type: float
    files:
      description:
        - When each of them was written, in seconds since the epoch. These are the configuration and its includes,
          certificates, keys, modules and error pages, but not files that the daemon reads at run time.
      type: dict
      sample: {"/etc/nginx/nginx.conf": 1767225600.0}
cron:
  description:
    - Jobs that name one of the daemons or such an address, or run a script that does, each with its file. The lines of
      C(rc.local), which run at boot, are among them.
  type: list
  elements: str
  returned: always
  sample: ["/var/spool/cron/crontabs/root: * * * * * /root/alarm.sh"]
"""

from contextlib import suppress
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.proc import children
from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.cron import addresses_in, jobs
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import DAEMONS
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.loaded import (
    LOADERS,
    Loader,
    read_process,
    since_epoch,
    written_at,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.running import at_boot, program, stray
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import Mark
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.disk import read_sources
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.process import (
    DEFAULT_CONFIG,
    Keepalived,
    KeepalivedError,
)

_BETWEEN = ("activating", "deactivating")
NOTHING_LOADED: dict[str, Any] = {"loaded_at": None, "conf": None, "files": {}}


def read_loaded(run: Runner, loader: Loader, pid: int, path: str) -> dict[str, Any]:
    """Return ``loaded_at``, ``conf`` and ``files`` of the daemon with this main process and program."""
    main = read_process(pid)
    if main is None:
        return dict(NOTHING_LOADED)
    _rc, out, err = run([path, loader.built]) if loader.built else (0, "", "")
    workers = [process for process in map(read_process, sorted(children(pid))) if process]
    started = loader.started(main, workers)
    files = loader.files(main.command.split("\0"), out + err)
    return {"loaded_at": since_epoch(started), "conf": next(iter(files), None), "files": written_at(files)}


def keepalived_conf(run: Runner, pid: int) -> str | None:
    """Return the configuration of the keepalived with this main process."""
    with suppress(KeepalivedError):
        return Keepalived(run, pid, 0).config()
    return None


def complaints(run: Runner, name: str, path: str, conf: str) -> list[str]:
    """Return the kinds of complaints that a daemon has about its own configuration."""
    daemon = DAEMONS[name].at(path)
    if not daemon.acceptable:
        return []
    _rc, out, err = run([*daemon.check, conf])
    return sorted(kind for kind, pattern in daemon.acceptable.items() if pattern.search(out + err))


def inspect(run: Runner, name: str, check: bool) -> dict[str, Any]:
    """Return the state of a daemon, as in RETURN."""
    asked = "MainPID,ActiveState,NeedDaemonReload,CanReload,ExecStart,UnitFileState"
    _rc, out, _err = run(["systemctl", "show", name, f"--property={asked}"])
    properties = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    pid = int(properties.get("MainPID", "0"))
    unfinished = Mark(name).read()
    path = program(pid, properties.get("ExecStart", "")) if pid else None
    other = None if pid else stray(name)
    if other and other.unit == f"{name}.service" and properties.get("ActiveState") in _BETWEEN:
        # systemd learns of the main process when the start ends, and ends what is left of a stop.
        other = None
    loaded = read_loaded(run, LOADERS[name], pid, path) if path and name in LOADERS else dict(NOTHING_LOADED)
    if pid and name == "keepalived":
        loaded["conf"] = keepalived_conf(run, pid)
    return {
        "running": pid > 0,
        "program": path,
        "reloads": properties.get("CanReload") == "yes",
        "at_boot": at_boot(properties.get("UnitFileState", "")),
        "stray": other._asdict() if other else None,
        "accepts": complaints(run, name, path, loaded["conf"]) if check and path and loaded["conf"] else [],
        "unfinished": unfinished.action if unfinished else "",
        "units_outdated": properties.get("NeedDaemonReload") == "yes",
        **loaded,
    }


def related_jobs() -> list[str]:
    """Return the cron jobs that concern the daemons, or an address in keepalived's configuration."""
    return jobs(sorted(DAEMONS), addresses_in(read_sources(DEFAULT_CONFIG).text))


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(argument_spec={"check": {"type": "bool", "default": False}}, supports_check_mode=True)
    module.run_command_environ_update = {"LC_ALL": "C"}
    try:
        daemons = {name: inspect(module.run_command, name, module.params["check"]) for name in sorted(DAEMONS)}
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, daemons=daemons, cron=related_jobs())


if __name__ == "__main__":
    main()

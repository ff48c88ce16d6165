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
  - Reports what a killed run of M(haproof.balancer.daemon_config) left undone, also for keepalived. See
    RV(haproof.balancer.vip_info#module:keepalived) for how a running keepalived differs from its files.
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
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
    loaded_at:
      description: When it last read its files, in seconds since the epoch; null if unknown.
      type: float
    files:
      description:
        - When each of them was written, in seconds since the epoch. These are the configuration and its includes,
          certificates, keys, modules and error pages, but not files that the daemon reads at run time.
      type: dict
      sample: {"/etc/nginx/nginx.conf": 1767225600.0}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.proc import children
from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import DAEMONS
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.loaded import (
    LOADERS,
    Loader,
    read_process,
    since_epoch,
    written_at,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import Mark


def read_loaded(loader: Loader, pid: int) -> dict[str, Any]:
    """Return ``loaded_at`` and ``files`` of the daemon with this main process."""
    main = read_process(pid)
    if main is None:
        return {"loaded_at": None, "files": {}}
    workers = [process for process in map(read_process, sorted(children(pid))) if process]
    started = loader.started(main, workers)
    return {"loaded_at": since_epoch(started), "files": written_at(loader.files(main.command.split("\0")))}


def inspect(run: Runner, name: str) -> dict[str, Any]:
    """Return the state of a daemon, as in RETURN."""
    _rc, out, _err = run(["systemctl", "show", name, "--property=MainPID,NeedDaemonReload"])
    properties = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    pid = int(properties.get("MainPID", "0"))
    unfinished = Mark(name).read()
    nothing: dict[str, Any] = {"loaded_at": None, "files": {}}
    return {
        "running": pid > 0,
        "unfinished": unfinished.action if unfinished else "",
        "units_outdated": properties.get("NeedDaemonReload") == "yes",
        **(read_loaded(LOADERS[name], pid) if pid and name in LOADERS else nothing),
    }


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.run_command_environ_update = {"LC_ALL": "C"}
    try:
        daemons = {name: inspect(module.run_command, name) for name in sorted(DAEMONS)}
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, daemons=daemons)


if __name__ == "__main__":
    main()

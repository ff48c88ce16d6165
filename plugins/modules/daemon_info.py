#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: daemon_info
short_description: Whether daemons run what their files say
version_added: "0.1.0"
description:
  - Reports when a running nginx or haproxy last read its files, by the age of its processes, and when these files were
    written. It does not matter who reloaded it, and how.
  - Reports what M(haproof.balancer.daemon_config) had still to do when it was killed, also for keepalived. How a
    running keepalived differs from its files is in RV(haproof.balancer.vip_info#module:keepalived).
extends_documentation_fragment:
  - haproof.balancer.attributes
  - haproof.balancer.attributes.read_only
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: See what runs
  haproof.balancer.daemon_info:
  register: daemons

- name: Fail when a run was cut off before nginx took its files
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
      description: Whether its unit runs.
      type: bool
    unfinished:
      description: The action that an earlier run did not get to, V(reload) or V(restart); empty when there is none.
      type: str
      sample: reload
    units_outdated:
      description: Whether its unit files were changed and systemd has not read them again.
      type: bool
    loaded_at:
      description: When it has read its files, in seconds since the epoch; null when that is not known.
      type: float
    files:
      description:
        - When each of them was written, in seconds since the epoch. These are the configuration with what it includes,
          certificates, keys, modules and error pages. Files that it reads at run time are not among them.
      type: dict
      sample: {"/etc/nginx/nginx.conf": 1767225600.0}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.proc import children
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import DAEMONS
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.loaded import (
    LOADERS,
    Loader,
    read_process,
    since_epoch,
    written_at,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.service import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import Mark


def loaded(loader: Loader, pid: int) -> dict[str, Any]:
    """``loaded_at`` and ``files`` of the daemon with this main process."""
    main = read_process(pid)
    if main is None:
        return {"loaded_at": None, "files": {}}
    workers = [process for process in map(read_process, sorted(children(pid))) if process]
    started = loader.started(main, workers)
    return {"loaded_at": since_epoch(started), "files": written_at(loader.files(main.command.split("\0")))}


def look(run: Runner, name: str) -> dict[str, Any]:
    """All of a daemon that RETURN tells."""
    _rc, out, _err = run(["systemctl", "show", name, "--property=MainPID,NeedDaemonReload"])
    properties = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    pid = int(properties.get("MainPID", "0"))
    unfinished = Mark(name).read()
    nothing: dict[str, Any] = {"loaded_at": None, "files": {}}
    return {
        "running": pid > 0,
        "unfinished": unfinished.action if unfinished else "",
        "units_outdated": properties.get("NeedDaemonReload") == "yes",
        **(loaded(LOADERS[name], pid) if pid and name in LOADERS else nothing),
    }


def main() -> None:
    """Connect the parts."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    module.run_command_environ_update = {"LC_ALL": "C"}
    try:
        daemons = {name: look(module.run_command, name) for name in sorted(DAEMONS)}
    except OSError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, daemons=daemons)


if __name__ == "__main__":
    main()

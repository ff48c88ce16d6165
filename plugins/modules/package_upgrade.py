#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: package_upgrade
short_description: Upgrade the packages of daemons, or the whole system
version_added: "0.1.0"
description:
  - Upgrades the packages of some daemons, or all packages, or takes a daemon to a named version, which may be an older
    one. In check mode it reports what the package manager would do.
  - Configuration files that were changed on the host stay. Package lists are not refreshed.
  - With dpkg it first completes what an interrupted run left.
  - It restarts nothing by itself; the packages' scripts may.
extends_documentation_fragment:
  - haproof.balancer.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  daemons:
    description:
      - The daemons, by the name of their source package. All installed packages that come from it are upgraded, such as
        C(nginx-common) and C(libnginx-mod-stream) with V(nginx).
      - A package on hold is not, unless O(versions) has its daemon.
    type: list
    elements: str
    required: true
  versions:
    description:
      - The version to install, by daemon, as the package manager has it. Daemons without one get the newest version.
    type: dict
    default: {}
  system:
    description: Whether to upgrade all packages.
    type: bool
    default: false
  database:
    description: The package database.
    type: str
    choices: [dpkg, rpm]
    required: true
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Report what would be upgraded
  haproof.balancer.package_upgrade:
    daemons: [nginx, keepalived]
    database: dpkg
  check_mode: true
  register: upgrade

- name: Return to an older version
  haproof.balancer.package_upgrade:
    daemons: [nginx]
    versions: {nginx: 1.22.1-9+deb12u9}
    database: dpkg
"""

RETURN = r"""
packages:
  description:
    - The packages that changed (in check mode, that would change). A package that an interrupted run left unconfigured
      is among them although its version stays.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The package.
      type: str
    source:
      description: The source package that it comes from; empty if it was not installed.
      type: str
    old:
      description: Its version before; empty if it was not installed.
      type: str
    new:
      description: Its version afterwards.
      type: str
  sample: [{"name": "nginx", "source": "nginx", "old": "1.22.1-9+deb12u9", "new": "1.22.1-9+deb12u11"}]
installed:
  description: The versions of the daemons before.
  type: dict
  returned: success
  sample: {"nginx": "1.22.1-9+deb12u9"}
removed:
  description: The packages that were removed (in check mode, that would be).
  type: list
  elements: str
  returned: success
held:
  description: Packages of O(daemons) on hold, which stay as they are.
  type: list
  elements: str
  returned: success
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.upgrades import (
    QUERIES,
    Package,
    Planned,
    applying,
    changes,
    combined,
    commands,
    named,
    parse_packages,
    parse_simulation,
    simulating,
)

JOURNAL = "/var/lib/dpkg/updates"
"""Has files while dpkg works, and after it was killed. apt refuses to work until dpkg has completed that."""
OUTPUT_LINES = 20


def installed(module: AnsibleModule) -> dict[str, Package]:
    """Return the installed packages."""
    _rc, out, _err = module.run_command(QUERIES[module.params["database"]], check_rc=True)
    return parse_packages(out)


def simulate(module: AnsibleModule, argv: list[str]) -> Planned:
    """Return what a command would do. Fails if it could not do it."""
    rc, out, err = module.run_command(simulating(argv))
    planned = parse_simulation(module.params["database"], out)
    # dnf also exits with 1 because it may not do what it would.
    if rc != 0 and not (planned.versions or planned.removed):
        fail(module, "cannot be upgraded", argv, rc, out, err)
    return planned


def apply(module: AnsibleModule, argv: list[str]) -> None:
    """Run a command, which must succeed."""
    rc, out, err = module.run_command(applying(argv))
    if rc != 0:
        fail(module, "the upgrade failed", argv, rc, out, err)


def fail(module: AnsibleModule, what: str, argv: list[str], rc: int, out: str, err: str) -> None:
    """Fail with the last lines of a package manager's output."""
    said = "\n".join(f"{out}\n{err}".strip().splitlines()[-OUTPUT_LINES:])
    module.fail_json(msg=f"{argv[0]}: {what}: {said}", cmd=argv, rc=rc, stdout=out, stderr=err)


def complete(module: AnsibleModule) -> None:
    """Complete what a killed dpkg left; a package that still cannot be configured may be replaced afterwards."""
    if module.params["database"] == "dpkg" and os.path.isdir(JOURNAL) and os.listdir(JOURNAL):
        module.run_command(["dpkg", "--force-confdef", "--force-confold", "--configure", "--pending"])


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "daemons": {"type": "list", "elements": "str", "required": True},
            "versions": {"type": "dict", "default": {}},
            "system": {"type": "bool", "default": False},
            "database": {"type": "str", "required": True, "choices": sorted(QUERIES)},
        },
        supports_check_mode=True,
    )
    database, system = module.params["database"], module.params["system"]
    versions = {daemon: str(version) for daemon, version in module.params["versions"].items()}
    module.run_command_environ_update = {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    if not module.check_mode:
        complete(module)
    before = installed(module)
    names = named(before, module.params["daemons"], versions)
    todo = commands(database, names, system)
    planned = combined([simulate(module, argv) for argv in todo])
    packages = changes(before, planned, before if system else names)
    own = [package for package in before.values() if package.source in module.params["daemons"]]
    result: dict[str, Any] = {
        "changed": bool(packages or planned.removed),
        "packages": packages,
        "removed": list(planned.removed),
        "installed": {package.name: package.version for package in own if package.name == package.source},
        "held": sorted(package.name for package in own if package.held and package.name not in names),
    }
    result["diff"] = {
        "before": "".join(f"{entry['name']} {entry['old']}\n" for entry in packages if entry["old"]),
        "after": "".join(f"{entry['name']} {entry['new']}\n" for entry in packages),
    }
    if result["changed"] and not module.check_mode:
        for argv in todo:
            apply(module, argv)
    module.exit_json(**result)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: daemon_config
short_description: Replace a daemon's files in one transaction
version_added: "0.1.0"
description:
  - Writes the files in O(files), has the daemon check the new main file before it replaces the live one, swaps it
    atomically, reloads the running service and verifies that the daemon accepted the reload.
  - Before haproxy is reloaded, each address that it does not listen on yet is tried. haproxy itself would close all its
    listeners for two seconds if another process used one of them.
  - A stopped service is started instead, and enabled unless O(at_boot=false).
  - The service is restarted instead if one of the files in O(restart_on) changes, for which a reload is not enough.
  - If any of these steps fails, every file is restored, the service is reloaded (or restarted) with it, and the module
    fails with the daemon's own output. The previous files are kept beside the new ones until the daemon has accepted
    them, so a rollback needs no free disk space.
  - A killed run leaves a mark in C(/run/haproof). The next run rolls back its changes that the daemon had not yet
    accepted, completes its unfinished actions, even if all files are up to date, and removes leftover files. Files that
    were edited since stay.
  - systemd is reloaded if one of the files is under C(/etc/systemd).
extends_documentation_fragment:
  - haproof.balancer.attributes
attributes:
  check_mode:
    support: full
    details:
      - The daemon also checks the new main file, if the daemon is installed and no file in O(files) would change.
      - Fails if the daemon would be started, and a process outside of O(replaces) has one of its addresses.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  daemon:
    description: The daemon. It determines how a file is checked and a reload is verified.
    type: str
    required: true
    choices: [haproxy, keepalived, nginx]
  service:
    description: The daemon's systemd unit. Defaults to the name of the daemon.
    type: str
  binary:
    description: The daemon's binary, which checks its files. Defaults to the one of the daemon's name in C(PATH).
    type: path
  accept:
    description:
      - Complaints about a working file that become warnings instead of rejecting it.
      - V(script_missing) for keepalived's about a script that it does not find and never runs, V(script_security) for
        the one about scripts without C(enable_script_security), V(unknown_keyword) for a line that it ignores.
    type: list
    elements: str
    default: []
  keep:
    description:
      - Whether to keep the main file, with its comments, owner and mode, if it is equivalent to O(content). The order
        of statements only counts where it matters to the daemon.
    type: bool
    default: false
  units:
    description: Further systemd units, enabled and started before the daemon reads its new file.
    type: list
    elements: str
    default: []
  at_boot:
    description: Whether to enable the O(service), so that it starts at boot. V(false) leaves that as it is.
    type: bool
    default: true
  dest:
    description: Path of the main configuration file.
    type: path
    required: true
  content:
    description: Text of the main configuration file. Either this or O(template) is required.
    type: str
  template:
    description: Name of a template in the role's directory C(templates), or path of one, that renders the text.
    type: str
  owner:
    description: Owner of the main file.
    type: str
    default: root
  group:
    description: Group of the main file.
    type: str
    default: root
  mode:
    description: Mode of the main file, octal.
    type: str
    default: "0644"
  files:
    description:
      - Files that the main one needs (snippets, pages, scripts, unit drop-ins). They are written first; missing
        directories are created.
    type: list
    elements: dict
    default: []
    suboptions:
      dest:
        description: Path of the file.
        type: path
        required: true
      content:
        description:
          - Text of the file, or data to write as JSON. Either this or O(files[].template) is required unless
            O(files[].state=absent).
        type: str
      template:
        description: Like O(template).
        type: str
      state:
        description: Whether the file must exist.
        type: str
        choices: [absent, present]
        default: present
      secret:
        description:
          - Whether the diff hides the text, including the previous one. The text also counts as one of the O(secrets).
        type: bool
        default: false
      owner:
        description: Owner of the file.
        type: str
        default: root
      group:
        description: Group of the file.
        type: str
        default: root
      mode:
        description:
          - Mode of the file, octal. Defaults to V(0644), or V(0600) with O(files[].secret).
          - Defaults to V(0640) for configurations and maps that contain a password, token or key, or one of O(secrets).
            These are files whose names end in C(.conf), C(.cfg), C(.inc), C(.map) or C(.lst), and those with statements
            whose names have no extension.
        type: str
  secrets:
    description:
      - Values in the files that must not be shown, such as passwords.
      - Passwords, tokens and keys in the daemons' directives are recognized without this, in the previous files too.
        Examples are C(auth_pass), C(stats auth) and C(proxy_set_header Authorization).
      - They are masked in diffs, warnings and errors, however a daemon or JSON spells them.
      - The text of files is never written to the host's journal, secret or not.
    type: list
    elements: str
    default: []
  absent:
    description:
      - Files that must not exist, such as drop-ins of a previous configuration.
      - Symbolic links stay, such as those created by C(systemctl mask).
    type: list
    elements: path
    default: []
  manifest:
    description:
      - One of O(files), which lists the paths of the others, one per line. Files that the previous list on the host has
        and O(files) no longer has are removed.
      - A line that is not the path of a file, or that of one that this collection keeps, is an error.
    type: path
  look:
    description:
      - Change nothing, and only report in RV(pending) whether there are changes to make. Changes that would fail count
        too, and so do packages that are not installed.
    type: dict
    suboptions:
      names:
        description: The packages.
        type: list
        elements: str
        required: true
      database:
        description: The package database.
        type: str
        choices: [dpkg, rpm]
        required: true
      source:
        description: The file of the package source that they must come from, such as one of apt's.
        type: path
      source_text:
        description: The text of that file. Without it the file must not exist.
        type: str
        default: ""
  replaces:
    description:
      - The systemd unit of another daemon whose place this one takes, such as the previous engine behind a virtual IP.
        The module does not stop it, and only reports in RV(replaces) whether it still is there.
    type: str
  restart_on:
    description: Those of the files, including O(absent), whose change needs a restart.
    type: list
    elements: path
    default: []
  hold:
    description:
      - For keepalived. Virtual IPs to keep on this host while the service is reloaded or restarted, and until
        keepalived holds them again. If it does not within O(timeout), the files are restored.
      - Those that this host does not have now are left out.
      - No other host may take them over meanwhile.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Seconds within which the daemon must confirm the reload, and within which keepalived must hold the addresses of
        O(hold).
    type: float
    default: 10.0
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Replace nginx.conf, or roll back
  haproof.balancer.daemon_config:
    daemon: nginx
    dest: /etc/nginx/nginx.conf
    template: nginx.conf.j2
    files:
      - dest: /srv/www/index.html
        content: "{{ inventory_hostname }}\n"
"""

RETURN = r"""
changed_files:
  description: Paths of the files that changed (in check mode, that would change).
  type: list
  elements: str
  returned: always
  sample: [/etc/nginx/nginx.conf]
started:
  description: Units that were enabled or started (in check mode, that would be).
  type: list
  elements: str
  returned: always
  sample: [nginx]
reloaded:
  description: Whether the running service was reloaded (in check mode, whether it would be).
  type: bool
  returned: always
maintenance_since:
  description:
    - When the playbook C(maintenance) stopped the service, in seconds since the epoch by the host's clock; null if it
      did not. Until it is back, the module leaves it stopped.
  type: float
  returned: success, unless only RV(pending) is returned
pending:
  description: Whether there are changes to make, which O(look) only reports.
  type: bool
  returned: success
replaces:
  description:
    - Whether the unit in O(replaces) still has this one's place. keepalived tracks it and not this one, or it has one
      of the addresses of this one's main file.
  type: bool
  returned: success
restarted:
  description: Whether the running service was restarted (in check mode, whether it would be).
  type: bool
  returned: always
output:
  description: The daemon's output when it rejected a file or a reload.
  type: str
  returned: failure
  sample: 'nginx: [emerg] unknown directive "foo" in /etc/nginx/nginx.conf:3'
"""

import os
import re
from collections import Counter
from itertools import chain
from typing import AbstractSet, Any, Callable, Iterator

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import Mask, replaced_secrets
from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import path_problem
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.daemons import DAEMONS
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.explain import (
    port_users,
    ports_in_use,
    quoted_lines,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.files import (
    File,
    FileSet,
    all_secret,
    diff,
    read,
    selinux_label,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.maintenance import maintenance_since
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.own_files import listed
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packages import OPTIONS as PACKAGES
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packages import has_source
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packages import installed as packages_installed
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packed import unpack
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.secrets import find_secrets
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.service import Service, ServiceError
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.transaction import (
    Transaction,
    apply,
    preview,
    take_up,
    tidy,
)
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.unfinished import Mark, lock
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.hold import held

# Extensions of the auxiliary files that are searched for secrets. The daemons read these as root, when they
# start.
CONFIGURATIONS = (".conf", ".cfg", ".inc", ".map", ".lst")
FILE_OPTIONS: dict[str, Any] = {
    "dest": {"type": "path", "required": True},
    "content": {"type": "str", "no_log": True},
    # The action renders it as content.
    "template": {"type": "str"},
    "owner": {"type": "str", "default": "root"},
    "group": {"type": "str", "default": "root"},
    "mode": {"type": "str", "default": "0644"},
}
AUXILIARY_OPTIONS: dict[str, Any] = {
    **FILE_OPTIONS,
    "mode": {"type": "str"},
    "state": {"type": "str", "choices": ["absent", "present"], "default": "present"},
    # Only signals that there are secrets.
    "secret": {"type": "bool", "default": False, "no_log": False},
}


def wanted_file(options: dict[str, Any], named: Callable[[str], str] = str) -> File:
    """Return the file that the options describe; *named* masks secrets. Raises ValueError for a mode that is not octal.

    ``content`` is packed.
    """
    dest = options["dest"]
    try:
        content = unpack(options["content"] or "")
    except ValueError as error:
        raise ValueError(f"{dest}: content is {error}") from None
    mode_text = options["mode"] or default_mode(dest, content, options.get("secret", False), named)
    try:
        mode = int(mode_text, 8)
    except ValueError:
        raise ValueError(f"{dest}: mode {mode_text!r} is not octal; write '0644'") from None
    return File(dest, content, options["owner"], options["group"], mode)


def check_paths(options: dict[str, Any]) -> None:
    """Raise ValueError for a path that is not a plain one, or that the options list more than once."""
    written = [options["dest"], *(file["dest"] for file in options["files"])]
    for path in (*written, *options["absent"], *options["restart_on"]):
        wrong = path_problem(path)
        if wrong:
            raise ValueError(wrong)
    for path, times in Counter([*written, *options["absent"]]).items():
        if times > 1:
            raise ValueError(f"{path} is listed {times} times in dest, files and absent; list it once")


def former_files(manifest: str | None) -> list[str]:
    """Return the paths that the *manifest* on the host lists. Raises ValueError for a line that is not one."""
    former = read(manifest) if manifest else None
    return listed(former.content.decode(errors="replace").split("\n"), str(manifest)) if former else []


def is_configuration(dest: str, text: str) -> bool:
    """Return whether a file is a configuration by its name or, if the name has no extension, by its statements."""
    if dest.endswith(CONFIGURATIONS):
        return True
    return "." not in os.path.basename(dest) and re.search(r"[;{}][ \t]*(#.*)?$", text, re.MULTILINE) is not None


def default_mode(dest: str, content: bytes, secret: bool, named: Callable[[str], str]) -> str:
    """Return the default mode of an auxiliary file, which other users may not read if it holds secrets."""
    if secret:
        return "0600"
    text = content.decode(errors="replace")
    return "0640" if is_configuration(dest, text) and (find_secrets(text) or named(text) != text) else "0644"


def is_hidden(dest: str, before: File | None, stays: bool, secret: AbstractSet[str]) -> bool:
    """Return whether the diff must hide the whole file.

    It must for files in *secret*, and for a previous file that other users could not read. A configuration that *stays*
    is shown: its secrets are known and masked.
    """
    if dest in secret or before is None or before.mode & 0o004:
        return dest in secret
    return not (stays and is_configuration(dest, before.content.decode(errors="replace")))


def shown(dest: str, before: File | None, after: File | None, secret: AbstractSet[str], mask: Mask) -> dict[str, str]:
    """Return the diff of one file."""
    return diff(dest, before, after, all_secret if is_hidden(dest, before, after is not None, secret) else mask)


def secrets_of(options: dict[str, Any]) -> list[str]:
    """Return the options' secrets: ``secrets``, and the contents of secret files. Raises ValueError."""
    files = [file["content"] for file in options["files"] if file["secret"] and file["content"] is not None]
    return [unpack(packed).decode(errors="replace") for packed in (*options["secrets"], *files)]


def masks(named: list[str], target: str, secret: set[str], wanted: list[File], former: list[File]) -> tuple[Mask, Mask]:
    """Return the masks for diffs and for a daemon's output: they hide the *named* secrets, and those in the files.

    *target* is the path of the main file, *secret* has those of secret files.
    """
    texts = [(file.dest, file.content.decode(errors="replace")) for file in (*wanted, *former)]
    new = dict(texts[: len(wanted)])

    def known() -> Iterator[str]:
        yield from named
        for dest, text in texts:
            if dest in secret:
                yield text
            if dest == target or is_configuration(dest, text):
                yield from find_secrets(text)

    def all_known() -> Iterator[str]:
        found = list(known())
        yield from found
        for dest, text in texts[len(wanted) :]:
            yield from replaced_secrets(Mask(found), text, new.get(dest, text))

    def words() -> Iterator[str]:
        # A daemon quotes single words of what it rejects.
        for text in (text for dest, text in texts if dest in secret):
            yield from (word for word in re.split(r"[\s;{}\"']+", text) if len(word) > 3)

    return Mask(all_known()), Mask(chain(all_known(), words()))


def end_look(module: AnsibleModule, transaction: Transaction, replaces: bool) -> None:
    """End a module that only looks if the *transaction* has changes, or packages are not installed."""
    wanted = module.params["look"]
    if wanted and not (
        not (transaction.changes or replaces) and has_source(wanted) and packages_installed(wanted, module.run_command)
    ):
        module.exit_json(changed=False, changed_files=[], pending=True, replaces=replaces)


def readable_texts(wanted: list[File], target: str, secret: AbstractSet[str], mask: Mask) -> dict[str, str]:
    """Return the masked texts of configurations by path, except those in which a mask changes the lines' numbers."""
    texts = {file.dest: file.content.decode(errors="replace") for file in wanted if file.dest not in secret}
    masked = {dest: mask(text) for dest, text in texts.items() if dest == target or is_configuration(dest, text)}
    return {dest: text for dest, text in masked.items() if text.count("\n") == texts[dest].count("\n")}


def give_up(module: AnsibleModule, replaces: bool = False, **why: Any) -> None:
    """Fail. A module that only looks reports a pending change instead, and the change then fails."""
    if module.params["look"]:
        module.exit_json(changed=False, changed_files=[], pending=True, replaces=replaces)
    module.fail_json(**why)


def has_former(module: AnsibleModule, service: Service, target: File) -> bool:
    """Return whether the unit that the service replaces still has its place."""
    former, found = module.params["replaces"], False
    try:
        found = bool(former) and service.replaces(former, target.content)
    except ServiceError as failure:
        module.fail_json(msg=str(failure), output=failure.output)
    return found


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "daemon": {"type": "str", "required": True, "choices": sorted(DAEMONS)},
            "service": {"type": "str"},
            "binary": {"type": "path"},
            "accept": {"type": "list", "elements": "str", "default": []},
            # The action implements it.
            "keep": {"type": "bool", "default": False},
            "units": {"type": "list", "elements": "str", "default": []},
            "at_boot": {"type": "bool", "default": True},
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": AUXILIARY_OPTIONS,
                "mutually_exclusive": [("content", "template")],
                "required_if": [("state", "present", ("content", "template"), True)],
            },
            "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
            "absent": {"type": "list", "elements": "path", "default": []},
            "manifest": {"type": "path"},
            "look": {"type": "dict", "options": PACKAGES},
            "replaces": {"type": "str"},
            "restart_on": {"type": "list", "elements": "path", "default": []},
            "hold": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "float", "default": 10.0},
            **FILE_OPTIONS,
        },
        mutually_exclusive=[("content", "template")],
        required_one_of=[("content", "template")],
        supports_check_mode=True,
    )

    def run(argv: list[str]) -> Any:
        return module.run_command(argv, environ_update={"LC_ALL": "C"})

    binary = module.params["binary"] or module.params["daemon"]
    daemon = DAEMONS[module.params["daemon"]].at(binary).accepting(module.params["accept"])
    mark = Mark(module.params["service"] or daemon.name)
    try:
        check_paths(module.params)
        auxiliary = [options for options in module.params["files"] if options["state"] == "present"]
        named = Mask(unpack(packed).decode(errors="replace") for packed in module.params["secrets"])
        wanted = [wanted_file(options, named) for options in (*auxiliary, module.params)]
        if not module.check_mode:
            lock(module.params["timeout"])
        left = take_up(mark, module.check_mode or bool(module.params["look"]))
        listed_before = former_files(module.params["manifest"])
    except (OSError, ValueError) as error:
        give_up(module, msg=str(error))
    target = wanted[-1]
    if not target.content.strip():
        give_up(module, msg=f"content for {target.dest} is empty: {daemon.name} would serve nothing")

    def warn(message: str) -> None:
        module.warn(mask_output(message))

    unit, enables = module.params["service"] or daemon.name, module.params["at_boot"]
    service = Service(run, warn, daemon, unit, module.params["timeout"], enables)
    replaces = has_former(module, service, target)
    installed = module.get_bin_path(binary) is not None
    if not installed and not module.check_mode:
        give_up(module, replaces, msg=f"{binary} is not installed, so {target.dest} cannot be checked")

    files = FileSet(selinux_label(module))
    secret = {options["dest"] for options in module.params["files"] if options["secret"]}
    present = {file.dest: read(file.dest) for file in wanted}
    absent = [options["dest"] for options in module.params["files"] if options["state"] == "absent"]
    absent += [path for path in listed_before if path not in present]
    unwanted = {path: read(path) for path in (*module.params["absent"], *absent) if not os.path.islink(path)}
    pending = [file for file in wanted if present[file.dest] != file]
    gone = [path for path, former in unwanted.items() if former]
    former = [file for file in (*present.values(), *unwanted.values()) if file]
    mask, mask_output = masks(secrets_of(module.params), target.dest, secret, wanted, former)
    result: dict[str, Any] = {
        "changed_files": [*(file.dest for file in pending), *gone],
        "diff": [
            *(shown(file.dest, present[file.dest], file, secret, mask) for file in pending),
            *(shown(path, unwanted[path], None, secret, mask) for path in gone),
        ],
        "reloaded": False,
        "restarted": False,
        "maintenance_since": maintenance_since(service.unit),
        "replaces": replaces,
    }
    try:
        idle = service.idle([*module.params["units"], service.unit])
        transaction = Transaction(target, pending, gone, idle, module.params["restart_on"], left)
        end_look(module, transaction, replaces)
        result["started"] = [unit.name for unit in idle]
        result["changed"] = transaction.changes
        if transaction.left:
            module.warn(f"{service.unit}: an earlier run was interrupted before its {transaction.left.action}")
        if not module.check_mode:
            tidy(transaction, [os.path.dirname(path) for path in (*present, *unwanted)])
            with held(module.params["hold"], run, module.params["timeout"], warn) as settle:
                done = apply(files, service, transaction, mark, settle)
        else:
            service.check_start(module.params["replaces"] or "", target.content)
            done = preview(files, service, transaction, installed)
        result["restarted" if transaction.restarts else "reloaded"] = done
    except ServiceError as failure:
        output, reason = mask_output(failure.output), mask_output(str(failure))
        quoted = quoted_lines(output, readable_texts(wanted, target.dest, secret, mask_output))
        users = port_users(ports_in_use(f"{reason}\n{output}"))
        give_up(module, replaces, msg="\n".join(filter(None, [reason, output, *quoted, *users])), output=output)
    module.exit_json(**result, pending=False)


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A process on the controller that outlives ansible-playbook and heals if it ends in the middle of a drill.

Ansible runs no ``always`` after Ctrl-C, and the broken node's timer heals only at its deadline.
Runs as ``guard.py PID RUN_FILE COMMAND...`` with only Python's standard library.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import suppress
from typing import Any, BinaryIO, Mapping

HEAL = "haproof.balancer.heal"
POLL_MS = 200

# The names of ansible-playbook's parsed arguments, and their options.
_VALUES = {
    "inventory": "--inventory",
    "extra_vars": "--extra-vars",
    "vault_ids": "--vault-id",
    "vault_password_files": "--vault-password-file",
    "module_path": "--module-path",
    "private_key_file": "--private-key",
    "remote_user": "--user",
    "connection": "--connection",
    "timeout": "--timeout",
    "ssh_common_args": "--ssh-common-args",
    "ssh_extra_args": "--ssh-extra-args",
    "become_method": "--become-method",
    "become_user": "--become-user",
    "become_password_file": "--become-password-file",
    "connection_password_file": "--connection-password-file",
}


def heal_command(program: str, called: Mapping[str, Any], variables: Mapping[str, str]) -> list[str]:
    """Return the command that heals the same inventory.

    ``called`` are Ansible's parsed command line arguments, ``variables`` the heal playbook's. Typed passwords are not
    passed on: without keys or a password file only the nodes' timers heal.
    """
    command = [program, HEAL]
    for name, option in _VALUES.items():
        found = called.get(name)
        values = found if isinstance(found, (list, tuple)) else [found] if found else []
        command += [f"{option}={value}" for value in values]
    command.append(f"--extra-vars={json.dumps(variables)}")
    return [*command, "--become"] if called.get("become") else command


def new_file(path: str) -> BinaryIO:
    """Replace a file and open it for writing, without following a link that another user has put there."""
    with suppress(FileNotFoundError):
        os.unlink(path)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644), "wb")


def ended_too_early(pid: int, run_file: str) -> bool:
    """Wait until *run_file* is gone (return False), or the process ends before that (return True)."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return os.path.exists(run_file)
    poll = select.poll()
    poll.register(process, select.POLLIN)
    while os.path.exists(run_file):
        if poll.poll(POLL_MS):
            return os.path.exists(run_file)
    return False


def main(arguments: list[str]) -> int:
    """Guard one run of ansible-playbook, and return the heal's exit code."""
    pid, run_file, *command = arguments
    if not ended_too_early(int(pid), run_file):
        return 0
    print("ansible-playbook ended in the middle of a drill, healing:", " ".join(command), flush=True)
    healed = subprocess.run(command, check=False).returncode
    # If this host was broken too, healing has removed the file.
    with suppress(FileNotFoundError):
        os.unlink(run_file)
    return healed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Action drill_guard: starts the process that heals if ansible-playbook ends too early."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

from ansible import context
from ansible.plugins.action import ActionBase
from ansible_collections.haproof.balancer.plugins.module_utils._common.trust import make_private
from ansible_collections.haproof.balancer.plugins.module_utils._faults.record import base_folders
from ansible_collections.haproof.balancer.plugins.plugin_utils._drill import guard as drill_guard


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Runs on the controller, whatever the task's host is."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Start the guard; see the module's documentation."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            argument_spec={
                "log": {"type": "path", "required": True},
                "variables": {"type": "dict", "default": {}},
            }
        )
        # A play may set these too; the task has the effective values.
        become = {name: getattr(self._task, name) for name in ("become", "become_user", "become_method")}
        command = drill_guard.heal_command(sys.argv[0], {**context.CLIARGS, **become}, arguments["variables"])
        result.update(changed=False, heal_command=command)
        if not self._task.check_mode:
            try:
                result["run_file"] = self._start(arguments["log"], command)
            except OSError as error:
                result.update(failed=True, msg=f"cannot guard this drill: {error}")
        return result

    @staticmethod
    def _start(log: str, command: list[str]) -> str:
        folder = base_folders(os.geteuid())[0]
        make_private(folder)
        descriptor, run_file = tempfile.mkstemp(prefix="guard-", suffix=".run", dir=folder)
        os.close(descriptor)
        # This code runs in a worker process; its parent is ansible-playbook.
        guarded = [sys.executable, drill_guard.__file__, str(os.getppid()), run_file, *command]
        with drill_guard.new_file(log) as output:
            subprocess.Popen(
                guarded, start_new_session=True, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        return run_file

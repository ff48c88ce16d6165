# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action daemon_config for tests: writes a role's arguments to a file in the directory ``recorded``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packed import text_of
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_templates import rendered, with_texts


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Touches no host."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Record the task's arguments, with texts as sent by the real action."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        assert task_vars is not None
        variables = task_vars
        arguments = with_texts(
            self._task.args, lambda name: rendered(self._find_needle("templates", name), self._templar, variables)
        )
        files = [{**file, "content": text_of(file.get("content", ""))} for file in arguments["files"]]
        recorded = {**arguments, "content": text_of(arguments["content"]), "files": files}
        path = Path(task_vars["recorded"]) / f"{task_vars['inventory_hostname']}-{arguments['daemon']}.json"
        path.write_text(json.dumps(recorded))
        return {**result, "changed": False, "changed_files": []}

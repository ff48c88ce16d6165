# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Action daemon_config: packs texts that may hold secrets before they become arguments of the module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packed import pack, text_of


def packed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the module's *arguments* with the texts in ``content``, ``files`` and ``secrets`` packed.

    Invalid arguments are left as they are, for the module to reject.
    """
    result = _content_packed(arguments)
    if isinstance(arguments.get("files"), (list, tuple)):
        result["files"] = [_content_packed(file) if isinstance(file, Mapping) else file for file in arguments["files"]]
    if isinstance(arguments.get("secrets"), (list, tuple)):
        result["secrets"] = [pack(text_of(secret)) for secret in arguments["secrets"]]
    return result


def _content_packed(options: Mapping[str, Any]) -> dict[str, Any]:
    if options.get("content") is None:
        return dict(options)
    return {**options, "content": pack(text_of(options["content"]))}


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Runs the module of the same name."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module; see its documentation."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        wrap_async = self._task.async_val and not self._connection.has_native_async
        try:
            arguments = packed(self._task.args)
            result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=wrap_async))
        finally:
            if not wrap_async:
                self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

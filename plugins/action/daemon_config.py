# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Action daemon_config: renders templates, keeps an equivalent live file, and packs texts that may hold secrets."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packed import pack, text_of
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_templates import rendered, with_texts


def kept(arguments: Mapping[str, Any], live: bytes, status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the module's *arguments*, changed to keep the *live* file if it is equivalent.

    *status* is the result of ansible.builtin.stat.
    """
    # Only a host with an adopted file needs the parsers of all daemons.
    from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.adopt import READERS, same

    daemon, wanted = arguments.get("daemon"), arguments.get("content")
    try:
        text = live.decode()
    except UnicodeDecodeError:
        return arguments
    if daemon not in READERS or wanted is None or not same(daemon, text, text_of(wanted)):
        return arguments
    owner, group, mode = (str(status.get(name)) for name in ("pw_name", "gr_name", "mode"))
    return {**arguments, "content": text, "owner": owner, "group": group, "mode": mode}


def packed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the module's *arguments* with the texts in ``content``, ``files`` and ``secrets`` packed.

    Invalid arguments stay unchanged, for the module to reject.
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
            variables = task_vars or {}
            wanted = with_texts(
                self._task.args, lambda name: rendered(self._find_needle("templates", name), self._templar, variables)
            )
            arguments = packed(self._kept(wanted, variables))
            result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=wrap_async))
        finally:
            if not wrap_async:
                self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _kept(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> Mapping[str, Any]:
        if not boolean(arguments.get("keep", False), strict=False):
            return arguments
        found = self._execute_module("ansible.builtin.slurp", {"src": arguments["dest"]}, task_vars=task_vars)
        status = self._execute_module("ansible.builtin.stat", {"path": arguments["dest"]}, task_vars=task_vars)
        if "content" not in found or "mode" not in status.get("stat", {}):
            return arguments
        return kept(arguments, b64decode(found["content"]), status["stat"])

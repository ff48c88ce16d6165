# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Action role_plan: computes a role's plan for a host, on the controller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load
from ansible.plugins.action import ActionBase
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_plan import Inventory

PACKAGES = "ansible_collections.haproof.balancer.plugins.plugin_utils"
ROLES = Path(__file__).parents[2] / "roles"


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Needs no connection."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the plan; see the module's documentation."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        # Not validated, which would copy all settings: only this collection's roles call it.
        arguments = self._task.args
        errors = self._argument_errors(arguments["role"], task_vars or {})
        if errors:
            return {**result, "failed": True, "msg": "Validation of arguments failed:\n" + "\n".join(errors)}
        # Each worker imports a task's modules again, and those of the other two roles would be half of them.
        role = import_module(f"{PACKAGES}._{arguments['role']}.plan")
        plan = role.plan(arguments["settings"], arguments["tables"], self._inventory(task_vars or {}))
        result.update(plan, changed=False)
        if plan["findings"]:
            result.update(failed=True, msg="\n".join(plan["findings"]))
        else:
            # A plan may hold passwords; findings have none.
            result["_ansible_no_log"] = True
        return result

    def _argument_errors(self, role: str, task_vars: Mapping[str, Any]) -> list[str]:
        # Ansible's own task for this templates and copies the whole spec for each host.
        specs = yaml_load((ROLES / role / "meta/argument_specs.yml").read_text())
        options = specs["argument_specs"]["main"]["options"]
        given = self._templar.template({name: task_vars[name] for name in options if name in task_vars})
        validated = ArgumentSpecValidator(options).validate(given, validate_role_argument_spec=True)
        errors: list[str] = validated.error_messages
        return errors

    def _inventory(self, task_vars: Mapping[str, Any]) -> Inventory:
        def variables(prefixes: Sequence[str], further: Mapping[str, Any]) -> dict[str, Any]:
            names = [name for name in task_vars if name.startswith(tuple(prefixes))]
            templar = self._templar.copy_with_new_env(available_variables={**task_vars, **further})
            return {name: templar.template(task_vars[name]) for name in names}

        return Inventory(
            host=task_vars["inventory_hostname"],
            groups=task_vars["groups"],
            hostvars=task_vars["hostvars"],
            play_hosts=task_vars["ansible_play_hosts"],
            forks=task_vars["ansible_forks"],
            variables=variables,
            targeted=task_vars["ansible_play_hosts_all"],
            limit=task_vars.get("ansible_limit") or "",
        )

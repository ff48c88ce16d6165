# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the templates among daemon_config's arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.template import generate_ansible_template_vars

try:
    from ansible.template import trust_as_template
except ImportError:
    # ansible-core 2.18 trusts every text that it is asked to render.
    trust_as_template = str


def with_texts(arguments: Mapping[str, Any], text: Callable[[str], str]) -> dict[str, Any]:
    """Return the *arguments* with ``content`` in place of each ``template``, which *text* renders.

    A file that must be absent needs no text. Invalid arguments stay unchanged, for the module to reject.
    """
    result = _with_text(arguments, text)
    if isinstance(arguments.get("files"), (list, tuple)):
        result["files"] = [_with_text(file, text) if isinstance(file, Mapping) else file for file in arguments["files"]]
    return result


def rendered(path: str, templar: Any, variables: Mapping[str, Any]) -> str:
    """Return the text that the template at *path* renders with a task's *variables*.

    The lookup ``ansible.builtin.template`` first copies all variables, which costs more than everything else in a task.
    """
    # A user may set ansible_managed as a variable.
    available = {**generate_ansible_template_vars(Path(path).name, path), **variables}
    template = trust_as_template(Path(path).read_text(encoding="utf-8"))
    return str(templar.copy_with_new_env(available_variables=available).template(template))


def _with_text(options: Mapping[str, Any], text: Callable[[str], str]) -> dict[str, Any]:
    if options.get("template") is None or options.get("content") is not None:
        return dict(options)
    others = {name: value for name, value in options.items() if name != "template"}
    return others if options.get("state") == "absent" else {**others, "content": text(options["template"])}

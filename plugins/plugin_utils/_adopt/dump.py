# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Writes variables from a managed node as YAML without templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

# The beginnings of Jinja's expressions, statements and comments, and of the line that would rename them.
_TEMPLATE = re.compile(r"\{[{%#]|#jinja2:")
# Line breaks for YAML, which folds them outside of double quotes.
_BREAK = re.compile("[\r\x85\u2028\u2029]")

# libyaml's, if PyYAML has it, takes a fifth of the time.
_Base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Base):  # type: ignore[misc]  # the base is chosen at run time
    """Tags texts that Ansible would read as templates."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write repeated values out, which is easier to read than aliases."""
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    # Tag each text, also keys, so that the user can template the rest of the file.
    tag = "!unsafe" if _TEMPLATE.search(text) else "tag:yaml.org,2002:str"
    # Behind a block with empty lines at its end libyaml would end the document.
    block = "\n" in text and text.strip("\n") and not text.endswith("\n\n")
    style = '"' if _BREAK.search(text) else "|" if block else None
    return dumper.represent_scalar(tag, text, style=style)


_Dumper.add_representer(str, _string)


def dump(variables: Mapping[str, Any]) -> str:
    """Return *variables* as a YAML file that Ansible reads back unchanged, and never as templates."""
    text = yaml.dump(
        _plain(variables), Dumper=_Dumper, indent=2, sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return f"---\n{text}"


def _plain(value: Any) -> Any:
    """Convert *value* from Ansible's types to Python's."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    for number in (bool, int, float):
        if isinstance(value, number):
            return number(value)
    if value is None:
        return None
    raise TypeError(f"{type(value).__name__} has no place in a file of variables")

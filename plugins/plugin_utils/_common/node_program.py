# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The files of a node program that imports this collection's module_utils.

Python searches the program's directory first, so the modules are installed there under the same names as here. The
program's imports define the list of files: ``from PACKAGE.folder.module import name``. ``__init__.py`` files are not
installed, since Python finds modules in a directory without them.
"""

from __future__ import annotations

import os
import re
from typing import Callable

PACKAGE = "ansible_collections.haproof.balancer.plugins.module_utils"
_MODULES = os.path.join(os.path.dirname(__file__), "../../module_utils")
_IMPORT = re.compile(rf"^from {re.escape(PACKAGE)}\.(\w+(?:\.\w+)*) import ", re.MULTILINE)


def program_files(text: str, dest: str, read: Callable[[str], str]) -> list[dict[str, str]]:
    """Return the files, with ``dest`` and ``content``: the program *text* at *dest*, and the modules, by name.

    *read* returns the text of a module, like :func:`read_module`. Raises OSError for a missing one.
    """
    texts: dict[str, str] = {}
    waiting = _IMPORT.findall(text)
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name] = read(name)
            waiting += _IMPORT.findall(texts[name])
    folder = f"{os.path.dirname(dest)}/{PACKAGE.replace('.', '/')}"
    modules = [{"dest": f"{folder}/{_path(name)}", "content": texts[name]} for name in sorted(texts)]
    return [*modules, {"dest": dest, "content": text}]


def read_module(name: str) -> str:
    """Return the text of one of this collection's modules, such as ``_link.wire``. Raises OSError."""
    with open(os.path.join(_MODULES, _path(name)), encoding="utf-8") as stream:
        return stream.read()


def _path(name: str) -> str:
    return name.replace(".", "/") + ".py"

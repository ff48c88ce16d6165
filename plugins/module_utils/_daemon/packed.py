# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packing of texts that may hold secrets, for the way to a module.

Ansible writes each argument of a module to the node's journal and to the output of ``-vvv``. ``no_log`` hides an
argument only where it occurs literally, not with a line break escaped as ``\\n`` or an escaped quote; and it hides
every other text that happens to be equal. A packed argument with ``no_log`` occurs nowhere else.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any


def text_of(content: Any) -> str:
    """Return *content* as text. Ansible up to 2.18 parses the text of a JSON file."""
    if isinstance(content, (dict, list, tuple)):
        return json.dumps(content, indent=4) + "\n"
    return str(content)


def pack(text: str) -> str:
    """Return *text* encoded in letters, digits, ``+``, ``/`` and ``=``."""
    return base64.b64encode(zlib.compress(text.encode(errors="surrogateescape"))).decode("ascii")


def unpack(packed: str) -> bytes:
    """Undo :func:`pack`. Raises ValueError for anything else."""
    try:
        return zlib.decompress(base64.b64decode(packed, validate=True))
    except (binascii.Error, ValueError, zlib.error):
        raise ValueError(
            "not packed: the action plugin did not run; call the module as haproof.balancer.daemon_config"
        ) from None

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables that adopt writes, read as the role gets them, and the certificate that configurations name."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.dump import dump


class _Loader(yaml.SafeLoader):
    """Read what adopt writes; a text that is not a template is a text here."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def written(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return *variables* as they are after adopt has written them to a file."""
    found: dict[str, Any] = yaml.load(dump(variables), _Loader)  # noqa: S506 (a SafeLoader)
    return found


def certificate(folder: Path) -> None:
    """Write a certificate for www.example.com to *folder*: ``cert``, and its ``key``."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=www.example.com -days 2 -keyout key -out cert"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)

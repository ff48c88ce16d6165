# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that a role writes for some variables only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def with_manifest(files: Sequence[Mapping[str, Any]], manifest: str) -> list[Mapping[str, Any]]:
    """Return the *files* and their *manifest*, as daemon_config takes them.

    The manifest lists the files, so that a later run removes those that are no longer wanted.
    """
    if not files:
        return [{"dest": manifest, "state": "absent"}]
    return [*files, {"dest": manifest, "content": "".join(f"{file['dest']}\n" for file in files)}]

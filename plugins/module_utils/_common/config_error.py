# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error of the renderers, and how they name a place in the user's data."""

from __future__ import annotations


class ConfigError(ValueError):
    """A value that the daemon's file cannot express; ``path`` is its place, e.g. ``server[0].location /.return``."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


def child(path: str, key: object) -> str:
    """Return the path of ``key`` in the mapping at ``path``."""
    return f"{path}.{key}" if path else str(key)

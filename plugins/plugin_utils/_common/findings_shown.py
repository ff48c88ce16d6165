# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mask secrets in a preflight's findings, since they quote values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import Mask
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.secrets import find_secrets


def without_secrets(findings: Iterable[str], settings: Mapping[str, Any]) -> list[str]:
    """Return the *findings* about a role's *settings*, with secrets masked.

    ``secrets`` of the settings are values to hide, and the contents of ``files`` are hidden if ``secret``.
    """
    mask = Mask(_secrets_in(settings))
    return [mask(finding) for finding in findings]


def _secrets_in(settings: Mapping[str, Any]) -> Iterator[str]:
    yield from map(str, settings.get("secrets", ()))
    yield from (str(file.get("content", "")) for file in settings.get("files", ()) if file.get("secret"))
    yield from find_secrets("\n".join(_statements(settings, "", "")))


def _statements(value: Any, outer: str, key: str) -> Iterator[str]:
    """Yield the directives in a tree roughly as their daemon sees them: the value as several arguments, and as one."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _statements(inner, key, str(name))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _statements(inner, outer, key)
    else:
        for text in (str(value), json.dumps(str(value), ensure_ascii=False)):
            # A list item may be a whole line.
            yield text
            yield f"{key} {text}"
            yield f"{outer} {key} {text}"

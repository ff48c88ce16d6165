# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of a mapping for what repeats in a configuration: blanks behind a key are no part of what a daemon reads."""

from __future__ import annotations

from typing import Container

_BLANKS = str.maketrans("01", " \t")


def free_key(key: str, taken: Container[str], repeated: dict[str, int]) -> str:
    r"""Return *key*, or where it is *taken*, the next that only blanks and tabs at its end tell from it.

    They count in base 2, so that thousands stay short: " ", "\t", "  ", " \t", and so on. Keep *repeated* with *taken*.
    """
    if key not in taken:
        return key
    repeated[key] = repeated.get(key, 0) + 1
    # The binary digits of the next number, without the first, which is always 1.
    return key + bin(repeated[key] + 1)[3:].translate(_BLANKS)

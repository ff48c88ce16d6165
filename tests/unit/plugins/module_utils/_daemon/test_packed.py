# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.packed import pack, unpack


@pytest.mark.parametrize(
    "text", ["", "a", 'päss\n"k\\x"\0', "x" * 100_000, b"\xff\xfe".decode(errors="surrogateescape")]
)
def test_pack_is_undone(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", pack(text))
    assert unpack(pack(text)) == text.encode(errors="surrogateescape")


@pytest.mark.parametrize("text", ["", "a", "päss", "s3cret==", "TWFuTWFu"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not packed"):
        unpack(text)

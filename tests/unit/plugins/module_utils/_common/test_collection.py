# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gc

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._common.collection import no_collection


@no_collection()
def collecting(fails: bool = False) -> bool:
    if fails:
        raise ValueError
    return gc.isenabled()


def test_the_collector_rests_meanwhile_and_is_as_before_then() -> None:
    assert (collecting(), gc.isenabled()) == (False, True)
    with pytest.raises(ValueError, match=r"^$"):
        collecting(fails=True)
    assert gc.isenabled()
    gc.disable()
    try:
        collecting()
        assert not gc.isenabled()
    finally:
        gc.enable()

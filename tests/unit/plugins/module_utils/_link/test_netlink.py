# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to this machine's own kernel."""

from __future__ import annotations

import socket
import struct

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._link.netlink import dump, messages

# linux/rtnetlink.h, linux/sock_diag.h
ROUTE, GET_ADDRESSES, NEW_ADDRESS = 0, 22, 20
SOCK_DIAG, BY_FAMILY = 4, 20
NO_PROTOCOL = 200
"""An IP protocol whose sockets no kernel lists."""


def test_an_answer_has_the_messages() -> None:
    answer = dump(ROUTE, GET_ADDRESSES, struct.pack("=BBBBi", socket.AF_UNSPEC, 0, 0, 0, 0))
    assert NEW_ADDRESS in {kind for kind, _body in messages(answer)}


@pytest.mark.parametrize("kind", [BY_FAMILY, 99])
def test_what_the_kernel_was_built_without_is_an_error_and_not_an_empty_answer(kind: int) -> None:
    with pytest.raises(OSError, match=r"No such file or directory|Invalid argument"):
        dump(SOCK_DIAG, kind, struct.pack("=BBBBI48x", socket.AF_INET, NO_PROTOCOL, 0, 0, 0x1FFE))

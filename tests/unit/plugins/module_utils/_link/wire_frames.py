# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The captured frames in fixtures/wire_frames.txt, for tests of packet readers."""

from __future__ import annotations

from pathlib import Path

_LINES = (Path(__file__).parent / "fixtures" / "wire_frames.txt").read_text(encoding="utf-8").splitlines()
_ETHERNET = 14

FRAMES = {name: bytes.fromhex(frame) for name, frame in (line.split() for line in _LINES if line[0] != "#")}

PACKETS = {name: frame[_ETHERNET:] for name, frame in FRAMES.items()}
"""Without the Ethernet header."""


def source_mac(name: str) -> str:
    """Return the source MAC address of the frame."""
    return FRAMES[name][6:12].hex(":")

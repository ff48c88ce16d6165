# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error of the parsers."""

from __future__ import annotations


class ParseError(ValueError):
    """A text that the daemon could not read; the message has the line, counted from 1, and none of its text."""

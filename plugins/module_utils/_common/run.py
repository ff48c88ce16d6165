# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How commands are run."""

from __future__ import annotations

from typing import Callable, List, Tuple

Runner = Callable[[List[str]], Tuple[int, str, str]]
"""Runs the arguments as a command, and returns its exit code, stdout and stderr."""

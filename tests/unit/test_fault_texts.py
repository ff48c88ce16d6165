# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choices, schema and README name the faults of the catalogue."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_what_follows_from_the_catalogue_is_up_to_date() -> None:
    check = subprocess.run(
        [sys.executable, PROJECT / "scripts/faults", "--check"], capture_output=True, check=False, text=True
    )
    assert check.returncode == 0, f"out of date, run scripts/faults: {check.stdout}{check.stderr}"

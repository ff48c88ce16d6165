# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make this checkout importable as ``ansible_collections.haproof.balancer``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

CHECKOUT = Path(__file__).resolve().parents[1]
COLLECTIONS = CHECKOUT / "build" / "collections"


def link_collection() -> None:
    """Link the checkout where Ansible, mypy and pytest look for a collection; as ``make`` does."""
    link = COLLECTIONS / "ansible_collections" / "haproof" / "balancer"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to("../../../..", target_is_directory=True)


link_collection()
sys.path.insert(0, str(COLLECTIONS))

# Fuzzing looks for something new at each run here, and asks CI the same each time: a find is not a regression. A busy
# machine is no fault of what is tested.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

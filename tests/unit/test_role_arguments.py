# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role's defaults and its argument_specs must tell the same story."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted((Path(__file__).resolve().parents[2] / "roles").iterdir())


def load(path: Path) -> dict[str, Any]:
    """Read a role's YAML file; a role may leave its defaults out."""
    return (yaml.safe_load(path.read_text()) or {}) if path.exists() else {}


def described_defaults(role: Path) -> dict[str, Any]:
    """Collect the defaults that a role's main entry point describes."""
    options = load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    return {name: option["default"] for name, option in options.items() if "default" in option}


def without_site(name: str, value: Any) -> Any:
    """Return a role's default as it is outside the playbook site, which may set another by a name of its own."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(rf"\{{\{{ __site_{name} \| default\((.*)\) \}}\}}", value)
    return yaml.safe_load(found[1]) if found else value


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_equal_the_argument_specs(role: Path) -> None:
    defaults = {name: without_site(name, value) for name, value in load(role / "defaults" / "main.yml").items()}
    assert defaults == described_defaults(role)

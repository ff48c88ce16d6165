# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each example has all directives of its guide, or the reason for a deviation."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any, Iterator, Sequence

import crossplane
import pytest
import yaml
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.lines import Line, pieces, read
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import Statement, statements

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
EXAMPLES = sorted(path.name for path in (CHECKOUT / "examples").iterdir() if path.is_dir())


def guides() -> list[Any]:
    """Return each file in a guide, with the name of its example."""
    return [
        pytest.param(path.stem, guide, id=f"{path.stem}-{guide['host']}-{guide['file']}")
        for path in sorted((HERE / "guides").glob("*.yml"))
        for guide in yaml.safe_load(path.read_text())
    ]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, str]]]:
    """Render every example by Ansible, with the roles' own templates; texts by example, host and file."""
    folder = tmp_path_factory.mktemp("rendered")
    environment = {**os.environ, "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"), "ANSIBLE_LOCALHOST_WARNING": "false"}
    runs = {}
    for example in EXAMPLES:
        inventory = CHECKOUT / "examples" / example / "inventory.yml"
        command = ["ansible-playbook", HERE / "render.yml", "-i", inventory, "-e", f"output={folder / example}"]
        runs[example] = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    for run in runs.values():
        said = run.communicate()[0]
        assert run.returncode == 0, said
    return {example: json.loads((folder / example).read_text()) for example in EXAMPLES}


def directives(file: str, text: str, folder: Path) -> list[str]:
    """Return the directives of a file, each with its path."""
    if file == "haproxy.cfg":
        return list(haproxy(text))
    if file == "keepalived.conf":
        return list(
            keepalived(statements(Line(line.number, part) for line in read(text) for part in pieces(line.text)))
        )
    path = folder / file
    path.write_text(text)
    parsed = crossplane.parse(str(path), single=True)
    assert parsed["status"] == "ok", parsed["errors"]
    return list(nginx(parsed["config"][0]["parsed"]))


def nginx(block: Sequence[dict[str, Any]], path: str = "") -> Iterator[str]:
    """Yield the directives of a block; a server block is called by its server_name."""
    for directive in block:
        words = [directive["directive"], *directive["args"]]
        if words[0] == "if":
            words[1:] = [f"({' '.join(words[1:])})"]
        if words == ["server"]:
            names = [inner["args"] for inner in directive["block"] if inner["directive"] == "server_name"]
            words += names[0] if names else []
        text = path + squeeze(" ".join(words))
        if "block" in directive:
            yield from nginx(directive["block"], f"{text} > ")
        else:
            yield text


def haproxy(text: str) -> Iterator[str]:
    """Yield the lines of haproxy.cfg after their section's header."""
    header = ""
    for line in text.splitlines():
        words = " ".join(shlex.split(line, comments=True))
        if line.startswith(" "):
            yield f"{header} > {words}"
        elif words:
            header = words


def keepalived(block: Sequence[Statement], path: str = "") -> Iterator[str]:
    """Yield the directives of a block of keepalived.conf."""
    for text, inner in block:
        if inner is None:
            yield path + text
        else:
            yield from keepalived(inner, f"{path}{text} > ")


def squeeze(text: str) -> str:
    """Return the words separated by single spaces."""
    return " ".join(text.split())


def several(value: Any) -> list[str]:
    """Return the list, or a list of the single value."""
    return value if isinstance(value, list) else [value]


def complaints(guide: dict[str, Any], example: Sequence[str]) -> Iterator[str]:
    """Yield lines that are dropped without a reason, and deviations that do not exist."""
    wanted = [squeeze(line) for line in guide["directives"].splitlines()]
    deviating = [line for deviation in guide["deviations"] for line in several(deviation["guide"])]
    yield from (f"dropped without a reason: {line}" for line in wanted if line not in [*example, *deviating])
    yield from (f"no directive of the guide's: {line}" for line in deviating if line not in wanted)
    yield from (f"no deviation, it is in the example: {line}" for line in deviating if line in example)
    for deviation in guide["deviations"]:
        instead = several(deviation.get("here", []))
        yield from (f"not in the example: {line}" for line in instead if line not in example)
        if not deviation.get("why"):
            yield f"without a reason: {deviation['guide']}"


def test_every_example_has_a_guide() -> None:
    assert sorted(path.stem for path in (HERE / "guides").glob("*.yml")) == EXAMPLES


@pytest.mark.parametrize(("example", "guide"), guides())
def test_nothing_is_dropped_without_a_word(
    example: str, guide: dict[str, Any], rendered: dict[str, dict[str, dict[str, str]]], tmp_path: Path
) -> None:
    files = rendered[example][guide["host"]]
    text = files.get(guide["file"]) or files["engine"]
    found = list(complaints(guide, directives(guide["file"], text, tmp_path)))
    assert not found, "\n".join(found)


GUIDE: dict[str, Any] = {
    "directives": "user root\nhttp > gzip  on\n",
    "deviations": [{"guide": "user root", "here": "user www-data", "why": "root is not needed"}],
}
MISTAKES: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({}, ["user www-data", "http > gzip on"], []),
    ({}, ["user www-data"], ["dropped without a reason: http > gzip on"]),
    ({}, ["user www-data", "user root", "http > gzip on"], ["no deviation, it is in the example: user root"]),
    ({}, ["user nobody", "http > gzip on"], ["not in the example: user www-data"]),
    (
        {"directives": "http > gzip on"},
        ["user www-data", "http > gzip on"],
        ["no directive of the guide's: user root"],
    ),
    (
        {"deviations": [{"guide": "user root"}]},
        ["http > gzip on"],
        ["without a reason: user root"],
    ),
]


@pytest.mark.parametrize(("change", "example", "expected"), MISTAKES)
def test_mistakes_are_noticed(change: dict[str, Any], example: list[str], expected: list[str]) -> None:
    assert list(complaints({**GUIDE, **change}, example)) == expected

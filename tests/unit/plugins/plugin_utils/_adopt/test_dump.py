# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of a node becomes variables that Ansible reads back byte by byte and never takes for templates."""

from __future__ import annotations

import inspect
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.adopt import adopt
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.dump import dump
from hypothesis import example, given
from hypothesis import strategies as st

LOADER_OPTIONS = inspect.signature(DataLoader.load_from_file).parameters
TEXTS = st.one_of(
    st.text("{}%#!'\"\\: -|>&*?@`,[]\n\t$~=<1.eoxnyNU\u2028\x85\u00e9", max_size=16),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(
        ["{{ lookup('pipe', 'id') }}", "%ci {%hrl} %ST", "!unsafe x", "#jinja2:a", "yes", "1e3", "0o7", ""]
    ),
)
TREES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.integers(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


def read_by_ansible(text: str) -> Any:
    """Return the variable ``tree`` of a file of variables as a role sees it."""
    loader = DataLoader()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vars.yml"
        path.write_text(f"{text}seen: '{{{{ tree }}}}'\n", encoding="utf-8", newline="")
        # As Ansible reads a file of variables; ansible-core 2.18 has no such option and trusts all of them.
        trusted = {"trusted_as_template": True} if "trusted_as_template" in LOADER_OPTIONS else {}
        variables = loader.load_from_file(str(path), **trusted)
    return Templar(loader=loader, variables=variables).template(variables["seen"])


@given(TREES)
@example("\n")
@example({"a": "b\n\n"})
@example({"a": "b\n  c\n"})
def test_every_text_comes_back(tree: Any) -> None:
    assert read_by_ansible(dump({"tree": tree})) == tree


@pytest.mark.parametrize("text", ["{{ 1 + 1 }}", "{% if true %}a{% endif %}", "a{# b #}c", "#jinja2: x\n{{ 1 }}"])
def test_nothing_is_a_template(text: str) -> None:
    tree = {text: [text, {"a": {text: True}}]}
    assert read_by_ansible(dump({"tree": tree})) == tree


def test_the_test_reads_templates() -> None:
    assert read_by_ansible("tree: '{{ 1 + 1 }}'\n") in (2, "2")


def test_only_templates_are_tagged() -> None:
    assert dump({"a": "plain", "b": "{ path /x }", "c": "%ci {%hrl} %ST", "{{ d }}": 1}) == (
        "---\na: plain\nb: '{ path /x }'\nc: !unsafe '%ci {%hrl} %ST'\n!unsafe '{{ d }}': 1\n"
    )


RUNS = "{{ lookup('ansible.builtin.pipe', 'id') }}"
HAPROXY = """# RUNS
global
    description "RUNS"
    "RUNS" 1
backend "RUNS"
"""
KEEPALIVED = """! RUNS
global_defs {
    router_id "RUNS"
    "RUNS"
}
vrrp_script "RUNS" {
    script "RUNS"
}
"""
NGINX = """# RUNS
user "RUNS";
"RUNS" "RUNS";
events {}
http { upstream "RUNS" { server "RUNS"; } }
"""


@pytest.mark.parametrize(("daemon", "text"), [("haproxy", HAPROXY), ("keepalived", KEEPALIVED), ("nginx", NGINX)])
def test_a_file_runs_nothing(daemon: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subprocess.Popen", lambda *_args, **_options: pytest.fail("something was run"))
    adopted = adopt(daemon, {"lb01": text.replace("RUNS", RUNS).encode()})
    assert "lookup" in str(adopted)
    assert read_by_ansible(dump({"tree": adopted})) == adopted

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.node_program import (
    PACKAGE,
    program_files,
    read_module,
)

WATCH = Path(__file__).resolve().parents[5] / "roles" / "keepalived" / "files" / "watch.py"
FOLDER = "/opt/sum/" + PACKAGE.replace(".", "/")


def test_a_program_comes_with_all_that_it_imports() -> None:
    texts = {
        "_p.a": f"from {PACKAGE}._p.b import b\n",
        "_p.b": f"from {PACKAGE}._p.a import (\n    a,\n)\nfrom {PACKAGE}._q.c import c\n",
        "_q.c": "import os\n",
    }
    text = f"import sys\nfrom {PACKAGE}._p.a import a\n"
    assert program_files(text, "/opt/sum/sum", texts.__getitem__) == [
        {"dest": f"{FOLDER}/_p/a.py", "content": texts["_p.a"]},
        {"dest": f"{FOLDER}/_p/b.py", "content": texts["_p.b"]},
        {"dest": f"{FOLDER}/_q/c.py", "content": texts["_q.c"]},
        {"dest": "/opt/sum/sum", "content": text},
    ]


def test_a_module_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(OSError, match=r"_q/nothing\.py"):
        program_files(f"from {PACKAGE}._q.nothing import x\n", "/opt/sum/sum", read_module)


def test_the_watch_runs_with_nothing_but_its_files_and_the_standard_library(tmp_path: Path) -> None:
    program = tmp_path / "watch"
    for file in program_files(WATCH.read_text(), str(program), read_module):
        path = Path(file["dest"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file["content"])
    command = [sys.executable, "-ES", "-c", "import sys, runpy; sys.path[0] = sys.argv[1]; runpy.run_path(sys.argv[2])"]
    done = subprocess.run([*command, str(tmp_path), str(program)], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.script_words import command, file_command

# A script's line in the file, and its words in the dump.
COMMANDS: list[tuple[str, str]] = [
    ("/bin/a b", "'/bin/a' 'b'"),
    ('"/bin/a b  c"', "'/bin/a' 'b' 'c'"),
    ("\"/bin/a 'b  c'\"", "'/bin/a' 'b  c'"),
    ("'/bin/a  b'", "'/bin/a' 'b'"),
    ("/bin/a\\ b c", "'/bin/a b' 'c'"),
    ('/bin/a "b"c\\"d', "'/bin/a' 'bc\"d'"),
    ('"/bin/a \\"b  c\\""', "'/bin/a' 'b  c'"),
    ("/bin/a \\x41\\102\\cA\\n\\q", "'/bin/a' 'AB\x01\nq'"),
]


@pytest.mark.parametrize(("line", "dumped"), COMMANDS)
def test_commands(line: str, dumped: str) -> None:
    assert file_command(line) == command(dumped)


@pytest.mark.parametrize("line", ["", "/bin/a 'b", '/bin/a "b', "/bin/a \\"])
def test_commands_that_cannot_be_read(line: str) -> None:
    assert file_command(line) is None

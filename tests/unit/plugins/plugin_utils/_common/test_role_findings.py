# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that users may write beside a daemon's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon import unfinished
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.own_files import is_own
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.host import NFTABLES_SNIPPET
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_findings import file_findings

ROLES = Path(__file__).parents[5] / "roles"


def found(*dests: str) -> list[str]:
    return list(file_findings("files", [{"dest": dest} for dest in dests], "/etc/main.conf"))


def test_files_that_may_be_written() -> None:
    assert found("/etc/nginx/a", "/etc/nginx/conf.d/b", "/etc/systemd/system/nginx.service.d/mine.conf") == []


@pytest.mark.parametrize(
    "dest", ["a", "//etc/nginx/a", "/etc/nginx/./a", "/etc/nginx/x/../a", "/etc/a\n/etc/b", "/etc/a\0", "/", "/a/$HOME"]
)
def test_paths_that_are_not_plain(dest: str) -> None:
    (message,) = found(dest)
    assert message.startswith(f"files[0]: dest {dest!r} ") or dest == "/"


def test_files_that_are_written_twice() -> None:
    assert found("/a", "/b", "/a") == ["files[2]: dest /a is already used by files[0]; remove one of them"]


@pytest.mark.parametrize("dest", ["/etc/main.conf", "/etc/nginx/haproof/files", "/etc/nginx/haproof/x/y"])
def test_files_of_the_roles(dest: str) -> None:
    assert found(dest) == [
        f"files[0]: dest {dest} is this collection's own file; use the roles' other variables for its content"
    ]


@pytest.mark.parametrize(
    "dest",
    [
        f"{unfinished.FOLDER}/nginx.json",
        "/run/haproof-drill/service_stop/heal",
        "/var/lib/haproof-drill/disk_full/heal",
        f"/etc/nftables.d/{NFTABLES_SNIPPET}",
    ],
)
def test_files_of_the_modules(dest: str) -> None:
    assert is_own(dest)


def own_paths() -> list[str]:
    """Return values in the roles' variables and plans that look like file paths."""
    texts = {path: path.read_text() for path in sorted(ROLES.glob("*/vars/*.yml"))}
    plugins = ROLES.parent / "plugins/plugin_utils"
    plans = "".join(path.read_text() for name in ("plan", "vendor") for path in plugins.glob(f"_*/{name}.py"))
    names = {
        name: value
        for text in texts.values()
        for name, value in re.findall(r"^(__\w+): \"?((?:\{\{ \w+ \}\})?/\S+?)\"?$", text, re.MULTILINE)
    }
    dests = re.findall(r"^ +-? ?dest: \"?(\S.*?)\"?$", "\n".join(texts.values()), re.MULTILINE)
    dests += [value for name, value in names.items() if re.search("_(conf|cfg|manifest|source|keyring|program)$", name)]
    dests += re.findall(r'"(/(?:etc|var)/[^"{}]+)"', plans)
    # Each distribution has its folder for scripts, which the plan of the role names.
    folders = re.findall(r"^    scripts: (/\S+/(\w+))$", "\n".join(texts.values()), re.MULTILINE)
    dests += [dest.replace(f"{{{{ __{role}_plan.scripts }}}}", path) for path, role in folders for dest in dests]
    dests = [dest for dest in dests if "_plan.scripts" not in dest]
    for _level in range(3):
        dests = [re.sub(r"\{\{ (\w+) \}\}", lambda name: names.get(name[1], name[0]), dest) for dest in dests]
    return sorted(set(dests))


def test_every_file_of_the_roles_is_their_own() -> None:
    paths = own_paths()
    assert len(paths) > 15
    assert [path for path in paths if not is_own(path)] == []

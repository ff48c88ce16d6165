# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keepalived accepts is adopted with the meaning that keepalived itself gives to it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.drift import differences
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.dump import parse_scripts, parse_text
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.adopt import AdoptError, adopt
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.dump import dump as as_yaml
from ansible_collections.haproof.balancer.plugins.plugin_utils._keepalived.adopt import adopted

from daemons import RELEASES, behind_walls, configuration, run

FILES = Path(__file__).parent
NAMES = sorted(path.stem for path in FILES.glob("*.conf"))
HOSTS = ("lb01", "lb02")
# What depends on the moment, not on the configuration.
_MOMENT = re.compile(r" +(Using src_ip|No sockets|Status|State) ?.*|pid.\d+|\((\S+: )?Line \d+\)")
_END = re.compile("------< Interfaces >------|keepalived has no configuration to run")
_TIMESTAMP = re.compile(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: ?")


def dump(folder: Path, text: str, host: str) -> str:
    """Return what keepalived says that it runs with, up to the host's interfaces, and ask for no more."""
    (folder / "keepalived.conf").write_bytes(text.encode("utf-8", "surrogateescape"))
    options = ["--log-console", "--dont-fork", "--dump-conf", "--vrrp", "--no_bfd", f"--config-id={host}"]
    command = behind_walls("12", folder, "keepalived", *options, "--use-file=/mnt/keepalived.conf")
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8") as daemon:
        deadline = threading.Timer(20, daemon.kill)
        deadline.start()
        for line in daemon.stdout or ():
            lines.append(_TIMESTAMP.sub("", line))
            if _END.search(line):
                break
        assert deadline.is_alive(), f"keepalived did not say all within 20 s: {''.join(lines)}"
        deadline.cancel()
        daemon.kill()
    if daemon.returncode == -signal.SIGKILL:
        lines = [line for line in lines if line.startswith((" ", "------<"))]
    else:
        # It ended by itself, while its processes spoke at once. Its check says why.
        lines = []
    return "".join(_MOMENT.sub("", line) for line in lines)


def words(folder: Path, text: str, release: str) -> tuple[int, list[str]]:
    """Return how keepalived's own check of a configuration ends, and what it says, without the numbers of lines.

    That it cuts a password off does not count: what is adopted is what it uses.
    """
    (folder / "keepalived.conf").write_bytes(text.encode("utf-8", "surrogateescape"))
    answer = run(release, folder, "keepalived", "--config-test", "--config-id=lb01", "--use-file=/mnt/keepalived.conf")
    said = answer.stdout.splitlines()
    kept = [_MOMENT.sub("", line) for line in said if "Truncating auth_pass" not in line]
    return answer.returncode if kept else 0, kept


def adopted_again(live: bytes) -> str:
    """Return the configuration that the role writes with the variables that the playbook adopt writes."""
    found: dict[str, Any] = DataLoader().load(as_yaml(adopt("keepalived", {"lb01": live})["group"]))
    return render(adopted(found))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make the folder of a configuration, with what it may include."""
    shutil.copytree(FILES / "parts", tmp_path / "parts")
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_adopted(folder: Path, name: str) -> None:
    text = configuration(FILES / f"{name}.conf")
    again = adopted_again(text.encode())
    for release in RELEASES:
        assert words(folder, again, release) == words(folder, text, release)
    for host in HOSTS if "@" in text else HOSTS[:1]:
        runs = dump(folder, text, host)
        assert dump(folder, again, host) == runs
        if "Topology" in runs and words(folder, text, "12") == (0, []):
            running = {"instances": parse_text(_begun(runs)), "scripts": parse_scripts(runs)}
            assert differences(text, host, running) == []


def _begun(runs: str) -> str:
    """Return a dump with what keepalived says only after its start."""
    added = "   State = INIT\n   Effective priority = 0\n   Last transition = 0\n"
    return re.sub(r"(?m)^ VRRP Instance = .*\n", lambda found: found.group() + added, runs)


INSTANCE = b"vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n    %b\n}\n"
ODD_BLANK = (
    "holds a form feed, vertical tab or carriage return, which keepalived does not take for a blank everywhere;"
    " replace it with a blank"
)
# What stands in the instance, and what is told. Of these keepalived reads something else than is written.
REFUSED: list[tuple[bytes, str]] = [
    (b"notify /usr/bin/ip\x00 x", "line 4: holds a control character"),
    (b"notify '/usr/bin/ip\x0cx'", f"line 4: {ODD_BLANK}"),
    (b"@lb01\x0bnotify /usr/bin/ip", f"line 4: {ODD_BLANK}"),
    (b"$A=1\r2", f"line 4: {ODD_BLANK}"),
    (b"$A= \\\n\x0c", f"line 5: {ODD_BLANK}"),
    (b'notify "/usr/bin/ip \xe4"', "line 4: is not UTF-8"),
    (b"# " + b"x" * 1020, "line 4: is longer than the 1022 bytes that keepalived takes for one line"),
    (b'notify "/usr/bin/ip', "line 4: a quote is not closed"),
    (b"}\n}", "line 5: a block closes that was not opened"),
    (b"track_script { ok }\n{\n}", "line 5: a block opens without a directive"),
    (b"track_script {", "line 1: a block opens that is never closed"),
    (b"a {\n" * 60 + b"}\n" * 60, "line 52: more than 50 blocks are open"),
]


@pytest.mark.parametrize(("inside", "message"), REFUSED, ids=[case[1] for case in REFUSED])
def test_refused(inside: bytes, message: str) -> None:
    with pytest.raises(AdoptError) as refused:
        adopt("keepalived", {"lb01": INSTANCE % inside})
    assert str(refused.value) == f"lb01: the configuration of keepalived cannot be read: {message}"


def test_bytes_in_comments(folder: Path) -> None:
    live = INSTANCE % b"priority 7 # \xe4\xf6"
    text = live.decode("utf-8", "surrogateescape")
    assert dump(folder, adopted_again(live), "lb01") == dump(folder, text, "lb01")


def test_a_difference_is_seen(folder: Path) -> None:
    text = (FILES / "guide_pair.conf").read_text()
    for change in [("priority 100", "priority 101"), ("weight -20", "weight -21"), (".100/24", ".101/24")]:
        assert dump(folder, text.replace(*change), "lb01") != dump(folder, text, "lb01")

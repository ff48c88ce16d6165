# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes that a host needs, with the test's own files and recorded commands."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon import unfinished
from ansible_collections.haproof.balancer.plugins.module_utils._firewall import host as vrrp_host
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.firewall import BEGIN, END, Allow
from ansible_collections.haproof.balancer.plugins.module_utils._firewall.host import HostError, VrrpHost

FIXTURES = Path(__file__).parent / "fixtures"
CLOSED, UFW = ((FIXTURES / f"nft_1.0.6_{name}.json").read_text(encoding="utf-8") for name in ("closed", "ufw"))
PEER = Allow("vrrp", "198.18.0.13")
CLOSED_CONF = "table inet filter {\n}\ntable ip guard {\n}\n"


class Commands:
    """A runner with answers by the command's first words, and failures for some."""

    def __init__(self, answers: dict[str, str], refused: str = "") -> None:
        self.answers = answers
        self.refused = refused
        self.ran: list[str] = []

    def __call__(self, argv: list[str]) -> tuple[int, str, str]:
        line = " ".join(argv)
        self.ran.append(line)
        if self.refused and line.startswith(self.refused):
            return 1, "", "no"
        return 0, next((answer for start, answer in self.answers.items() if line.startswith(start)), ""), ""

    def has(self, program: str) -> bool:
        return any(start.startswith(program) for start in self.answers)


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory in place of /etc."""
    monkeypatch.setattr(vrrp_host, "UFW_CONF", str(tmp_path / "ufw.conf"))
    monkeypatch.setattr(vrrp_host, "UFW_RULES", {4: str(tmp_path / "before.rules"), 6: str(tmp_path / "before6.rules")})
    monkeypatch.setattr(vrrp_host, "NFTABLES_CONF", (str(tmp_path / "nftables.conf"),))
    monkeypatch.setattr(unfinished, "FOLDER", str(tmp_path / "run"))
    monkeypatch.setattr(vrrp_host.FileSet, "stage", staged_as_me(vrrp_host.FileSet.stage))
    return tmp_path


def staged_as_me(stage: Callable[..., str]) -> Callable[..., str]:
    """Write files as the user that runs the tests, in an existing directory."""

    def as_me(self: object, wanted: vrrp_host.File) -> str:
        here = vrrp_host.read(__file__)
        assert here is not None
        return stage(self, wanted._replace(owner=here.owner, group=here.group))

    return as_me


def host(commands: Commands) -> VrrpHost:
    """Return the host described by the commands."""
    return VrrpHost(commands, commands.has, lambda _staged, _dest: None)


def test_nothing_is_in_use(etc: Path) -> None:
    (etc / "ufw.conf").write_text("ENABLED=no\n")
    (etc / "nftables.conf").write_text("")
    commands = Commands({"nft --terse": ""})
    found = host(commands)
    assert found.firewall([PEER], ["eth1"]) == []
    assert found.warnings == []


def test_nftables_is_opened_and_kept(etc: Path) -> None:
    conf = etc / "nftables.conf"
    conf.write_text(CLOSED_CONF)
    commands = Commands({"nft --terse": CLOSED})
    changes = host(commands).firewall([PEER], ["eth1"])
    assert [change.shown["after_header"].split()[0] for change in changes] == [str(conf), "nftables"]
    changes[0].make()
    assert commands.ran[-1] == f"nft --check --file {conf}"
    text = conf.read_text()
    assert text.startswith(CLOSED_CONF + BEGIN)
    assert text.count("insert rule") == 2


def test_nftables_conf_is_put_back_when_nft_refuses_it(etc: Path) -> None:
    conf = etc / "nftables.conf"
    conf.write_text(CLOSED_CONF)
    changes = host(Commands({"nft --terse": CLOSED}, "nft --check")).firewall([PEER], ["eth1"])
    with pytest.raises(HostError, match=r"nft --check --file .* failed with exit code 1"):
        changes[0].make()
    assert conf.read_text() == CLOSED_CONF


def test_what_is_kept_stays_while_the_ruleset_is_not_loaded(etc: Path) -> None:
    (etc / "nftables.conf").write_text(f"{CLOSED_CONF}{BEGIN}\nx\n{END}\n")
    assert host(Commands({"nft --terse": ""})).firewall([PEER], ["eth1"]) == []
    assert len(host(Commands({"nft --terse": ""})).firewall([], ["eth1"])) == 1


def test_a_chain_of_others_is_opened_with_a_warning(etc: Path) -> None:
    (etc / "nftables.conf").write_text("table inet filter {\n}\n")
    found = host(Commands({"nft --terse": CLOSED}))
    found.firewall([PEER], ["eth1"])
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("nftables' chain ip guard late blocks the peers, and ")
    assert "insert rule ip guard late ip saddr 198.18.0.13 meta l4proto 112 accept" in found.warnings[0]


def test_iptables_without_ufw_is_left_alone_with_a_warning(etc: Path) -> None:
    (etc / "nftables.conf").write_text("")
    found = host(Commands({"nft --terse": UFW}))
    assert found.firewall([PEER], ["eth1"]) == []
    assert len(found.warnings) == 1
    assert found.warnings[0].endswith("Run, and make permanent: iptables -I INPUT -s 198.18.0.13 -p 112 -j ACCEPT")


def test_ufw_is_opened_and_reloaded_once(etc: Path) -> None:
    (etc / "ufw.conf").write_text("ENABLED=yes\n")
    for name, chain in (("before.rules", "ufw"), ("before6.rules", "ufw6")):
        (etc / name).write_text(f"-A {chain}-before-input -i lo -j ACCEPT\n")
    commands = Commands({"nft --terse": UFW})
    found = host(commands)
    changes = found.firewall([PEER, Allow("vrrp", "fe80::13")], ["eth1"])
    assert found.warnings == []
    for change in changes:
        change.make()
    assert commands.ran.count("ufw reload") == 1
    assert "-A ufw-before-input -s 198.18.0.13 -p 112 -j ACCEPT\n" in (etc / "before.rules").read_text()
    assert "-A ufw6-before-input -s fe80::13 -p 112 -j ACCEPT\n" in (etc / "before6.rules").read_text()


def test_ufw_reloads_what_a_killed_run_has_written(etc: Path) -> None:
    (etc / "ufw.conf").write_text("ENABLED=yes\n")
    (etc / "before.rules").write_text("COMMIT\n")

    class Killed(Commands):
        def __call__(self, argv: list[str]) -> tuple[int, str, str]:
            if argv == ["ufw", "reload"]:
                raise KeyboardInterrupt
            return super().__call__(argv)

    (change,) = host(Killed({})).firewall([PEER], ["eth1"])
    with pytest.raises(KeyboardInterrupt):
        change.make()
    commands = Commands({})
    (change,) = host(commands).firewall([PEER], ["eth1"])
    change.make()
    assert commands.ran == ["ufw reload"]
    assert host(commands).firewall([PEER], ["eth1"]) == []


def test_ufw_rules_are_put_back_when_ufw_refuses_them(etc: Path) -> None:
    (etc / "ufw.conf").write_text("ENABLED=yes\n")
    (etc / "before.rules").write_text("COMMIT\n")
    commands = Commands({}, "ufw reload")
    (change,) = host(commands).firewall([PEER], ["eth1"])
    with pytest.raises(HostError, match="ufw reload failed with exit code 1"):
        change.make()
    assert (etc / "before.rules").read_text() == "COMMIT\n"
    assert commands.ran == ["ufw reload", "ufw reload"]


def test_firewalld_is_opened_now_and_permanently(etc: Path) -> None:
    zones = (FIXTURES / "firewalld_1.3.3_zones.txt").read_text()
    commands = Commands(
        {
            "firewall-cmd --list-all": zones,
            "firewall-cmd --permanent --list-all": zones,
            "firewall-cmd --get": "public\n",
        }
    )
    assert etc.exists()
    for change in host(commands).firewall([PEER], ["eth1"]):
        change.make()
    rule = 'rule priority="-112" family="ipv4" source address="{}" protocol value="112" accept'
    expected = []
    for scope in ("", "--permanent "):
        expected.append(f"firewall-cmd {scope}--zone=internal --add-rich-rule={rule.format('198.18.0.13')}")
        expected.append(f"firewall-cmd {scope}--zone=public --remove-rich-rule={rule.format('198.18.0.12')}")
    assert commands.ran[-4:] == expected


def test_whoever_was_let_in_stays_until_the_configuration_is_taken(etc: Path) -> None:
    """A configuration may be rejected, and then the former peers still count."""
    (etc / "nftables.conf").write_text(CLOSED_CONF)
    (etc / "ufw.conf").write_text("ENABLED=yes\n")
    former = "-A ufw-before-input -s 198.18.0.12 -p 112 -j ACCEPT"
    (etc / "before.rules").write_text(f"{BEGIN}\n{former}\n{END}\nCOMMIT\n")
    zones = (FIXTURES / "firewalld_1.3.3_zones.txt").read_text()
    commands = Commands({"nft --terse": CLOSED, "firewall-cmd --list-all": zones, "firewall-cmd --get": "public\n"})
    changes = host(commands).firewall([PEER], ["eth1"], keep=True)
    for change in changes:
        change.make()
    shown = "".join(change.shown["after"] for change in changes)
    assert "delete rule" not in shown
    assert shown.count("insert rule") == 2
    assert (etc / "nftables.conf").read_text() == CLOSED_CONF
    assert (etc / "before.rules").read_text().splitlines()[2:4] == [former, former.replace(".12 ", ".13 ")]
    ran = " ".join(commands.ran)
    assert "--add-rich-rule" in ran
    assert "--remove-rich-rule" not in ran
    assert "--permanent --zone" not in ran


def test_nobody_is_shut_out_before_the_configuration_is_taken(etc: Path) -> None:
    (etc / "nftables.conf").write_text(CLOSED_CONF)
    assert host(Commands({"nft --terse": CLOSED})).firewall([], ["eth1"], keep=True) == []


def test_sysctl_writes_the_file_and_the_kernel(tmp_path: Path) -> None:
    path = tmp_path / "90.conf"
    with open("/proc/sys/kernel/ostype", encoding="ascii") as stream:
        value = stream.read().strip()
    (change,) = host(Commands({})).sysctl({"kernel.ostype": value}, str(path))
    assert change.shown["after"].endswith(f"\nkernel.ostype = {value}\n")
    changes = host(Commands({})).sysctl({"kernel.ostype": "other"}, str(path))
    assert [change.shown["after_header"].split()[0] for change in changes] == [str(path), "/proc/sys/kernel/ostype"]


def test_sysctl_without_settings_removes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "90.conf"
    assert host(Commands({})).sysctl({}, str(path)) == []
    path.write_text("x\n")
    (change,) = host(Commands({})).sysctl({}, str(path))
    change.make()
    assert not path.exists()


def test_sysctl_that_the_kernel_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(
        HostError, match=r"sysctl net\.ipv4\.conf\.eth0/100\.x: this kernel has no /proc/sys/net/ipv4/conf/eth0\.100/x"
    ):
        host(Commands({})).sysctl({"net.ipv4.conf.eth0/100.x": "1"}, str(tmp_path / "90.conf"))


def test_booleans() -> None:
    commands = Commands({"getsebool": "keepalived_connect_any --> off\nhaproxy_connect_any --> on\n"})
    (change,) = host(commands).booleans(["keepalived_connect_any", "haproxy_connect_any"])
    change.make()
    assert commands.ran[-1] == "setsebool -P keepalived_connect_any=on"
    assert host(Commands({"getsebool": "a --> on\n"})).booleans(["a"]) == []
    assert host(commands).booleans([]) == []


def test_user_is_created_once() -> None:
    commands = Commands({})
    host = VrrpHost(commands, commands.has, lambda _staged, _dest: None)
    assert host.user("root") == []
    (change,) = host.user("nobody-at-all")
    change.make()
    assert commands.ran == [
        "useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nobody-at-all"
    ]

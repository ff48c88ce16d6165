# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon import cron

CRONTAB = """
# * * * * * nginx
MAILTO=nginx
* * * * * FOLDER/alarm.sh
*/5 1,2 * jan mon-fri /usr/bin/killall -0 keepalived || mail -s down root
@reboot /usr/sbin/nginx
0 4 * * * certbot renew
0 4 * * * FOLDER/other.sh 192.0.2.100 >/dev/null
0 4 * * * ping 2001:db8::10
0 4 * * * FOLDER/absent.sh
"""
WANTED = [
    "* * * * * FOLDER/alarm.sh",
    "*/5 1,2 * jan mon-fri /usr/bin/killall -0 keepalived || mail -s down root",
    "@reboot /usr/sbin/nginx",
    "0 4 * * * ping 2001:db8::10",
]


def test_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "alarm.sh").write_text("ip a | grep 192.0.2.10 || mail -s down root\n")
    (tmp_path / "other.sh").write_text("echo 192.0.2.101 mynginx2\n")
    crontab = tmp_path / "root"
    crontab.write_text(CRONTAB.replace("FOLDER", str(tmp_path)))
    monkeypatch.setattr(cron, "USERS", (str(crontab),))
    monkeypatch.setattr(cron, "SYSTEM", (str(tmp_path / "root"), str(tmp_path / "absent")))
    monkeypatch.setattr(cron, "BOOT", (str(tmp_path / "absent"),))
    found = cron.jobs(["keepalived", "nginx"], ["192.0.2.10", "2001:db8::10"])
    assert found == [f"{crontab}: {line}".replace("FOLDER", str(tmp_path)) for line in WANTED]


def test_lines_that_run_at_boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "start").write_text("/usr/local/nginx/sbin/nginx\n")
    script = tmp_path / "rc.local"
    script.write_text(f"#!/bin/sh\n# nginx\ntouch /run/x\n  /etc/init.d/keepalived start\n{tmp_path}/start\nexit 0\n")
    link = tmp_path / "rc.d.local"
    link.symlink_to(script)
    monkeypatch.setattr(cron, "USERS", ())
    monkeypatch.setattr(cron, "SYSTEM", ())
    monkeypatch.setattr(cron, "BOOT", (str(script), str(link)))
    # systemd leaves it alone.
    script.chmod(0o644)
    assert cron.jobs(["keepalived", "nginx"], []) == []
    script.chmod(0o755)
    assert cron.jobs(["keepalived", "nginx"], []) == [
        f"{script}: /etc/init.d/keepalived start",
        f"{script}: {tmp_path}/start",
    ]


def test_addresses_in_a_configuration() -> None:
    text = (
        'virtual_ipaddress {\n 192.0.2.10/24 dev eth0 label eth0:1\n 2001:DB8::10\n}\nscript "/a.b:c 1.2.3"\n192.0.2.10'
    )
    assert cron.addresses_in(text) == ["192.0.2.10", "2001:db8::10"]

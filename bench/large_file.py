# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the CPU time that a configuration of 5 MB takes: read, written and adopted, and through Ansible's templating.

    .venv/bin/python bench/large_file.py [TITLE...]

It measures the files whose title begins with one of those given, such as ``keepalived``, or all of them. Ansible reads
the file with ``from_*`` and writes it again with ``to_*``, on this machine. It needs no lab.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "build/collections"))
from ansible_collections.haproof.balancer.plugins.module_utils._haproxy.parse import parse as parse_haproxy
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.parse import parse as parse_keepalived
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.render import render as render_keepalived
from ansible_collections.haproof.balancer.plugins.plugin_utils._adopt.adopt import adopt
from ansible_collections.haproof.balancer.plugins.plugin_utils._haproxy.render import render as render_haproxy
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.parse import parse as parse_nginx
from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import render as render_nginx

SIZE = 5_000_000
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        content: "{{{{ lookup('ansible.builtin.file', {source!r}) | haproof.balancer.from_{name}
          | haproof.balancer.to_{name} }}}}"
        dest: {target}
        mode: "0600"
"""

NGINX_HOST = """server {{
    listen 443 ssl;
    server_name {0}.example.com www.{0}.example.com;
    # Renewed by a timer.
    ssl_certificate /etc/ssl/{0}.pem;
    location / {{
        proxy_pass http://backends;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
    location ~ "\\.(png|jpg)$" {{ expires 30d; root /srv/www/{0}; }}
}}
"""
KEEPALIVED_SERVICE = """vrrp_script check_{0} {{
    script "/usr/bin/curl -sf http://127.0.0.1:{0}/"   # the service itself
    interval 2
}}

vrrp_instance VI_{0} {{
    state BACKUP
    interface eth0
    virtual_router_id {1}
    priority 100
    authentication {{
        auth_type PASS
        auth_pass secret
    }}
    virtual_ipaddress {{
        10.0.{1}.1/24 dev eth0 label eth0:{1}
    }}
    track_script {{
        check_{0}
    }}
}}

virtual_server 10.0.{1}.1 {0} {{
    delay_loop 6
    lb_algo rr
    lb_kind NAT
    real_server 192.0.2.21 {0} {{
        weight 1
        HTTP_GET {{
            url {{
                path /
                status_code 200
            }}
            connect_timeout 3
        }}
    }}
    real_server 192.0.2.22 {0} {{
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
}}

"""
KEEPALIVED_INSTANCE = "vrrp_instance a {\nvirtual_router_id 1\ninterface eth0\n"

Line = Callable[[int], str]
# What a file is, which filters read and write it, its beginning, its lines, and its end.
FILES: list[tuple[str, str, str, str, Line, str]] = [
    ("nginx, a map", "nginx", "nginx_conf", "events {}\nhttp { map $a $b {\n", lambda n: f"k{n:x} {n % 7};\n", "}}\n"),
    (
        "nginx, two lines in turn",
        "nginx",
        "nginx_conf",
        "events {}\nhttp { server {\n",
        lambda n: "c d;\n" if n % 2 else "a b;\n",
        "}}\n",
    ),
    ("nginx, virtual hosts", "nginx", "nginx_conf", "events {}\nhttp {\n", NGINX_HOST.format, "}\n"),
    ("nginx, empty blocks", "nginx", "nginx_conf", "events {}\nhttp {\n", lambda _n: "a{}\n", "}\n"),
    ("nginx, one line", "nginx", "nginx_conf", "events {}\nhttp { server {\n", lambda _n: "a b;\n", "}}\n"),
    ("haproxy, servers", "haproxy", "haproxy_cfg", "backend b\n", lambda n: f"    server s{n:x} 192.0.2.1:80\n", ""),
    (
        "keepalived, addresses",
        "keepalived",
        "keepalived_conf",
        f"{KEEPALIVED_INSTANCE}virtual_ipaddress_excluded {{\n",
        lambda n: f"192.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}\n",
        "}\n}\n",
    ),
    (
        "keepalived, services",
        "keepalived",
        "keepalived_conf",
        "global_defs {\n    router_id lb01\n}\n\n",
        lambda n: KEEPALIVED_SERVICE.format(n, n % 255 + 1),
        "",
    ),
    (
        "keepalived, two lines in turn",
        "keepalived",
        "keepalived_conf",
        KEEPALIVED_INSTANCE,
        lambda n: "a 1\n" if n % 2 else "b 1\n",
        "}\n",
    ),
    ("keepalived, empty blocks", "keepalived", "keepalived_conf", KEEPALIVED_INSTANCE, lambda _n: "a {\n}\n", "}\n"),
]
DAEMONS: dict[str, tuple[Callable[[str], Any], Callable[[Any], str]]] = {
    "nginx": (parse_nginx, render_nginx),
    "haproxy": (parse_haproxy, render_haproxy),
    "keepalived": (parse_keepalived, render_keepalived),
}


def text_of(begin: str, line: Line, end: str) -> str:
    """Return a file of SIZE."""
    lines = [begin]
    left = SIZE - len(begin) - len(end)
    while left > 0:
        lines.append(line(len(lines)))
        left -= len(lines[-1])
    return "".join([*lines, end])


def timed(do: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Return the CPU time of a call, and its result."""
    start_s = time.process_time()
    result = do(*arguments)
    return time.process_time() - start_s, result


def through_ansible(name: str, text: str) -> float:
    """Return the CPU time of ansible-playbook and its children."""
    with tempfile.TemporaryDirectory() as folder:
        source, target, play = (Path(folder) / part for part in ("source", "target", "play.yml"))
        source.write_text(text)
        play.write_text(PLAYBOOK.format(source=str(source), name=name, target=target))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run(
            [
                "ansible-playbook",
                "-i",
                "localhost,",
                "-c",
                "local",
                "-e",
                f"ansible_python_interpreter={sys.executable}",
                str(play),
            ],
            capture_output=True,
            check=False,
            text=True,
            cwd=CHECKOUT,
        )
        if run.returncode != 0:
            sys.exit(run.stdout + run.stderr)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    wanted = tuple(sys.argv[1:]) or ("",)
    print("| 5 MB of | read | write | adopt | through Ansible |\n|---|---|---|---|---|")
    for title, daemon, name, begin, line, end in FILES:
        if not title.startswith(wanted):
            continue
        text = text_of(begin, line, end)
        read, write = DAEMONS[daemon]
        read_s, tree = timed(read, text)
        write_s, _text = timed(write, tree)
        adopt_s, _variables = timed(adopt, daemon, {"lb01": text.encode()})
        print(f"| {title} | {read_s:.1f} s | {write_s:.1f} s | {adopt_s:.1f} s | {through_ansible(name, text):.1f} s |")


if __name__ == "__main__":
    main()

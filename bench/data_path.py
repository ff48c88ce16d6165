# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare requests per second through the lab's pair with those sent directly to a backend.

For each engine: direct requests to a backend, the engine with its package's configuration plus a simple proxy, and the
pair through its VIP, alternating, with bodies of 1 KiB and 100 KiB, kept and new client connections, HTTP and TLS. Then
only the pair for a minute. All of them share this machine, so the result is the ratio to direct requests.

Run it with .venv/bin/python after "make lab site", on an idle machine. It installs wrk on the client, and takes about
eleven minutes. The last run of site.yml restores the lab.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv/bin"
VARIABLES = ROOT / "build/bench/data_path.json"
ENGINES = ("nginx", "haproxy")
BODIES = {"1k": 1024, "100k": 102400}
CONNECTIONS = 32
# The package's configuration runs beside the pair on its first balancer, on these ports.
PORTS = {"http": 80, "https": 443}
STOCK_PORTS = {"http": 8080, "https": 8443}
CERTIFICATE = "/etc/ssl/haproof-bench.pem"

# Debian 12's packaged configurations without comments and sockets, plus a simple proxy.
STOCK = {
    "nginx": """\
user www-data;
worker_processes auto;
pid /run/haproof-bench.pid;
error_log /var/log/nginx/error.log;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    access_log /var/log/nginx/access.log;
    gzip on;
    upstream backends {{ server {servers[0]}:80; server {servers[1]}:80; }}
    server {{
        listen 8080;
        listen 8443 ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        location / {{ proxy_pass http://backends; }}
    }}
}}
""",
    "haproxy": """\
global
    log /dev/log local0
    log /dev/log local1 notice
    chroot /var/lib/haproxy
    user haproxy
    group haproxy
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
defaults
    log global
    mode http
    option httplog
    option dontlognull
    timeout connect 5000
    timeout client 50000
    timeout server 50000
frontend http
    bind *:8080
    bind *:8443 ssl crt {certificate}
    default_backend backends
backend backends
    balance roundrobin
    server web01 {servers[0]}:80 check
    server web02 {servers[1]}:80 check
""",
}
START = {
    "nginx": "nginx -c /run/haproof-bench.conf -g 'daemon off;'",
    "haproxy": "haproxy -W -db -f /run/haproof-bench.conf",
}


class Load(NamedTuple):
    """A kind of request."""

    scheme: str
    body: str
    kept: bool

    def __str__(self) -> str:
        return f"{self.scheme:5} {self.body:>4}  {'kept' if self.kept else 'new '}"


class Lab:
    """The lab's nodes and addresses."""

    def __init__(self, inventory: Path) -> None:
        self.inventory = inventory
        lab = yaml.safe_load(inventory.read_text())["all"]
        self.key = lab["vars"]["ansible_ssh_private_key_file"]
        self.engine = lab["vars"]["balancer_engine"]
        self.vip = lab["vars"]["keepalived_vips"][0]["address"].partition("/")[0]
        groups = {group: list(content["hosts"].items()) for group, content in lab["children"].items()}
        self.managed = {name: host["ansible_host"] for hosts in groups.values() for name, host in hosts}
        self.balancers = [name for name, _host in groups["balancers"]]
        self.client = groups["clients"][0][0]
        self.servers = [host["backend_address"] for _name, host in groups["backends"]]
        self.first = groups["balancers"][0][1]["backend_address"]

    def run(self, node: str, command: str, text: str | None = None) -> str:
        """Run a command on a node and return its output; exit if it fails."""
        options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        ssh = ["ssh", "-F", "none", "-i", self.key, *options, f"root@{self.managed[node]}", command]
        done = subprocess.run(ssh, input=text or "", capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{node}: {command}: {done.stdout}{done.stderr}")
        return done.stdout

    def site(self, engine: str, *inventories: Path) -> None:
        """Apply site.yml with an engine, and stop the other one, which would use its ports."""
        for other, name in product(set(ENGINES) - {engine}, self.balancers):
            self.run(name, f"systemctl disable --now {other} 2>/dev/null || test ! -e /usr/sbin/{other}")
        options = [f"--inventory={path}" for path in (self.inventory, *inventories)]
        command: list[str | Path] = [
            BIN / "ansible-playbook",
            *options,
            f"--extra-vars=balancer_engine={engine}",
            "playbooks/site.yml",
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"site.yml failed:\n{done.stdout}\n{done.stderr}")


def variables(certificate: str) -> dict[str, Any]:
    """Return an inventory that adds TLS and pages of a known size to site's defaults."""
    secret = {"dest": CERTIFICATE, "content": certificate, "secret": True}
    tls: dict[str, Any] = {"listen": ["80 default_server", "443 ssl default_server"]}
    tls.update({"ssl_certificate": CERTIFICATE, "ssl_certificate_key": CERTIFICATE})
    pages = [{"dest": f"/srv/www/{name}", "content": "x" * size} for name, size in BODIES.items()]
    balancers = {
        "nginx_files": [secret],
        "nginx_servers": [{**tls, "location /": {"proxy_pass": "http://backends"}}],
        "haproxy_files": [secret],
        "haproxy_frontends": [
            {
                "name": "http",
                "bind": ["*:80", f"*:443 ssl crt {CERTIFICATE}"],
                "option": {"forwardfor": True},
                "default_backend": "backends",
            }
        ],
    }
    backends = {"nginx_files": [secret, *pages], "nginx_servers": [{**tls, "root": "/srv/www"}]}
    return {"all": {"children": {"balancers": {"vars": balancers}, "backends": {"vars": backends}}}}


def new_certificate() -> str:
    """Return a key and a certificate, as one text."""
    with tempfile.TemporaryDirectory() as folder:
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=bench"
        files = ["-keyout", f"{folder}/key", "-out", f"{folder}/certificate"]
        subprocess.run([*command.split(), *files], check=True, capture_output=True)
        return Path(folder, "key").read_text() + Path(folder, "certificate").read_text()


def requests_per_s(lab: Lab, load: Load, address: str, seconds: int, ports: Mapping[str, int]) -> float:
    """Let the client send requests as fast as it can; prints failures."""
    close = "" if load.kept else "--header 'Connection: close' "
    url = f"{load.scheme}://{address}:{ports[load.scheme]}/{load.body}"
    output = lab.run(lab.client, f"wrk --threads 1 --connections {CONNECTIONS} --duration {seconds}s {close}{url}")
    failed = [line.strip() for line in output.splitlines() if "Non-2xx" in line or "Socket errors" in line]
    if failed:
        print(f"  {url}: {', '.join(failed)}", flush=True)
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", output)[0])


def measure(lab: Lab, engine: str, seconds: int, rounds: int) -> None:
    """Print a line per load: requests per second, and the ratios to the direct ones."""
    targets = {"direct": (lab.servers[0], PORTS), "package": (lab.first, STOCK_PORTS), "pair": (lab.vip, PORTS)}
    for load in (Load(*parts) for parts in product(("http", "https"), BODIES, (True, False))):
        seen: dict[str, list[float]] = {target: [] for target in targets}
        for _round, (target, (address, ports)) in product(range(rounds), targets.items()):
            seen[target].append(requests_per_s(lab, load, address, seconds, ports))
        found = {target: statistics.median(rates) for target, rates in seen.items()}
        ratios = "  ".join(f"{target} {found[target] / found['direct']:.2f}" for target in ("package", "pair"))
        shown = "  ".join(f"{target} {rate:6.0f}/s" for target, rate in found.items())
        print(f"{engine:7} {load}  {shown}  ratios: {ratios}", flush=True)


def sustain(lab: Lab, engine: str, seconds: int) -> None:
    """Print the pair's rates in 10 s pieces of a longer time, and the ratio of the worst one."""
    load = Load("http", "1k", True)
    direct = [requests_per_s(lab, load, lab.servers[0], 10, PORTS)]
    pieces = [requests_per_s(lab, load, lab.vip, 10, PORTS) for _piece in range(seconds // 10)]
    waiting = lab.run(lab.balancers[0], "ss --no-header --tcp --numeric state time-wait | wc -l").strip()
    direct.append(requests_per_s(lab, load, lab.servers[0], 10, PORTS))
    rates = " ".join(f"{rate:.0f}" for rate in pieces)
    worst = min(pieces) / statistics.mean(direct)
    print(f"{engine:7} {load}  {seconds} s: {rates}/s, worst ratio {worst:.2f}, {waiting} in TIME_WAIT", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="how long each measurement takes (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is repeated (default: 3)")
    parser.add_argument("--sustain", type=int, default=60, help="seconds for only the pair (default: 60)")
    parser.add_argument("--inventory", type=Path, default=ROOT / "build/lab/inventory.yml", help="default: the lab's")
    arguments = parser.parse_args()
    lab = Lab(arguments.inventory)
    lab.run(lab.client, "command -v wrk || DEBIAN_FRONTEND=noninteractive apt-get install --yes wrk")
    VARIABLES.parent.mkdir(parents=True, exist_ok=True)
    VARIABLES.write_text(json.dumps(variables(new_certificate())))
    first = lab.balancers[0]
    try:
        for engine in ENGINES:
            lab.site(engine, VARIABLES)
            stock = STOCK[engine].format(servers=lab.servers, certificate=CERTIFICATE)
            lab.run(first, "cat >/run/haproof-bench.conf", stock)
            lab.run(first, f"systemd-run --quiet --collect --unit=haproof-bench {START[engine]}")
            measure(lab, engine, arguments.seconds, arguments.rounds)
            lab.run(first, "systemctl stop haproof-bench")
            sustain(lab, engine, arguments.sustain)
    finally:
        lab.run(first, "systemctl stop haproof-bench 2>/dev/null || true; rm -f /run/haproof-bench.*")
        lab.site(lab.engine)


if __name__ == "__main__":
    main()

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access to a lab's nodes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple

import yaml

if TYPE_CHECKING:
    from testinfra.host import Host

PROJECT = Path(__file__).parents[3]
BACKENDS = ("web01", "web02")
BALANCERS = ("lb01", "lb02")
CLIENT = "client"
SITE = "www.example.com"
"""The site name in the examples."""
PROBE_S = 180
"""Maximum duration of a prober or watcher, in seconds."""
PATIENT_S = 0.9
"""A time-out that a busy machine can meet, but shorter than the kernel's repetition of a lost SYN."""

# VRRPv3 adverts (RFC 9568 section 5) for the VIP, whose last byte is the router id.
FORGER = """
import socket, struct, sys, time

vip = socket.inet_aton(sys.argv[1])
group = "224.0.0.18"
probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
probe.connect((sys.argv[1], 9))
own = socket.inet_aton(probe.getsockname()[0])


def advert(checksum):
    return struct.pack("!BBBBHH4s", 0x31, vip[3], 255, 1, 20, checksum, vip)


pseudo = own + socket.inet_aton(group) + struct.pack("!BBH", 0, 112, 12) + advert(0)
total = sum(struct.unpack("!%dH" % (len(pseudo) // 2), pseudo))
total = (total & 0xFFFF) + (total >> 16)
total = (total & 0xFFFF) + (total >> 16)
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
end = time.monotonic() + 3
while time.monotonic() < end:
    sender.sendto(advert(0xFFFF & ~total), (group, 0))
    time.sleep(0.1)
"""


@dataclass(frozen=True)
class Lab:
    """The nodes of a lab, and their inventory."""

    inventory: Path
    nodes: dict[str, Host]
    engine: str
    balancers: list[str]
    """In the order of takeover."""
    backends: list[str]
    owners: dict[str, str]
    """The owner of each VIP (without prefix)."""

    @property
    def vip(self) -> str:
        """The first VIP, the default of the methods."""
        return next(iter(self.owners))

    def holders(self, vip: str = "") -> list[str]:
        """Return the balancers that have the VIP on an interface."""
        return [name for name in self.balancers if self.holds(name, vip)]

    def holds(self, name: str, vip: str = "") -> bool:
        """Return whether this balancer has the VIP on an interface."""
        return bool(self._vip_interface(name, vip or self.vip))

    def moved_to(self, name: str, vip: str = "", within_s: float = 10) -> bool:
        """Wait until only this balancer has the VIP; return whether it does."""
        return eventually(lambda: self.holders(vip) == [name], within_s)

    def holder_macs(self, vip: str = "") -> set[str]:
        """Return the MAC addresses of the interfaces with the VIP."""
        return {
            self.nodes[name].check_output("cat /sys/class/net/%s/address", self._vip_interface(name, vip or self.vip))
            for name in self.holders(vip)
        }

    def answering_macs(self, vip: str = "") -> set[str]:
        """Return the MAC addresses that answer for the VIP on the wire, asked from the client."""
        vip = vip or self.vip
        client = self.nodes[CLIENT]
        route = client.check_output("ip -oneline route get %s", vip).split()
        interface = route[route.index("dev") + 1]
        if ":" in vip:
            # Without an answer it fails, and prints nothing.
            return set(client.run("ndisc6 -q -n -m -r 1 -w 1000 %s %s", vip, interface).stdout.lower().split())
        # Always broadcast, or only the first host that answered would be asked again.
        replies = client.run("arping -b -c 2 -I %s %s", interface, vip).stdout
        return {line.split("[")[1].split("]")[0].lower() for line in replies.splitlines() if "reply from" in line}

    def answers(self, requests: int, vip: str = "") -> list[str]:
        """Make *requests* for the VIP's page from the client, and return the bodies."""
        script = "for i in $(seq %s); do curl --silent --show-error --max-time 2 %s; echo; done"
        return self.nodes[CLIENT].check_output(script, str(requests), url(vip or self.vip)).splitlines()

    def module(self, hosts: str, module: str, arguments: dict[str, Any], *options: str) -> dict[str, dict[str, Any]]:
        """Run a module of the collection on these hosts, and return its results by host."""
        with self._ad_hoc(hosts, module, arguments, *options) as run:
            return ad_hoc_results(run.communicate()[0])

    def forge_adverts(self) -> None:
        """Let the client claim the VIP in the background for three seconds, with VRRP's highest priority."""
        self.nodes[CLIENT].check_output("setsid python3 -c %s %s >/dev/null 2>&1 </dev/null &", FORGER, self.vip)

    def variables_of(self, group: str) -> dict[str, Any]:
        """Read a group's variables file beside the inventory."""
        variables: dict[str, Any] = yaml.safe_load((self.inventory.parent / f"group_vars/{group}.yml").read_text())
        return variables

    @contextmanager
    def probed(self, vip: str = "", timeout_s: float = 0.25, connections: int = 0) -> Iterator[dict[str, Any]]:
        """Request the VIP's page from the client continuously; at the end the dict has vip_probe's result."""
        arguments = {"url": url(vip or self.vip), "timeout": timeout_s, "connections": connections}
        seen: dict[str, Any] = {}
        with self.beside(CLIENT, "vip_probe", arguments) as result:
            yield seen
        seen.update(result["probe"])

    @contextmanager
    def beside(self, name: str, module: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Run a module with a run file on a node during the block; at the end the dict has its result."""
        node = self.nodes[name]
        run_file = f"/run/haproof-{uuid.uuid4()}"
        result: dict[str, Any] = {}
        with self._ad_hoc(name, module, {**arguments, "run_file": run_file, "duration": PROBE_S}) as running:
            try:
                assert eventually(lambda: node.run("grep ready %s", run_file).rc == 0, within_s=60)
                yield result
            finally:
                node.run("rm -f %s", run_file)
                output = running.communicate(timeout=PROBE_S)[0]
        result.update(ad_hoc_results(output)[name])

    def _ad_hoc(self, hosts: str, module: str, arguments: dict[str, Any], *options: str) -> subprocess.Popen[str]:
        command = ["ansible", hosts, "-i", str(self.inventory), "-m", f"haproof.balancer.{module}"]
        # Override the project's YAML output and molecule's colours, which are for terminals.
        environment = {**os.environ, "ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_FORCE_COLOR": "false"}
        return subprocess.Popen(
            [*command, *(["-a", json.dumps(arguments)] if arguments else []), *options],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def stopped(self, name: str, unit: str) -> Iterator[None]:
        """Stop a unit on a node, and always start it again at the end."""
        try:
            self.nodes[name].check_output("systemctl stop %s", unit)
            yield
        finally:
            self.nodes[name].check_output("systemctl start %s", unit)

    def _vip_interface(self, name: str, vip: str) -> str:
        words = self.nodes[name].check_output("ip -oneline address show to %s", vip).split()
        # "2: eth1    inet 198.18.0.10/24 ..."
        return words[1].split("@")[0] if words else ""


def ad_hoc_results(output: str) -> dict[str, dict[str, Any]]:
    """Parse the output of ``ansible -m``: "lb01 | SUCCESS => {...}" per host."""
    parts = re.split(r"^(\S+) \| \S+ => ", output, flags=re.MULTILINE)
    return {host: json.loads(text) for host, text in zip(parts[1::2], parts[2::2])}


def felt_s(seen: dict[str, Any]) -> float:
    """Return the longest outage in vip_probe's result, as failed requests times their interval.

    From one good answer to the next it would include the time in which a busy machine did not run the prober.
    """
    return float(max((outage["failed"] for outage in seen["outages"]), default=0) * seen["interval_s"])


def url(vip: str) -> str:
    """Return the URL of the page behind a VIP."""
    return f"http://[{vip}]/" if ":" in vip else f"http://{vip}/"


def inventory_variables(inventory: Path) -> dict[str, Any]:
    """Return the variables for all hosts in a lab's inventory."""
    variables: dict[str, Any] = yaml.safe_load(inventory.read_text())["all"]["vars"]
    return variables


def write_inventory(lab: Lab, folder: str, content: dict[str, Any]) -> Path:
    """Write an inventory into an empty directory beside the lab's, and return its path."""
    path = lab.inventory.parent / folder / "inventory.yml"
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(content))
    return path


def run_playbook(playbook: str, inventory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook, a file's or the collection's, which may fail."""
    command = ["ansible-playbook", playbook, f"--inventory={inventory}", *arguments]
    # Molecule enables colours, whose codes would break matches at word boundaries.
    environment = {**os.environ, "ANSIBLE_FORCE_COLOR": "false"}
    return subprocess.run(command, capture_output=True, check=False, env=environment, text=True, timeout=600)


def apply_site(lab: Lab, variables: dict[str, Any], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run site.yml with these variables on top of the inventory's, and more arguments for ansible-playbook."""
    return run_playbook("haproof.balancer.site", lab.inventory, "--extra-vars", json.dumps(variables), *arguments)


def apply_example(lab: Lab, name: str, *arguments: str) -> str:
    """Run site.yml with the inventory of ``examples/<name>``, overridden by the lab's; return Ansible's output."""
    inventories = [PROJECT / "examples" / name / "inventory.yml", lab.inventory]
    command = ["ansible-playbook", "haproof.balancer.site", *(f"--inventory={path}" for path in inventories)]
    run = subprocess.run([*command, *arguments], capture_output=True, check=False, text=True, timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def unchanged(recap: str) -> bool:
    """Return whether Ansible changed nothing on any host."""
    changes = re.findall(r"changed=(\d+)", recap)
    return bool(changes) and set(changes) == {"0"}


class Answer(NamedTuple):
    """An HTTP response; the headers' names are in lower case."""

    status: int
    headers: dict[str, str]
    body: str


def ask(node: Host, address: str, path: str = "/", site: str = SITE, **headers: str) -> Answer:
    """Request a page of a site from a node; ``accept_encoding="gzip"`` sends that header."""
    command = ["curl", "--silent", "--show-error", "--include", "--max-time", "10"]
    for name, value in headers.items():
        command += ["--header", f"{name.replace('_', '-')}: {value}"]
    command += ["--resolve", f"{site}:80:{address}", f"http://{site}{path}"]
    # Compressed bodies are not text.
    raw = node.run_expect([0], shlex.join(command)).stdout_bytes.decode(errors="replace")
    head, _blank, body = raw.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    fields = (line.partition(":") for line in lines)
    return Answer(int(status.split()[1]), {name.lower(): value.strip() for name, _colon, value in fields}, body)


def servers(node: Host, address: str, path: str, *options: str) -> Counter[str]:
    """Count the answers of each stand-in; ``/[1-9]`` in the path makes nine requests, each on a new connection."""
    command = ["curl", "--silent", "--show-error", "--fail", "--max-time", "60", "--header", "Connection: close"]
    command += [*options, "--resolve", f"{SITE}:80:{address}", f"http://{SITE}{path}"]
    return Counter(re.findall(r"^\w+:\d+$", node.check_output(shlex.join(command)), flags=re.MULTILINE))


def running_keepalived(lab: Lab, name: str) -> str:
    """Return the binary of a balancer's keepalived. There must be one process, and its children must run the same."""
    script = "for pid in $(pidof keepalived); do readlink /proc/$pid/exe; done | sort -u"
    (binary,) = lab.nodes[name].check_output(script).splitlines()
    parents = lab.nodes[name].check_output("pgrep --count --parent 1 --exact keepalived")
    assert parents == "1", f"{parents} keepalived run on {name}"
    return str(binary)


def inventory_balancers(inventory: Path) -> dict[str, dict[str, Any]]:
    """Return the balancers of a lab's inventory in order, with their variables."""
    return inventory_hosts(inventory, "balancers")


@contextmanager
def frozen(lab: Lab, name: str) -> Iterator[None]:
    """Freeze a whole node, as a stalled hypervisor does."""
    container = inventory_balancers(lab.inventory)[name]["lab_container"]
    subprocess.run(["docker", "pause", container], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["docker", "unpause", container], check=True, capture_output=True)


def inventory_hosts(inventory: Path, group: str) -> dict[str, dict[str, Any]]:
    """Return a group's hosts in a lab's inventory in order, with their variables."""
    hosts: dict[str, dict[str, Any]] = yaml.safe_load(inventory.read_text())["all"]["children"][group]["hosts"]
    return hosts


def vip_owners(inventory: Path) -> dict[str, str]:
    """Return the owner of each VIP; the default is the first balancer."""
    first = next(iter(inventory_balancers(inventory)))
    vips = inventory_variables(inventory)["keepalived_vips"]
    return {vip["address"].split("/")[0]: vip.get("owner", first) for vip in vips}


def eventually(condition: Callable[[], bool], within_s: float) -> bool:
    """Poll a condition until it is true or the time is over; return whether it was."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True

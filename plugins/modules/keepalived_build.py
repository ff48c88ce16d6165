#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: keepalived_build
short_description: Build keepalived from source, beside earlier builds
version_added: "0.1.0"
description:
  - A temporary unprivileged user without network builds keepalived, in a temporary directory.
  - Each version, source and set of options is a separate build in the directory C(PREFIX-VERSION-HASH). A working build
    is not built again, so going back to an earlier one takes no time.
  - Verifies in the summary of C(configure) that IPVS, libnl, VRRP, systemd's notification and all O(configure_options)
    are enabled, and fails otherwise.
  - Does not touch a running keepalived. O(prefix) is a symbolic link to the build last set by O(state=current).
  - The compiler and the headers must be installed. Needs systemd 235 or later.
extends_documentation_fragment:
  - haproof.balancer.attributes
attributes:
  check_mode:
    support: full
    details:
      - Nothing is built, so it is unknown whether a build would succeed.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  state:
    description:
      - V(built) makes the build if it is missing.
      - V(current) points O(prefix) to it, atomically, and removes all others except the newest O(keep).
      - V(absent) removes all builds, and O(prefix).
    type: str
    choices: [built, current, absent]
    default: built
  prefix:
    description: Where keepalived is installed, as a link to the current build.
    type: path
    default: /usr/local/keepalived
  version:
    description: Version of keepalived in the source. Required unless O(state=absent).
    type: str
  url:
    description:
      - URL of the source, a tarball. The host fetches it through C(http), C(https) or C(file).
      - Required unless O(state=absent).
    type: str
  checksum:
    description: Checksum of the tarball, V(sha256:…), V(sha384:…) or V(sha512:…). Required unless O(state=absent).
    type: str
  configure_options:
    description: Options and variables for C(configure).
    type: list
    elements: str
    default: []
  keep:
    description: How many earlier builds to keep beside the current one.
    type: int
    default: 2
  timeout:
    description: How long fetching may stall, in seconds.
    type: int
    default: 30
author:
  - haproof.balancer contributors (@haproof)
"""

EXAMPLES = r"""
- name: Build keepalived beside the running one
  haproof.balancer.keepalived_build:
    version: 2.3.3
    url: https://www.keepalived.org/software/keepalived-2.3.3.tar.gz
    checksum: sha256:2288c5c7609fa452782b7acefa19acce742d0204dc17f54d36da46b10f8b590c
    configure_options: [--enable-json, --enable-bfd]

- name: Remove all builds
  haproof.balancer.keepalived_build:
    state: absent
"""

RETURN = r"""
build:
  description: Directory of the build.
  type: str
  returned: unless O(state=absent)
  sample: /usr/local/keepalived-2.3.3-8dbb5b5c
binary:
  description: The daemon in it.
  type: str
  returned: unless O(state=absent)
  sample: /usr/local/keepalived-2.3.3-8dbb5b5c/sbin/keepalived
summary:
  description: The summary of C(configure), also in the file C(configure.summary) of the build.
  type: dict
  returned: unless O(state=absent), if the build exists
  sample: {Use VRRP Framework: 'Yes', libnl version: '3'}
builds:
  description: All existing builds, the last used first.
  type: list
  elements: str
  returned: always
  sample: [/usr/local/keepalived-2.3.3-8dbb5b5c]
packaged:
  description: Whether the distribution's keepalived is installed too.
  type: bool
  returned: always
settled:
  description: Whether O(state=current) would change nothing.
  type: bool
  returned: unless O(state=absent)
output:
  description: The last lines of output of C(configure) or C(make).
  type: str
  returned: if a build failed
  sample: "configure: error: OpenSSL not properly installed on your system."
"""

import glob
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from typing import IO, Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url
from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import url_shown
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.build import (
    Source,
    findings,
    leaves,
    parse_summary,
    stale,
    to_text,
    unmet,
)
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.dump import parse_version

SUMMARY = "configure.summary"
OUTPUT_LINES = 40
PACKAGED = "/usr/sbin/keepalived"

# tar's option by the first bytes of an archive: tar cannot detect the format in a pipe.
FORMATS: dict[bytes, str] = {b"\x1f\x8b": "--gzip", b"\xfd7zXZ": "--xz", b"BZh": "--bzip2"}

# Arguments: tar's format, the prefix, and those of configure. The staged prefix goes to stdout, all output to stderr.
SCRIPT = """
exec 3>&1 >&2
format=$1 prefix=$2
shift 2
cd "$(mktemp -d -p /var/tmp)"
tar --extract "$format" --strip-components=1
./configure "$@"
make -j "$(nproc)"
make install DESTDIR="$PWD/staged"
tar --create --directory "$PWD/staged$prefix" . >&3
"""


class BuildError(Exception):
    """A build failed; ``output`` is that of configure or make."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def fetch(source: Source, timeout_s: int, tarball: IO[bytes]) -> None:
    """Write the source's tarball to *tarball*. Raises BuildError if it does not match the checksum."""
    name, _colon, wanted = source.checksum.partition(":")
    digest = hashlib.new(name)
    try:
        with open_url(source.url, timeout=timeout_s) as answer:
            for block in iter(lambda: answer.read(65536), b""):
                digest.update(block)
                tarball.write(block)
    except OSError as error:
        raise BuildError(f"cannot fetch {url_shown(source.url)}: {error}") from error
    if digest.hexdigest() != wanted:
        raise BuildError(f"{url_shown(source.url)} has the checksum {name}:{digest.hexdigest()}, not {source.checksum}")
    tarball.seek(0)


def archive_format(tarball: IO[bytes], url: str) -> str:
    """Return tar's option for this tarball. Raises BuildError for an unknown format."""
    start = tarball.read(8)
    tarball.seek(0)
    for magic, option in FORMATS.items():
        if start.startswith(magic):
            return option
    raise BuildError(f"{url_shown(url)} is not a tarball (gzip, xz or bzip2)")


def compile_source(source: Source, tarball: IO[bytes], staged: IO[bytes]) -> str:
    """Build and write an archive of the prefix to *staged*; return the output. Raises BuildError.

    The build runs untrusted code, so it runs as a temporary user (systemd.exec(5), DynamicUser). It is niced, since the
    host may hold a VIP.
    """
    arguments = [archive_format(tarball, source.url), source.prefix, *source.arguments]
    unit = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--description=Build keepalived"]
    limits = ["DynamicUser=yes", "PrivateNetwork=yes", "PrivateTmp=yes", "PrivateDevices=yes", "Nice=10"]
    command = ["/bin/sh", "-euc", SCRIPT, "build", *arguments]
    argv = [*unit, *(f"--property={limit}" for limit in limits), "--setenv=LC_ALL=C"]
    # systemd-run expands variables that start with $.
    argv += [word.replace("$", "$$") for word in command]
    run = subprocess.run(argv, stdin=tarball, stdout=staged, stderr=subprocess.PIPE, check=False)
    output = run.stderr.decode(errors="replace")
    if run.returncode != 0:
        raise BuildError(f"keepalived {source.version} does not build", last_lines(output))
    missing = unmet(source, output)
    if missing:
        raise BuildError(
            "keepalived {} was built without {}; install the missing headers or change "
            "keepalived_configure_options".format(source.version, ", ".join(missing)),
            to_text(parse_summary(output)),
        )
    return output


def last_lines(output: str) -> str:
    """Return the last lines of *output*."""
    return "\n".join(output.splitlines()[-OUTPUT_LINES:])


def unpack(staged: IO[bytes], folder: str) -> None:
    """Unpack the staged build, owned by root and without special modes. Raises BuildError for anything unexpected."""
    staged.seek(0)
    with tarfile.open(fileobj=staged) as archive:
        for member in archive:
            path = os.path.join(folder, member.name)
            if leaves(member.name, member.linkname) or not (member.isfile() or member.isdir() or member.issym()):
                raise BuildError(f"the build made {member.name}, which cannot be installed")
            if member.isdir():
                os.makedirs(path, exist_ok=True)
            elif member.issym():
                os.symlink(member.linkname, path)
            else:
                install(archive.extractfile(member), path, 0o755 if member.mode & 0o100 else 0o644)


def install(content: IO[bytes] | None, path: str, mode: int) -> None:
    """Write a new file. Raises OSError, also if it exists."""
    with open(path, "xb") as stream:
        if content:
            shutil.copyfileobj(content, stream)
        os.fchmod(stream.fileno(), mode)


def make(source: Source, timeout_s: int) -> None:
    """Build, and move the result into place. Raises BuildError, OSError, and then leaves nothing behind."""
    parent, name = os.path.split(source.build)
    os.makedirs(parent, exist_ok=True)
    # The build reads the tarball through its descriptor, so Python must not read ahead.
    with tempfile.TemporaryFile(buffering=0) as tarball, tempfile.TemporaryFile() as staged:
        fetch(source, timeout_s, tarball)
        output = compile_source(source, tarball, staged)
        with tempfile.TemporaryDirectory(dir=parent, prefix=f".{name}.") as folder:
            build = os.path.join(folder, name)
            os.mkdir(build)
            unpack(staged, build)
            with open(os.path.join(build, SUMMARY), "x", encoding="utf-8") as stream:
                stream.write(to_text(parse_summary(output)))
            remove([source.build])
            os.rename(build, source.build)


def works(source: Source) -> bool:
    """Return whether the build exists and starts: a system upgrade may have removed a library."""
    try:
        run = subprocess.run([source.binary, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return run.returncode == 0 and parse_version(run.stdout + run.stderr) == source.version


def summary_of(build: str) -> dict[str, str]:
    """Return the summary stored in the build, empty if there is none."""
    try:
        with open(os.path.join(build, SUMMARY), encoding="utf-8") as stream:
            return parse_summary(stream.read())
    except FileNotFoundError:
        return {}


def list_builds(prefix: str) -> list[str]:
    """Return the builds of this prefix, the last used first."""
    found = [os.path.dirname(path) for path in glob.glob(f"{glob.escape(prefix)}-*/{SUMMARY}")]
    return sorted(found, key=os.path.getmtime, reverse=True)


def linked(prefix: str) -> str:
    """Return the build that the prefix points to, or "". Raises BuildError for a prefix that is not a link."""
    if os.path.islink(prefix):
        return os.path.join(os.path.dirname(prefix), os.readlink(prefix))
    if os.path.lexists(prefix):
        raise BuildError(f"{prefix} is not a link made by this module; move it away or set another keepalived_prefix")
    return ""


def point(prefix: str, build: str) -> None:
    """Point the prefix to the build, atomically."""
    os.utime(build)
    parent, name = os.path.split(prefix)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{name}.") as folder:
        link = os.path.join(folder, name)
        os.symlink(os.path.basename(build), link)
        os.replace(link, prefix)


def remove(paths: list[str]) -> None:
    """Remove these directories and links. Raises OSError."""
    for path in paths:
        if os.path.islink(path):
            os.unlink(path)
        elif os.path.lexists(path):
            shutil.rmtree(path)


def describe(prefix: str, current: str, builds: list[str]) -> str:
    """Return the text for Ansible's diff."""
    lines = [*sorted(builds), *([f"{prefix} -> {current}"] if current else [])]
    return "".join(f"{line}\n" for line in lines)


def reach(state: str, source: Source, keep: int, timeout_s: int, check_mode: bool) -> dict[str, Any]:
    """Reach the state and return the module's result. Raises BuildError, OSError."""
    builds, current = list_builds(source.prefix), linked(source.prefix)
    before = describe(source.prefix, current, builds)
    wanted, after = list(builds), current
    gone: list[str] = []
    missing = False
    if state == "absent":
        wanted, after, gone = [], "", [*builds, *([source.prefix] if current else [])]
    else:
        missing = not works(source)
        if source.build not in builds:
            wanted.insert(0, source.build)
        if state == "current":
            gone = stale(builds, source.build, keep)
            wanted, after = [build for build in wanted if build not in gone], source.build
    result: dict[str, Any] = {
        "changed": missing or bool(gone) or current != after,
        "builds": wanted,
        "packaged": os.path.exists(PACKAGED),
        "diff": {"before": before, "after": describe(source.prefix, after, wanted)},
    }
    if not check_mode:
        if missing:
            make(source, timeout_s)
        if after != current and after:
            point(source.prefix, after)
        remove(gone)
    if state != "absent":
        result["build"], result["binary"] = source.build, source.binary
        result["summary"] = summary_of(source.build)
        result["settled"] = after == source.build and not stale(wanted, source.build, keep)
    return result


def main() -> None:
    needed = ["version", "url", "checksum"]
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["built", "current", "absent"], "default": "built"},
            "prefix": {"type": "path", "default": "/usr/local/keepalived"},
            "version": {"type": "str"},
            "url": {"type": "str"},
            "checksum": {"type": "str"},
            "configure_options": {"type": "list", "elements": "str", "default": []},
            "keep": {"type": "int", "default": 2},
            "timeout": {"type": "int", "default": 30},
        },
        required_if=[("state", "built", needed), ("state", "current", needed)],
        supports_check_mode=True,
    )
    # All users may read the build, whatever the host's default umask is.
    os.umask(0o022)
    options = module.params
    source = Source(
        version=options["version"] or "",
        url=options["url"] or "",
        checksum=options["checksum"] or "",
        prefix=options["prefix"],
        options=tuple(options["configure_options"]),
    )
    # Ansible returns this as the module's argument.
    options["url"] = url_shown(source.url)
    problems = findings(source) if options["state"] != "absent" else []
    if problems:
        module.fail_json(msg="\n".join(problems))
    try:
        result = reach(options["state"], source, options["keep"], options["timeout"], module.check_mode)
    except (BuildError, OSError) as error:
        output = error.output if isinstance(error, BuildError) else ""
        module.fail_json(msg="\n".join(filter(None, [str(error), output])), output=output)
    module.exit_json(**result)


if __name__ == "__main__":
    main()

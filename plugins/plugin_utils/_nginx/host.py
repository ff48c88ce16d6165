# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The permissions and limits that an nginx.conf needs from systemd."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import blocks, key_arguments, lines

# Folders that are read-only with ProtectSystem=full and ProtectHome=read-only.
PROTECTED = ("/usr", "/etc", "/boot", "/efi", "/home", "/root")
# nginx resolves relative paths from its prefix, which depends on the package.
PREFIXES = ("/usr/share/nginx", "/etc/nginx")
# Directives whose first argument is a path that nginx writes to.
_WRITTEN = ("access_log", "error_log", "lock_file", "pid")
_WRITTEN_ENDS = ("_cache_path", "_temp_path")
_NO_PATHS = ("off", "stderr", "syslog:", "memory:")
DESCRIPTORS = 16384


def unit(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that nginx needs from systemd with this configuration.

    ``nofile``, its limit of open files; ``capabilities`` beyond the usual; ``paths``, folders it writes to that systemd
    would protect.
    """
    statements = list(_walk(tree))
    limits = [int(line[0]) for line in lines(tree, "worker_rlimit_nofile")]
    limits += [2 * int(line[0]) for line in lines(tree.get("events") or {}, "worker_connections")]
    capabilities = []
    if any(words[0] == "worker_priority" for words in statements):
        capabilities.append("CAP_SYS_NICE")
    if any(words[0] == "proxy_bind" and "transparent" in words for words in statements):
        # The workers keep it to use addresses that are not the host's.
        capabilities.append("CAP_NET_RAW")
    written = [words[1] for words in statements if _is_written(words)]
    folders = sorted({folder for path in written for folder in _folders(path)})
    return {
        "nofile": max(limits, default=DESCRIPTORS),
        "capabilities": capabilities,
        "paths": [folder for folder in folders if folder.startswith(tuple(f"{path}/" for path in PROTECTED))],
    }


def ports(tree: Mapping[str, Any]) -> dict[str, bool]:
    """Return whether only TLS is spoken, by TCP port at which the http block's servers listen to other hosts."""
    found: dict[str, bool] = {}
    for server in blocks((tree.get("http") or {}).get("server", [])):
        # nginx listens on port 80 by default.
        for address, *options in lines(server, "listen") or [["80"]]:
            match = re.fullmatch(r"(?:(.*):)?(\d+)", address)
            place, port = (match[1] or "", match[2]) if match else (address, "80")
            if not place.startswith(("unix", "127.", "[::1]", "localhost")) and "quic" not in options:
                found[port] = found.get(port, True) and "ssl" in options
    return found


def _walk(block: Mapping[Any, Any]) -> Iterator[list[str]]:
    for key, value in block.items():
        words = key_arguments(key)
        inner = blocks(value)
        yield from ([words] if inner else ([words[0], *line] for line in lines({key: value}, words[0])))
        for one in inner:
            yield from _walk(one)


def _is_written(words: list[str]) -> bool:
    if len(words) < 2 or not (words[0] in _WRITTEN or words[0].endswith(_WRITTEN_ENDS)):
        return False
    return not words[1].startswith(_NO_PATHS)


def _folders(path: str) -> list[str]:
    """Return the folders in which *path*, up to its first variable, may be."""
    folder = posixpath.dirname(path.partition("$")[0])
    return [folder] if folder.startswith("/") else [posixpath.join(prefix, folder).rstrip("/") for prefix in PREFIXES]

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which files are this collection's own, and which of a role's files an earlier run wrote. Pure functions."""

from __future__ import annotations

import re
from typing import Iterable

from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import path_problem

# Files that the roles and modules of this collection write themselves.
_OWN = re.compile(
    r"""
      /etc/nginx/(nginx\.conf|haproof/.*)
    | /etc/haproxy/(haproxy\.cfg|haproof/.*)
    | /etc/keepalived/(keepalived\.conf|alert\.json|handover\.json|watch\.json|haproof/.*)
    | /etc/systemd/system/(nginx|haproxy|keepalived)\.service\.d/haproof[^/]*
    | /etc/systemd/system/keepalived([@-][^/]*)?\.(service|socket)
    | /usr/(local/)?libexec/keepalived/(alert|answers|check|track)
    | /usr/(local/)?libexec/haproxy/state
    | /usr/local/lib/keepalived-(handover|watch)/.*
    | /etc/ansible/facts\.d/haproof(_members)?\.fact
    | /etc/sysctl\.d/90-haproof-keepalived\.conf
    | (/etc/apt/sources\.list\.d|/etc/apt/keyrings|/etc/yum\.repos\.d)/haproof-nginx\.[a-z]+
    | /etc/pki/rpm-gpg/RPM-GPG-KEY-haproof-nginx
    | /var/cache/nginx/CACHEDIR\.TAG
    | /(run/haproof|run/haproof-drill|var/lib/haproof-drill)/.*
    | /etc/(.*/)?zz-haproof-keepalived\.nft
    """,
    re.VERBOSE,
)
# Of these, those that a role writes only for some variables, and removes without them.
LISTED = ("/etc/nginx/haproof/degraded.html", "/var/cache/nginx/CACHEDIR.TAG")


def is_own(path: str) -> bool:
    """Return whether the file at *path* is this collection's own, and so not the user's to write."""
    return _OWN.fullmatch(path) is not None


def listed(lines: Iterable[str], manifest: str) -> list[str]:
    """Return the paths in the *lines* of a *manifest*, in which a role lists the files that it has written.

    Raises ValueError for a line that the role has not written: what a manifest names is removed.
    """
    found = []
    for path in filter(None, lines):
        if path_problem(path) or (is_own(path) and path not in LISTED):
            raise ValueError(
                f"{manifest}: the role did not write the line {path!r}; delete it, since listed files are removed"
            )
        found.append(path)
    return found

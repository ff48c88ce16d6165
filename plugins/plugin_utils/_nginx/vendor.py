# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package source of the vendor's nginx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_SITE = "https://nginx.org/packages/"
_DEB = """\
# The key is {checksum}
Types: deb
URIs: {url}
Suites: {release}
Components: nginx
Signed-By: {keyring}
"""
# The distribution's module would hide the repository's packages, its nginx may have the higher epoch, and it would be
# installed if the repository does not answer.
_RPM = """\
# The key is {checksum}
[haproof-nginx]
name=nginx from its vendor
baseurl={url}
gpgcheck=1
gpgkey=file://{keyring}
module_hotfixes=1
priority=90
skip_if_unavailable=0
"""
MARK = "# Written by the role haproof.balancer.nginx.\n"
"""The first line of a package source from which nginx was installed: a run that is cut off before leaves none."""


class PackageSource(NamedTuple):
    """A package source: its URL, its file, the file of its key, and the text of its file without :data:`MARK`."""

    url: str
    path: str
    keyring: str
    text: str


def source(settings: Mapping[str, Any], facts: Mapping[str, Any]) -> PackageSource:
    """Return the source of a host; *settings* are the role's."""
    if facts["os_family"] == "RedHat":
        site = f"{_SITE}rhel/{facts.get('distribution_major_version')}/$basearch/"
        path, keyring, text = "/etc/yum.repos.d/haproof-nginx.repo", "/etc/pki/rpm-gpg/RPM-GPG-KEY-haproof-nginx", _RPM
    else:
        site = f"{_SITE}{str(facts.get('distribution')).lower()}"
        path, keyring = "/etc/apt/sources.list.d/haproof-nginx.sources", "/etc/apt/keyrings/haproof-nginx.asc"
        text = _DEB
    url = settings["vendor_url"] or site
    checksum, release = settings["vendor_key_checksum"], facts.get("distribution_release")
    return PackageSource(url, path, keyring, text.format(checksum=checksum, url=url, release=release, keyring=keyring))

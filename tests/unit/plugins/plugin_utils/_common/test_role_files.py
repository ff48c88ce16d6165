# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._daemon.own_files import listed
from ansible_collections.haproof.balancer.plugins.plugin_utils._common.role_files import with_manifest

FILES = [{"dest": "/a", "content": "a"}, {"dest": "/b", "content": "b", "secret": True}]


def test_a_manifest_lists_the_files() -> None:
    *written, manifest = with_manifest(FILES, "/list")
    assert written == FILES
    assert manifest == {"dest": "/list", "content": "/a\n/b\n"}
    assert listed(manifest["content"].split("\n"), "/list") == ["/a", "/b"]


def test_the_manifest_goes_with_the_last_file() -> None:
    assert with_manifest([], "/list") == [{"dest": "/list", "state": "absent"}]

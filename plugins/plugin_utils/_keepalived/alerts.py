# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keepalived role's alerts and the user's scripts: their settings and findings."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from ansible_collections.haproof.balancer.plugins.module_utils._common.one_line import secret_findings
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.instances import one_of, read

HOOK = "vrrp_notify_fifo"
"""The directive through which keepalived reports transitions to the alerts."""

OWN_PRIORITY = 254
"""A host with at least this priority owns an instance, whatever its initial state."""

RESERVED = ("alert", "answers", "check", "track")
"""The role's own scripts."""


def instances(tree: Any, host: str = "", hosts: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Return, for each vrrp_instance of *host*'s configuration, its ``vips`` and whether this host is ``owner``.

    The owner starts as MASTER, or has the role's highest priority.
    """
    return {
        instance.name: {
            "vips": [vip.written for vip in instance.vips],
            "owner": instance.value("state") == "MASTER" or (instance.priority or 0) >= OWN_PRIORITY,
        }
        for instance in read(tree, one_of(host, hosts)).instances
    }


def alert_findings(
    host: str, mail: Mapping[str, Any], webhook: Mapping[str, Any], global_defs: Mapping[str, Any]
) -> list[str]:
    """Return the findings about the alerts' variables, without secrets."""
    found = [
        *secret_findings("keepalived_alert_mail", mail),
        *secret_findings("keepalived_alert_webhook", webhook),
        *_alert_findings(mail, webhook, global_defs),
    ]
    return [f"{host}: {text}" for text in found]


def _alert_findings(
    mail: Mapping[str, Any], webhook: Mapping[str, Any], global_defs: Mapping[str, Any]
) -> Iterator[str]:
    if mail and not mail.get("to"):
        yield "keepalived_alert_mail.to: has no address; list at least one, or leave keepalived_alert_mail empty"
    for address in mail.get("to") or ():
        if not re.fullmatch(r"[^\s@,]+@[^\s@,]+", str(address)):
            yield f"keepalived_alert_mail.to: {address!r} is not a mail address; write it like oncall@example.com"
    if mail.get("password") and mail.get("tls", "none") == "none":
        yield "keepalived_alert_mail.password: would travel in the clear; set tls to starttls or tls"
    if webhook:
        # The URL may hold a token, so it is not shown.
        url = urlsplit(str(webhook.get("url", "")))
        if url.scheme not in ("http", "https") or not url.hostname:
            yield "keepalived_alert_webhook.url: must begin with http:// or https:// and a host"
    if (mail or webhook) and HOOK in global_defs:
        yield (
            f"keepalived_global_defs.{HOOK}: the alerts use it; use notify_fifo or notify for your own,"
            " or leave keepalived_alert_mail and keepalived_alert_webhook empty"
        )


def script_findings(host: str, scripts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the findings about the user's scripts."""
    return [f"{host}: {text}" for text in _script_findings(scripts)]


def _script_findings(scripts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    taken: dict[str, int] = {}
    for index, script in enumerate(scripts):
        place = f"keepalived_scripts[{index}]"
        name = str(script["name"])
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
            yield f"{place}.name: {name!r} is not a valid file name; use letters, digits, dot, dash and underscore"
        elif name in RESERVED:
            yield f"{place}.name: {name} is one of the role's own scripts ({', '.join(RESERVED)}); choose another name"
        elif taken.setdefault(name, index) != index:
            yield f"{place}.name: {name} is also the name of keepalived_scripts[{taken[name]}]; rename one of them"
        if not str(script["content"]).startswith("#!/"):
            yield f"{place}.content: {name} does not begin with #!/, so keepalived cannot run it; name its interpreter"


def script_files(scripts: Sequence[Mapping[str, Any]], folder: str) -> list[dict[str, Any]]:
    """Return the scripts as files for the module daemon_config. Only root can change them."""
    return [
        {
            "dest": f"{folder}/{script['name']}",
            "content": script["content"],
            "mode": script.get("mode") or "0755",
        }
        for script in scripts
    ]

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Validation of texts that become one line of a file or one argument. Pure functions."""

from __future__ import annotations

import posixpath
import re
from typing import Any, Iterator, Mapping, NamedTuple

from ansible_collections.haproof.balancer.plugins.module_utils._common.mask import url_shown

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# Characters that a terminal interprets, including those that change the direction of writing.
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class Form(NamedTuple):
    """The valid form of a text, and advice for the user. No text may hold a control character."""

    pattern: re.Pattern[str]
    advice: str


LINE = Form(re.compile(r".*"), "write it in one line")
# systemd reads these without quotes, and expands each "%".
UNIT_PATH = Form(
    re.compile(r"(/[\w.@:+,=-]+)+|", re.ASCII),
    "use an absolute path of letters, digits and . _ - @ : + , = which needs no quotes in a systemd unit",
)
_SERVICE = Form(
    re.compile(r"[A-Za-z0-9_][\w.@:-]*", re.ASCII), "use the name of a systemd service without .service, such as nginx"
)
USER = Form(re.compile(r"[A-Za-z0-9_][\w.@-]*\$?", re.ASCII), "use the name of a user, such as haproof_script")
_PACKAGE = Form(re.compile(r"[A-Za-z0-9][\w.+:=~*@/-]*", re.ASCII), "use the name of a package")
_URL = Form(re.compile(r"([a-z][a-z0-9+.-]*:[^\s\"'\\<>]+)?"), "use a URL without blanks and quotes")
# Every user can read the files of a package source.
_OPEN_URL = Form(
    re.compile(r"(?!\w+://[^/]*:[^/]*@)" + _URL.pattern.pattern),
    "use a URL without blanks, quotes and password; apt has passwords in /etc/apt/auth.conf.d",
)
_PORT = r"(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
# keepalived splits a script's line into arguments itself, and interprets "$", "~" and quotes.
_CHECK_URL = Form(
    re.compile(
        rf"(http://(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:{_PORT})?(/[\w./~%+,=:@-]*)?)?",
        re.ASCII,
    ),
    "use http://HOST:PORT/PATH, with %XX for any other character of the path",
)
SYSCTL = Form(re.compile(r"[\w-]+([./][\w:@-]+)+", re.ASCII), "use the name of a kernel parameter")

# The roles' variables that are one line each; of a mapping, its keys. The daemons' directives are checked elsewhere.
VARIABLES: Mapping[str, Form] = {
    "haproxy_conf_path": UNIT_PATH,
    "haproxy_extra_packages": _PACKAGE,
    "haproxy_health_bind": LINE,
    "haproxy_peers_group": LINE,
    "haproxy_program": UNIT_PATH,
    "haproxy_stats_bind": LINE,
    "inventory_hostname": Form(re.compile(r"[^\s/\"'\\]+"), "rename the host in the inventory"),
    "keepalived_check_url": _CHECK_URL,
    "keepalived_checksum": LINE,
    "keepalived_configure_options": LINE,
    "keepalived_extra_packages": _PACKAGE,
    "keepalived_group": LINE,
    "keepalived_prefix": UNIT_PATH,
    "keepalived_program": UNIT_PATH,
    "keepalived_script_user": USER,
    "keepalived_source_url": _URL,
    "keepalived_sysctl": SYSCTL,
    "keepalived_track_services": _SERVICE,
    "keepalived_version": LINE,
    "keepalived_watch_metrics_dir": UNIT_PATH,
    "nginx_conf_path": UNIT_PATH,
    "nginx_extra_packages": _PACKAGE,
    "nginx_health_listen": LINE,
    "nginx_program": UNIT_PATH,
    "nginx_vendor_key_checksum": LINE,
    "nginx_vendor_key_url": _OPEN_URL,
    "nginx_vendor_url": _OPEN_URL,
}


def problem(text: str, form: Form = LINE) -> str:
    """Return the error in *text*, or an empty string."""
    if _CONTROL.search(text):
        return f"{url_shown(text)!r} holds a line break or control character; {form.advice}"
    return "" if form.pattern.fullmatch(text) else f"{url_shown(text)!r} is not valid here; {form.advice}"


def path_problem(path: str) -> str:
    """Return the error in the path of a file to write or remove, or an empty string."""
    if _CONTROL.search(path):
        return f"{path!r} holds a line break or control character; remove it"
    if not path.startswith("/"):
        return f"{path!r} is not an absolute path"
    if "$" in path:
        return f"{path!r} holds a '$', which Ansible expands as a variable of the node's environment; rename the file"
    plain = "/" + posixpath.normpath(path).lstrip("/")
    if plain != path:
        return f"{path!r} is another spelling of {plain!r}; use that one"
    return "" if path != "/" else "'/' is not a file"


def findings(values: Mapping[str, Any], forms: Mapping[str, Form]) -> Iterator[str]:
    """Yield the errors in *values*, with name and value. For a mapping, the form applies to its keys."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            texts = [(name, str(key), forms[name]) for key in value]
            # Numbers of a kernel parameter may be separated by tabs.
            texts += [(place, text.replace("\t", " "), LINE) for place, text in _texts(name, value)]
        else:
            texts = [(place, text, forms[name]) for place, text in _texts(name, value)]
        for place, text, form in texts:
            wrong = problem(text, form)
            if wrong:
                yield f"{place}: {wrong}"


def secret_findings(name: str, value: Any) -> Iterator[str]:
    """Yield the places in the variable *name* that are more than one line, without their text."""
    for place, text in _texts(name, value):
        if _CONTROL.search(text):
            yield f"{place}: holds a line break or control character; write it in one line"


def _texts(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(f"{place}.{key}", inner)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _texts(f"{place}[{index}]", inner)
    elif value is not None:
        yield place, str(value)


def printable(text: str) -> str:
    r"""Return *text* with control characters as escapes (``\\x1b``), except line breaks."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)


def systemd_word(text: str, command: bool = False) -> str:
    """Quote *text* as one word of a systemd unit, in a *command* or another setting. Raises ValueError."""
    wrong = problem(text)
    if wrong:
        raise ValueError(wrong)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + (escaped.replace("$", "$$") if command else escaped) + '"'

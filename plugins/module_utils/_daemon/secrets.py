# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets in a configuration of nginx, haproxy, keepalived or systemd."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Iterator, Pattern

_ARGUMENT = r"""((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|\$\{\w+\}|[^\s;{}"'\\])+|["'][^"'\n]+$)"""
_QUOTE = r"[\"']?"
_NAME = (
    r"(?:[\w-]{0,40}(?:authorization|(?:api|auth|access|private|shared)[_-]?key|passw(?:or)?d|passphrase|secret|token"
    r"|credential)s?\w{0,40}|(?:[\w-]{0,40}[_-])?pass)"
)
_HEADER = rf"(?:{_NAME}|(?:set-)?cookie|[\w-]{{0,40}}-auth)"
_SET_HEADER = (
    r"\b(?:\w+_set_header|add_header|auth_http_header|(?:fastcgi|uwsgi|scgi)_param|[sa][ed][td]-header|hdr)\s+"
    rf"{_QUOTE}{_HEADER}{_QUOTE}\s+"
)
# How haproxy's ACLs name values sent by a client.
_SENT = (
    rf"(?:hdr\({_HEADER}[^)]{{0,99}}\)|(?:urlp|url_param|cook)\({_NAME}[^)]{{0,99}}\)"
    r"|http_auth_(?:bearer|pass)(?:\([^)]{0,99}\))?)"
)

# Each captures a value as written in the file.
_VALUES = (
    # nginx: proxy_set_header Authorization "Basic x"; haproxy: http-request set-header Authorization "Basic x".
    rf"{_SET_HEADER}{_ARGUMENT}",
    rf"{_SET_HEADER}[^\n]{{0,99}}?%\[str\(([^)\n]+)\)",
    rf"\breplace-(?:header|value)\s+{_HEADER}\s+(?:\"[^\"\n]*\"|\S+)\s+{_ARGUMENT}",
    # A whole header as text: option httpchk GET / HTTP/1.1\r\nAuthorization:\ Basic\ x
    rf"(?<![\w=:/.-]){_HEADER}:(?:\\?[ \t])*((?:\\ |\\\"|[^\s\"'\\])(?:\\[^rn]|[^\"'\\\n])*)",
    # In any place: set $upstream_auth "Bearer x".
    r"\b(?:Bearer|Basic)(?:\\?[ \t])+((?=[\w+/.~-]*[\d=])[\w+/.~-]{8,}={0,2})",
    rf"\b(?:set|js_var)\s+\${_NAME}\s+{_ARGUMENT}",
    rf"\b(?:pre)?setenv\s+{_QUOTE}{_NAME}{_QUOTE}\s+{_ARGUMENT}",
    rf"\bset-var(?:\(|\s+)\w+\.{_NAME}\)?\s+str\(([^)]+)\)",
    # nginx: if ($http_authorization != "Basic x"); haproxy: { req.hdr(authorization) -m str "Basic x" }.
    rf"\$(?:http|arg|cookie)_{_NAME}\s+!?[=~]\*?\s+{_ARGUMENT}\)",
    rf"{_SENT}(?:\s+-[mfi]\b(?:\s+(?:str|beg|end|sub|reg)\b)?)*\s+(?!-|found\b){_ARGUMENT}",
    rf"^\s*secure_link_(?:secret|md5)\s+{_ARGUMENT}",
    # haproxy's userlists and statistics.
    rf"\buser\s+\S+\s+(?:groups\s+\S+\s+)?(?:insecure-)?password\s+{_ARGUMENT}",
    rf"\bstats\s+auth\s+(?:\\.|[^\s:\"'\\])*:{_ARGUMENT}",
    r"\bstats\s+auth\s+\"[^\":]*:((?:\\.|[^\"\\])+)",
    r"\bstats\s+auth\s+'[^':]*:([^']+)",
    rf"\bdynamic-cookie-key\s+{_ARGUMENT}",
    # keepalived.
    rf"(?:^|[{{}}])\s*(?:@\S+\s+)?(?:\$\w+=[ \t]*)?(?:auth_pass|auth_hmac\w*|password|\w*hmac\w*)[ \t]+{_ARGUMENT}",
    # A key of its auth_hmac, unless it is in a file.
    rf"(?:^|[{{}}])\s*(?:@\S+\s+)?key[ \t]+\d+[ \t]+(?!file:){_ARGUMENT}",
    # Options of programs, systemd's Environment=, and nginx's env.
    rf"(?:--|\b){_NAME}={_ARGUMENT}",
    rf"--{_NAME}\s+{_ARGUMENT}",
    r"://[^/\s:@\"']{0,99}:([^/\s@\"']+)@",
)
# keepalived's.
_DEFINITION = re.compile(rf"^\s*(?:@\S+\s+)?\$(\w+)=[ \t]*{_ARGUMENT}", re.MULTILINE)
_REFERENCE = re.compile(r"\$\{?(\w+)")
_MAP = re.compile(r"\bmap\s+(\S+)\s+\$(\w+)\s*\{((?:[^{}\"']|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')*)")
_MAP_LINE = re.compile(rf"^\s*{_ARGUMENT}\s+{_ARGUMENT}", re.MULTILINE)
_MAP_WORDS = ("default", "include", "hostnames", "volatile")
_NAMED = re.compile(_NAME + r"[\"}]?\Z", re.IGNORECASE)
_SECRET_LENGTH = 4
_VARIABLE = re.compile(r"\$\{?[a-z_]\w*\}?|%\[[^\]]*\]", re.IGNORECASE)
_SCHEME = re.compile(r"(?:Bearer|Basic|Digest|Token|ApiKey)(?:\s+|\Z)", re.IGNORECASE)
# Values of flags that are named after a secret, as in "set $token_valid 1".
_FLAGS = {"0", "1", "on", "off", "yes", "no", "true", "false"}
_HASH = re.compile(r"\$\w{1,5}\$")


@lru_cache(maxsize=None)
def _patterns() -> tuple[Pattern[str], ...]:
    """Return the compiled patterns. Compiling takes longer than a module's other work, and most runs need none."""
    return tuple(re.compile(pattern, re.IGNORECASE | re.MULTILINE) for pattern in _VALUES)


def find_secrets(text: str) -> set[str]:
    """Return the passwords, tokens and keys in *text*, without quotes; of values with variables, the fixed parts."""
    values = [match.group(1) for pattern in _patterns() for match in pattern.finditer(text)]
    defined = _DEFINITION.findall(text)
    for value in values:
        # The list grows during the loop: a definition may refer to others.
        used = _REFERENCE.findall(value) if defined else ()
        values += [known for name, known in defined if name in used and known not in values]
    return {secret for value in (*values, *_in_maps(text)) for secret in _fixed(_plain(value))}


def _in_maps(text: str) -> Iterator[str]:
    """Yield the secrets that nginx' maps compare with a client's, and those that they return."""
    for source, target, body in _MAP.findall(text):
        for key, value in _MAP_LINE.findall(body):
            # A short value only tells whether there was one.
            yield from (word for word in (value,) if _NAMED.search(target) and len(word) >= _SECRET_LENGTH)
            if _NAMED.search(source) and len(key) >= _SECRET_LENGTH and key not in _MAP_WORDS:
                yield re.sub(r"\A([\"']?)~\*?\^?|\$(?=[\"']?\Z)", r"\1", key)


def _plain(value: str) -> str:
    """Return *value* without its daemon's quotes and backslashes."""
    inner = re.sub(r"\A([\"'])(.*?)(?:\1|(?<![\"'])\Z)\Z", r"\2", value, flags=re.DOTALL)
    # nginx keeps a backslash before a letter.
    return re.sub(r"\\([^A-Za-z0-9])", r"\1", inner, flags=re.DOTALL)


def _fixed(value: str) -> Iterator[str]:
    parts = [value] if _HASH.match(value) else _VARIABLE.split(value)
    for part in parts:
        for secret in (part.strip(), _SCHEME.sub("", part.strip(), count=1)):
            if secret.lower() not in _FLAGS and any(map(str.isalnum, secret)) and not _SCHEME.fullmatch(secret):
                yield secret

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nginx role's ready-made switches: their directives in the http block and in the servers.

``settings`` are those of ``tree``. A switch that is a mapping has a key without which it does nothing
(:data:`NEEDED`), and a key ``servers`` with the server_names that it is for; without it, it is for all servers.
Directives of the user win over those of a switch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.haproof.balancer.plugins.plugin_utils._nginx.render import key_arguments, lines, quote

# One of these keys turns a switch on.
NEEDED = {
    "cache": ("size",),
    "degraded": ("content",),
    "hotlink": ("extensions",),
    "limits": ("rate", "connections"),
    "static": ("root",),
}
STATIC_EXTENSIONS = (
    "css",
    "gif",
    "ico",
    "jpeg",
    "jpg",
    "js",
    "map",
    "mjs",
    "png",
    "svg",
    "ttf",
    "webp",
    "woff",
    "woff2",
)
DEGRADED_PAGE = "/etc/nginx/haproof/degraded.html"
DEGRADED_URI = "/haproof-degraded.html"
CACHE_FOLDER = "/var/cache/nginx"
_CACHE_TAG = f"{CACHE_FOLDER}/CACHEDIR.TAG"
_PROXY_HEADERS = (
    ("Host", "$host"),
    ("X-Real-IP", "$remote_addr"),
    ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
    ("X-Forwarded-Proto", "$scheme"),
)
# "" sends no Connection header to the backend, so that an upstream's keepalive has an effect.
_CONNECTION = ("Connection", "")
_WEBSOCKET = (("Upgrade", "$http_upgrade"), ("Connection", "$haproof_connection"))
# Types that compress well; nginx always adds text/html.
_GZIP_TYPES = (
    "application/javascript application/json application/manifest+json application/wasm application/xml "
    "application/xhtml+xml application/rss+xml application/atom+xml image/svg+xml font/ttf font/otf "
    "text/css text/javascript text/plain text/xml"
)
# Mozilla's "intermediate", guideline 5.7, except its DHE ciphers, which need a separate file of parameters.
_INTERMEDIATE_CIPHERS = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    )
)


def http_directives(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the switches' directives of the http block; the user's of the same name replace them."""
    return {
        **(_gzip() if settings["gzip"] else {}),
        **_proxy(settings),
        **_tls(settings["tls"]),
        **_real_ip(settings["real_ip"]),
        **_hotlink_map(settings["hotlink"]),
        **_limit_zones(settings["limits"]),
        **_cache_path(settings["cache"]),
    }


def inherited(settings: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    """Return the http block's lines, by directive, that nginx drops in a block with its own lines of that directive."""
    headers = [*(_PROXY_HEADERS if settings["proxy_headers"] else ())]
    if settings["websocket"]:
        headers += _WEBSOCKET
    elif settings["proxy_headers"]:
        headers.append(_CONNECTION)
    hsts = [["Strict-Transport-Security", "$haproof_hsts", "always"]] if settings["tls"].get("hsts") else []
    return {"proxy_set_header": [list(header) for header in headers], "add_header": hsts}


def with_lines(block: Mapping[Any, Any], directive: str, added: Sequence[list[str]], here: bool) -> dict[Any, Any]:
    """Return *block* and its inner blocks, each with the lines *added* if it has its own lines of that directive.

    nginx inherits such lines only into blocks without any. *here* adds them to *block* in any case. A header that a
    block sets itself stays unchanged.
    """
    result = {
        key: [with_lines(item, directive, added, False) if isinstance(item, Mapping) else item for item in value]
        if isinstance(value, list)
        else (with_lines(value, directive, added, False) if isinstance(value, Mapping) else value)
        for key, value in block.items()
    }
    own = lines(block, directive)
    if added and (own or here):
        named = {line[0].lower() for line in own if line}
        missing = [line for line in added if directive == "error_page" or line[0].lower() not in named]
        result[directive] = [*as_list(result.get(directive, [])), *missing]
    return result


def server(settings: Mapping[str, Any], own: Mapping[Any, Any], http: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return a server block with the switches' directives. ``http`` is the block around it."""
    first = {
        **_redirects(settings, own),
        **(_hotlink(settings["hotlink"]) if applies(settings, "hotlink", own) else {}),
        **(_limits(settings["limits"]) if applies(settings, "limits", own) else {}),
        **(_cache(settings["cache"]) if applies(settings, "cache", own) else {}),
    }
    # Its regular expressions come after the user's, since nginx uses the first that matches.
    last = _static(settings["static"]) if applies(settings, "static", own) else {}
    result = {key: value for key, value in first.items() if not _has(own, key)}
    result.update(_http2(settings["version"], own) if settings["http2"] else own)
    result.update((key, value) for key, value in last.items() if key not in own)
    for directive, added in inherited(settings).items():
        result = with_lines(result, directive, added, False)
    return _degraded(settings["degraded"], result, http) if applies(settings, "degraded", own) else result


def applies(settings: Mapping[str, Any], switch: str, own: Mapping[Any, Any]) -> bool:
    """Return whether a switch is on for a server."""
    options = settings[switch]
    names = options.get("servers") or []
    return is_on(settings, switch) and (not names or any(name in names for name in server_names(own)))


def is_on(settings: Mapping[str, Any], switch: str) -> bool:
    """Return whether a switch is on."""
    return any(settings[switch].get(key) not in (None, "", []) for key in NEEDED[switch])


def server_names(own: Mapping[Any, Any]) -> list[str]:
    """Return all names of a server."""
    return [name for line in lines(own, "server_name") for name in line]


def canonical_host(settings: Mapping[str, Any], own: Mapping[Any, Any]) -> str:
    """Return the host to which a server redirects all requests, empty if there is none."""
    return next((host for host in settings["canonical_host"] if host in server_names(own)), "")


def redirects_to_tls(settings: Mapping[str, Any], own: Mapping[Any, Any]) -> bool:
    """Return whether a server redirects requests without TLS to itself with TLS, since it listens for both."""
    return bool(settings["tls"].get("redirect")) and {"ssl" in line for line in lines(own, "listen")} == {True, False}


def files(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the files that the switches need."""
    found = []
    if is_on(settings, "degraded"):
        found.append({"dest": DEGRADED_PAGE, "content": str(settings["degraded"]["content"])})
    if is_on(settings, "cache"):
        # It makes the folder, in which nginx makes its own. Backups leave such folders out (bford.info/cachedir).
        content = "Signature: 8a477f597d28d172789f06886806bc55\n"
        found.append({"dest": _CACHE_TAG, "content": content})
    return found


def as_list(value: Any) -> list[Any]:
    """Return a list unchanged, anything else as a list of one item."""
    return list(value) if isinstance(value, list) else [value]


def _has(own: Mapping[Any, Any], key: str) -> bool:
    """Return whether the user wrote a directive of this name, or this block."""
    return key in own or (" " not in key and bool(lines(own, key)))


def _gzip() -> dict[str, Any]:
    return {
        "gzip": True,
        "gzip_vary": True,
        "gzip_proxied": "any",
        "gzip_comp_level": 5,
        "gzip_min_length": 1024,
        "gzip_types": _GZIP_TYPES,
    }


def _proxy(settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if settings["proxy_headers"] or settings["websocket"]:
        found["proxy_http_version"] = "1.1"
    if settings["websocket"]:
        found["map $http_upgrade $haproof_connection"] = {"default": "upgrade", '""': '""'}
    return found


def _tls(tls: Mapping[str, Any]) -> dict[str, Any]:
    profile = tls["profile"]
    found: dict[str, Any] = {}
    if profile != "none":
        found = {
            "ssl_protocols": "TLSv1.2 TLSv1.3" if profile == "intermediate" else "TLSv1.3",
            "ssl_prefer_server_ciphers": False,
            "ssl_ecdh_curve": "X25519:prime256v1:secp384r1",
            "ssl_session_timeout": "1d",
            "ssl_session_cache": "shared:haproof_tls:10m",
            "ssl_session_tickets": False,
        }
    if profile == "intermediate":
        found["ssl_ciphers"] = _INTERMEDIATE_CIPHERS
    if tls.get("hsts"):
        # An empty header is not sent; RFC 6797 section 7.2 wants none without TLS.
        found["map $https $haproof_hsts"] = {"on": f"max-age={tls['hsts']}"}
    return found


def _real_ip(proxies: Sequence[Any]) -> dict[str, Any]:
    if not proxies:
        return {}
    return {
        "set_real_ip_from": [[str(proxy)] for proxy in proxies],
        "real_ip_header": "X-Forwarded-For",
        "real_ip_recursive": True,
    }


def _hotlink_map(hotlink: Mapping[str, Any]) -> dict[str, Any]:
    if not hotlink.get("extensions"):
        return {}
    return {"map $invalid_referer:$uri $haproof_hotlink": {quote(rf"~*^1:.*\.({_any(hotlink['extensions'])})$"): 1}}


def _hotlink(hotlink: Mapping[str, Any]) -> dict[str, Any]:
    referers = [str(referer) for referer in hotlink.get("referers") or []]
    return {
        "valid_referers": [["none", "blocked", "server_names", *referers]],
        "if ($haproof_hotlink)": {"return": 403},
    }


def _limit_zones(limits: Mapping[str, Any]) -> dict[str, Any]:
    # Whole directives as keys, so that they stay beside the user's zones.
    found: dict[str, Any] = {}
    if limits.get("rate"):
        found[f"limit_req_zone $binary_remote_addr zone=haproof_requests:10m rate={limits['rate']}"] = None
        found["limit_req_status"] = 429
    if limits.get("connections"):
        found["limit_conn_zone $binary_remote_addr zone=haproof_connections:10m"] = None
        found["limit_conn_status"] = 429
    return found


def _limits(limits: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if limits.get("rate"):
        burst = limits.get("burst")
        if burst is None:
            burst = str(limits["rate"]).partition("r/")[0]
        words = ["zone=haproof_requests", *([f"burst={burst}"] if int(burst) else []), "nodelay"]
        found["limit_req"] = [words if int(burst) else words[:1]]
    if limits.get("connections"):
        found["limit_conn"] = [["haproof_connections", str(limits["connections"])]]
    return found


def _cache_path(cache: Mapping[str, Any]) -> dict[str, Any]:
    if not cache.get("size"):
        return {}
    words = f"{CACHE_FOLDER}/haproof levels=1:2 keys_zone=haproof_cache:10m max_size={cache['size']} inactive=7d"
    return {f"proxy_cache_path {words} use_temp_path=off": None}


def _cache(cache: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "proxy_cache": "haproof_cache",
        # nginx's own key has the upstream's name for the host, so that sites with one upstream would share pages.
        "proxy_cache_key": "$scheme$host$request_uri",
        "proxy_cache_use_stale": "error timeout invalid_header updating http_500 http_502 http_503 http_504",
        "proxy_cache_background_update": True,
        "proxy_cache_lock": True,
        "proxy_cache_revalidate": True,
        # Responses for one user are not for others.
        "proxy_cache_bypass": "$http_authorization",
        "proxy_no_cache": "$http_authorization",
    }
    if cache.get("valid"):
        found["proxy_cache_valid"] = [["200", "301", "302", str(cache["valid"])]]
    return found


def _static(static: Mapping[str, Any]) -> dict[str, Any]:
    pattern = quote(rf"\.({_any(static.get('extensions') or STATIC_EXTENSIONS)})$")
    return {f"location ~* {pattern}": {"root": [[str(static["root"])]], "expires": str(static.get("expires") or "30d")}}


def _any(extensions: Sequence[Any]) -> str:
    return "|".join(str(extension) for extension in extensions)


def _redirects(settings: Mapping[str, Any], own: Mapping[Any, Any]) -> dict[str, Any]:
    host = canonical_host(settings, own)
    to_tls = redirects_to_tls(settings, own)
    found: dict[str, Any] = {}
    if to_tls:
        found['if ($https = "")'] = {"return": [["301", f"https://{host or '$host'}$request_uri"]]}
    if host:
        found[f"if ($host != {host})"] = {"return": [["301", f"$scheme://{host}$request_uri"]]}
    return found


def _degraded(degraded: Mapping[str, Any], block: Mapping[Any, Any], http: Mapping[Any, Any]) -> dict[Any, Any]:
    status = degraded.get("status") or 503
    page = ["502", "504", f"={status}", DEGRADED_URI]
    # A server with its own line drops those of the http block, so they are repeated.
    above = [] if lines(block, "error_page") else lines(http, "error_page")
    result = with_lines(block, "error_page", [page], True)
    result["error_page"] = above + result["error_page"]
    headers = [["Cache-Control", "no-store", "always"]]
    if degraded.get("retry_after"):
        headers.append(["Retry-After", str(degraded["retry_after"]), "always"])
    result.setdefault(
        f"location = {DEGRADED_URI}",
        {
            "internal": None,
            "alias": DEGRADED_PAGE,
            "types": {},
            "default_type": [[str(degraded.get("type") or "text/html; charset=utf-8")]],
            "add_header": headers,
        },
    )
    return result


def _http2(version: str, own: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return HTTP/2 for a server with TLS: a directive from nginx 1.25.1, a parameter of ``listen`` before."""
    if not any("ssl" in line for line in lines(own, "listen")):
        return dict(own)
    if [int(number) for number in (version or "1.25.1").split(".")] >= [1, 25, 1]:
        return {**({} if lines(own, "http2") else {"http2": True}), **own}
    return {key: _http2_listen(value) if key == "listen" else value for key, value in own.items()}


def _http2_listen(value: Any) -> Any:
    items = [key_arguments(item) if isinstance(item, (str, int)) else list(item) for item in as_list(value)]
    return [[*item, "http2"] if "ssl" in item and "http2" not in item else item for item in items]

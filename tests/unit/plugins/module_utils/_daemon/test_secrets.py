# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.secrets import find_secrets

# lines of a configuration, and the secrets in it
CASES: list[tuple[str, list[str]]] = [
    # keepalived
    ("$PW=s3cret\nauth_pass $PW", ["s3cret"]),
    ('@lb01 $PW="a b"\n@lb02 $PW=c\nauth_pass ${PW}x', ["a b", "c", "x"]),
    ("$A=$B\n$B=s3cret\n$C=open\nauth_pass $A", ["s3cret"]),
    ("$A=$B\n$B=$A\nauth_pass $A", []),
    ("$AUTH=auth_pass s3cret\n$AUTH", ["s3cret"]),
    ("authentication { auth_pass s3cret }", ["s3cret"]),
    ("auth_type PASS } @lb01 auth_pass s3cret", ["s3cret"]),
    ('auth_hmac {\n key 1 hex:00ff\n key 2 "a b"\n key 3 file:/etc/key\n active_key 1\n}', ["hex:00ff", "a b"]),
    ("auth_hmac {\n @lb01 key 1 00ff\n key 2 $KEY\n} @^lb01 key 3 11ff\n$KEY=22ff", ["00ff", "11ff", "22ff"]),
    ("key 2 file:${_ENV CREDENTIALS_DIRECTORY}/vrrp", []),
    ("$PRIORITY=100\npriority $PRIORITY", []),
    # nginx
    (r'proxy_set_header Authorization "Bearer \"k\\x\"";', ['"k\\x"', 'Bearer "k\\x"']),
    ("""proxy_set_header Authorization 'Bearer "k\\x"';""", ['"k\\x"', 'Bearer "k\\x"']),
    ("proxy_set_header Authorization 'Basic abc=';", ["Basic abc=", "abc="]),
    ("proxy_set_header Authorization $http_authorization;", []),
    ('proxy_set_header Authorization "Bearer $token";', []),
    ('proxy_set_header Cookie "$http_cookie; session=abc";', ["; session=abc"]),
    ("grpc_set_header X-Api-Key abc; fastcgi_param DB_PASSWORD def;", ["abc", "def"]),
    ('proxy_set_header Connection ""; proxy_set_header Host $host;', []),
    ('proxy_set_header Authorization "";', []),
    ("proxy_pass http://me:p%40ss@host/; proxy_pass http://host:80/;", ["p%40ss"]),
    ('if ($http_authorization != "Basic abc") {', ["Basic abc", "abc"]),
    ("if ($arg_token = abc) {", ["abc"]),
    ("set $api_key abc;", ["abc"]),
    ("secure_link_secret abc;", ["abc"]),
    ('secure_link_md5 "$secure_link_expires$uri abc";', ["abc"]),
    ("env DB_PASSWORD=abc;", ["abc"]),
    # A flag beside a token, not the token: masking "1" would hide the whole configuration.
    ("set $token_ok 0; if ($arg_token) { set $token_ok 1; } add_header X-Token-Valid On;", []),
    ("server_tokens off; ssl_session_tickets off;", []),
    ("ssl_password_file /etc/nginx/pw; auth_basic_user_file /etc/nginx/htpasswd;", []),
    ("proxy_pass_header Authorization; proxy_hide_header Authorization;", []),
    ("limit_req_zone $http_authorization zone=token:10m rate=1r/s;", []),
    ("""log_format main '$remote_addr "$http_authorization" $cookie_token';""", []),
    ("proxy_set_header X-Auth-Key abc; proxy_set_header X-Auth def; fastcgi_param DB_PASS ghi;", ["abc", "def", "ghi"]),
    ('add_header Set-Cookie "sid=abc"; auth_http_header X-Secret def; js_var $secret ghi;', ["sid=abc", "def", "ghi"]),
    ('set $upstream_login "Bearer abcdefg1"; auth_basic "Basic authentication";', ["abcdefg1"]),
    (
        'map $http_authorization $ok { default 0;\n "Bearer abcd" 1;\n~*^Basic\\ efgh$ 1; }',
        ["Bearer abcd", "abcd", "Basic efgh", "efgh"],
    ),
    ("map $uri $api_key {\n    default '';\n    /a{2} abcd;\n}", []),
    ("map $uri $api_key {\n    default abcd;\n    '/a{2}' efgh;\n    /b 1;\n}", ["abcd", "efgh"]),
    ('map "$http_x_api_key" $customer {\n    hostnames;\n    abcd acme;\n}', ["abcd"]),
    ("map $http_host $backend {\n    example.com pool;\n}", []),
    # Quoted in vain, and rejected.
    ('proxy_set_header Authorization "Bearer abc', ["Bearer abc", "abc"]),
    # haproxy
    ("user admin insecure-password 'pass word' groups a", ["pass word"]),
    ("user admin password $6$x$y/z. groups a", ["$6$x$y/z."]),
    ("stats auth admin:abc", ["abc"]),
    ('stats auth "admin:pass word"', ["pass word"]),
    (r"stats auth admin:pass\ word", ["pass word"]),
    ('http-request set-header Authorization "Basic abc" if x', ["Basic abc", "abc"]),
    ("http-request set-header Authorization %[req.hdr(x)]", []),
    ("http-request del-header Authorization", []),
    ('http-check send meth GET uri / hdr Authorization "Basic abc" hdr Host x', ["Basic abc", "abc"]),
    (r"option httpchk GET / HTTP/1.1\r\nAuthorization:\ Basic\ abc\r\nHost:\ a", ["Basic abc", "abc"]),
    ('acl ok req.hdr(authorization) -m str "Basic abc"', ["Basic abc", "abc"]),
    ("http-request deny unless { req.hdr(x-api-key) -m str abc }", ["abc"]),
    ("http-request deny unless { req.hdr(authorization) -m found }", []),
    ("http-request set-var(proc.api_token) str(abc)", ["abc"]),
    ("setenv API_TOKEN abc", ["abc"]),
    ("cookie SRV insert indirect nocache\nserver a 192.0.2.1:80 cookie a check", []),
    ("capture request header Cookie len 64", []),
    ("user admin groups a,b insecure-password abc", ["abc"]),
    (r"stats auth the\ admin:abc", ["abc"]),
    ('http-request set-header Authorization "Basic %[str(abc),base64]"', ["abc"]),
    ("http-request replace-value Authorization .* 'Basic abc'", ["Basic abc", "abc"]),
    ("set-var proc.api_token str(abc)", ["abc"]),
    ("acl a url_param(token) abc\nacl b http_auth_bearer -m str def", ["abc", "def"]),
    ("dynamic-cookie-key abc", ["abc"]),
    # keepalived
    ("$AUTH_PASS=abc\n    @one auth_pass def", ["abc", "def"]),
    ("    auth_type PASS\n    auth_pass 'ab#cd'\n", ["ab#cd"]),
    ('password "a b"', ["a b"]),
    ("script \"/check --password=abc -H 'X-Token: def' http://u:ghi@host/\"", ["abc", "def", "ghi"]),
    ('script "/check --token abc"', ["abc"]),
    ("# password must be long", []),
    # systemd
    ('Environment="DB_PASSWORD=abc" X=y', ["abc"]),
    ('Environment="A=1" "DB_PASS=abc"', ["abc"]),
    (r"Environment=API_TOKEN=a\"b", ['a"b']),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_secrets_are_found(text: str, expected: list[str]) -> None:
    assert sorted(find_secrets(text)) == sorted(expected)


@pytest.mark.parametrize(
    "part",
    [
        "a-",
        "\\",
        '"',
        "--",
        "token",
        "://",
        "hdr(token",
        "proxy_set_header ",
        "token=",
        "'",
        "map $a $b{",
        "map $a $token{'\\'",
        "Basic ",
        "_pass",
    ],
)
def test_no_text_takes_long(part: str) -> None:
    started = time.process_time()
    find_secrets(part * (50_000 // len(part)))
    assert time.process_time() - started < 2

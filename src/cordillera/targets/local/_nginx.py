"""nginx between the edge's two listeners: the firewall's engine and the content cache."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from cordillera.components.edge import EdgeSpec
from cordillera.targets.local import _again, _weed
from cordillera.targets.local._site import Zone

MODULE = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so"
CACHE_SIZE = "256m"
REFUSED = "X-Cordillera-Refused"
"""Says that an answer is nginx's own: the balancer in front puts our page in its place."""
WORKERS_MIN, WORKERS_MAX, WORKER_BYTES = 2, 8, 512 * 2**20
"""A worker is idle at 1 MB of its own; one that reads an upload takes a few times the upload's size."""

CONFIG = """\
load_module {module};
daemon off;
worker_processes {workers};
pid {sockets}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nodelay on;
    client_max_body_size {upload};
    client_body_temp_path {data}/body;
    proxy_temp_path {data}/proxy;
    fastcgi_temp_path {data}/fastcgi;
    uwsgi_temp_path {data}/uwsgi;
    scgi_temp_path {data}/scgi;
    proxy_cache_path {data}/cache levels=1:2 keys_zone=edge:8m max_size={cache_size} inactive=7d
        use_temp_path=off;
    set_real_ip_from unix:;
    real_ip_header X-Forwarded-For;
    map $http_upgrade $websocket {{ default ""; ~*^websocket$ websocket; }}
    map $websocket $connection_header {{ default close; websocket upgrade; }}
    map $request_method $repeated {{ default ""; ~^(?:{repeated})$ 1; }}
    map $http_accept_encoding $kept_encoding {{ default ""; ~*\\bgzip\\b gzip; }}
    map "$upstream_addr$upstream_cache_status" $refused {{ default ""; "" 1; }}
    modsecurity on;
    modsecurity_rules_file {run}/modsecurity.conf;
    modsecurity_transaction_id $http_x_request_id;
    upstream app {{ server unix:{edge}/app.sock; }}
    upstream again {{ server unix:{edge}/again.sock; }}
    upstream missed {{ server unix:{sockets}/missed.sock; }}
    server {{
        listen unix:{sockets}/missed.sock;
        proxy_http_version 1.1;
        proxy_read_timeout 3600s;
        proxy_buffer_size 16k;
        proxy_buffers 8 16k;
        add_header {refused} $refused always;
        location / {{{passed}
            proxy_pass http://app;
        }}
    }}
    server {{
        listen unix:{sockets}/nginx.sock;
        proxy_http_version 1.1;
        proxy_next_upstream off;
        proxy_connect_timeout 2s;
        proxy_read_timeout 3600s;
        proxy_send_timeout 3600s;
        proxy_buffer_size 16k;
        proxy_buffers 8 16k;
        proxy_hide_header {refused};
        proxy_hide_header {copy};
        add_header {refused} $refused always;
        location / {{{passed}
            proxy_set_header {wanted} $repeated;
            proxy_intercept_errors on;
            error_page {status} = @again;
            proxy_pass http://app;
        }}
        location @missed {{
            modsecurity off;{passed}
            proxy_pass http://missed;
        }}
        location @refused {{
            modsecurity off;
            add_header {refused} 1 always;
            return 403;
        }}
        location @again {{
            modsecurity off;
            set $copy $upstream_http_{copy_variable};{passed}
            proxy_set_header {copy} $copy;
            proxy_pass http://again;
        }}
{public}{cached}    }}
}}
"""

PASSED = """
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $websocket;
            proxy_set_header Connection $connection_header;"""
"""What each hop says for itself. A location that sets one header inherits none, so each has them all."""

KEPT = """
            proxy_pass_request_headers off;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Host {host};
            proxy_set_header Connection close;
            proxy_set_header Accept-Encoding {encoding};
            proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;
            proxy_set_header X-Request-ID $http_x_request_id;
            proxy_cache edge;
            proxy_cache_lock on;
            proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
            add_header {refused} $refused always;
            add_header X-Cache $upstream_cache_status always;"""
"""Of what a visitor sends, an answer that others get depends on nothing but what it is kept under."""

CACHED = """\
        location ~ "{pattern}" {{
            modsecurity off;
            limit_except GET HEAD {{ deny all; }}{kept}
            proxy_cache_key $http_host$request_uri$kept_encoding;
            proxy_cache_valid 200 301 10m;
            proxy_cache_background_update on;
            proxy_set_header {wanted} $repeated;
            proxy_intercept_errors on;
            error_page {status} = @again-kept;
            proxy_pass http://missed;
        }}
"""

AGAIN_KEPT = """\
        location @again-kept {{
            modsecurity off;
            set $copy $upstream_http_{copy_variable};{kept}
            proxy_cache_key $http_host$request_uri$kept_encoding;
            proxy_cache_valid 200 301 10m;
            proxy_set_header {copy} $copy;
            proxy_pass http://again;
        }}
"""

PUBLIC = """\
        location = /{prefix} {{{passed}
            proxy_pass http://app;
        }}
        location ^~ /{prefix} {{
            modsecurity off;
            limit_except GET HEAD {{ deny all; }}
            set $args "";{kept}
            proxy_cache_key $uri;
            proxy_cache_valid 200 10m;
            proxy_intercept_errors on;
            error_page 403 @refused;
            error_page 404 500 502 503 504 = @missed;
            proxy_pass http://{store}/{bucket}/{prefix};
        }}
"""
"""Public objects come from the store itself; what it does not have is asked of the app."""


def config(edge: EdgeSpec, zone: Zone, public: Mapping[str, Sequence[str]]) -> str:
    """nginx's whole configuration in one zone. `public`: bucket -> prefixes anybody may read."""
    return CONFIG.format(
        module=MODULE,
        run=zone.files("firewall"),
        sockets=zone.sockets("firewall"),
        edge=zone.sockets("edge"),
        data=zone.state / "nginx",
        upload=edge.firewall.upload_limit,
        cache_size=CACHE_SIZE,
        workers=workers(len(os.sched_getaffinity(0)), _machine_bytes()),
        repeated="|".join(_again.REPEATED),
        cached="".join(_cached(edge.cache)),
        public="".join(_public(public, f"{zone.private}:{_weed.ENDPOINT_PORT}")),
        **_words(),
    )


def workers(cores: int, memory_bytes: int) -> int:
    """Processes of one nginx: one scans a body while the others answer. Pure."""
    return max(WORKERS_MIN, min(cores, memory_bytes // WORKER_BYTES, WORKERS_MAX))


def as_regex(pattern: str) -> str:
    """A path pattern such as `/static/*` as a regular expression; `*` is anything."""
    return (
        "^" + ".*".join(re.escape(piece).replace("\\/", "/") for piece in pattern.split("*")) + "$"
    )


def _machine_bytes() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _words() -> dict[str, str]:
    """What every location is made with."""
    return {
        "passed": PASSED,
        "kept": _kept("$http_host", "$kept_encoding"),
        "refused": REFUSED,
        "wanted": _again.WANTED,
        "copy": _again.COPY,
        "copy_variable": _again.COPY.lower().replace("-", "_"),
        "status": str(_again.STATUS),
    }


def _kept(host: str, encoding: str) -> str:
    return KEPT.format(host=host, encoding=encoding, refused=REFUSED)


def _cached(patterns: list[str]) -> Iterator[str]:
    if patterns:
        yield AGAIN_KEPT.format(**_words())
    yield from (CACHED.format(pattern=as_regex(pattern), **_words()) for pattern in patterns)


def _public(public: Mapping[str, Sequence[str]], store: str) -> Iterator[str]:
    pairs = ((bucket, prefix) for bucket, prefixes in public.items() for prefix in prefixes)
    for bucket, prefix in pairs:
        words = {**_words(), "kept": _kept(store, '""')}
        yield PUBLIC.format(bucket=bucket, prefix=prefix, store=store, **words)

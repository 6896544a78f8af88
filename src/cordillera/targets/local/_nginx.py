"""nginx between the edge's two listeners: the firewall's engine and the content cache."""

import re
from collections.abc import Iterator, Mapping, Sequence

from cordillera.components.edge import EdgeSpec
from cordillera.targets.local import _weed
from cordillera.targets.local._site import Zone

MODULE = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so"
CACHE_SIZE = "256m"

CONFIG = """\
load_module {module};
daemon off;
worker_processes 1;
pid {sockets}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 100000;
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
    map $http_accept_language $page_language {{ default en; ~*^es es; }}
    map $http_upgrade $connection_header {{ default upgrade; "" ""; }}
    modsecurity on;
    modsecurity_rules_file {run}/modsecurity.conf;
    modsecurity_transaction_id $http_x_request_id;
    upstream app {{
        server unix:{edge}/app.sock;
        keepalive 64;
        keepalive_requests 100000;
    }}
    server {{
        listen unix:{sockets}/nginx.sock;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_header;
        proxy_next_upstream off;
        proxy_connect_timeout 2s;
        proxy_read_timeout 3600s;
        proxy_send_timeout 3600s;
        proxy_buffer_size 16k;
        proxy_buffers 8 16k;
        error_page 403 /.cordillera/403.$page_language.html;
        error_page 413 /.cordillera/413.$page_language.html;
        location /.cordillera/ {{ internal; alias {run}/pages/; }}
        location / {{ proxy_pass http://app; }}
        location @app {{ proxy_pass http://app; }}
{public}{cached}    }}
}}
"""

CACHED = """\
        location ~ "{pattern}" {{
            modsecurity off;
            limit_except GET HEAD {{ deny all; }}
            proxy_pass http://app;
            proxy_set_header Cookie "";
            proxy_set_header Authorization "";
            proxy_cache edge;
            proxy_cache_key $http_host$request_uri;
            proxy_cache_valid 200 301 10m;
            proxy_cache_lock on;
            proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
            proxy_cache_background_update on;
            add_header X-Cache $upstream_cache_status always;
        }}
"""

PUBLIC = """\
        location = /{prefix} {{ proxy_pass http://app; }}
        location ^~ /{prefix} {{
            modsecurity off;
            limit_except GET HEAD {{ deny all; }}
            set $args "";
            proxy_pass http://{store}/{bucket}/{prefix};
            proxy_set_header Host {store};
            proxy_set_header Cookie "";
            proxy_set_header Authorization "";
            proxy_intercept_errors on;
            error_page 403 /.cordillera/403.$page_language.html;
            error_page 404 500 502 503 504 = @app;
            proxy_cache edge;
            proxy_cache_key $uri;
            proxy_cache_valid 200 10m;
            proxy_cache_lock on;
            proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504;
            add_header X-Cache $upstream_cache_status always;
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
        cached="".join(_cached(edge.cache)),
        public="".join(_public(public, f"{zone.private}:{_weed.ENDPOINT_PORT}")),
    )


def as_regex(pattern: str) -> str:
    """A path pattern such as `/static/*` as a regular expression; `*` is anything."""
    return (
        "^" + ".*".join(re.escape(piece).replace("\\/", "/") for piece in pattern.split("*")) + "$"
    )


def _cached(patterns: list[str]) -> Iterator[str]:
    return (CACHED.format(pattern=as_regex(pattern)) for pattern in patterns)


def _public(public: Mapping[str, Sequence[str]], store: str) -> Iterator[str]:
    pairs = ((bucket, prefix) for bucket, prefixes in public.items() for prefix in prefixes)
    return (PUBLIC.format(bucket=bucket, prefix=prefix, store=store) for bucket, prefix in pairs)

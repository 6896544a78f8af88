"""What a visitor may not send, on any target: ambiguous paths, and headers that are the edge's to say."""

ODD_PATH = (
    r"(^|/)[.]{1,2}(;|%3b|/|$)"
    r"|\\"
    r"|%(25)*(2e|2f|5c|7f|c0|c1|[01][0-9a-f])"
    r"|%([^0-9a-f]|.[^0-9a-f]|.?$)"
)
"""Without regard to case: dot segments, backslashes, encoded dots, slashes and control characters (also
encoded twice), bytes that no UTF-8 has, broken encodings. Two servers read such a path differently.
"""

OWN_PREFIXES = ("X-Forwarded", "X-Original-", "X-Cordillera-", "X-Accel-")
"""Headers that begin like this are said by the edge alone."""

OWN_HEADERS = (
    "Forwarded",
    "X-Real-IP",
    "Client-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "X-Originating-IP",
    "X-Remote-IP",
    "X-Remote-Addr",
    "X-ProxyUser-IP",
    "X-Host",
    "X-HTTP-Host-Override",
    "X-Rewrite-URL",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Method-Override",
    "X-Request-ID",
    "X-Sendfile-Type",
    "Proxy",
)
"""Who asks, for which host and path, by which method, under which id: apps believe these."""

"""How the web service is run: one small process per copy, with threads enough for some to wait."""

import json
import os
import sys
import time

from gunicorn.glogging import Logger


class JsonAccess(Logger):
    """One JSON line a request. Health checks, several a second, are left out."""

    def access(self, resp, req, environ, request_time):
        if environ.get("PATH_INFO") == "/healthz":
            return
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "request": f"{environ['REQUEST_METHOD']} {environ.get('RAW_URI', '')}",
            "status": resp.status_code,
            "bytes": getattr(resp, "sent", 0),
            "seconds": round(request_time.total_seconds(), 4),
            "client": environ.get("HTTP_X_FORWARDED_FOR") or environ.get("REMOTE_ADDR", ""),
            "request_id": environ.get("HTTP_X_REQUEST_ID", ""),
        }
        print(json.dumps(line), file=sys.stdout, flush=True)


bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"
wsgi_app = "newsroom.wsgi"
workers = 1
worker_class = "gthread"
threads = 12  # while the database fails over some wait for it, and others must answer health checks
keepalive = 75  # longer than any balancer keeps an idle connection
timeout = 60
graceful_timeout = 25
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
control_socket_disable = True
forwarded_allow_ips = "*"
logger_class = JsonAccess
accesslog = "-"
loglevel = "warning"

"""The web application, with its health answer in front of Django.

The health answer says that this copy takes requests. It asks no other server on purpose: a database
that fails over must not take every copy out of the balancer at once.
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
django_application = get_wsgi_application()


def application(environ, start_response):
    if environ.get("PATH_INFO") == "/healthz":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
        return [b"ok\n"]
    return django_application(environ, start_response)

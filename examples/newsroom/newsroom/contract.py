"""The platform's app contract: every environment variable that this site reads, in one place."""

import os
from urllib.parse import unquote, urlsplit

PUBLIC_URL = os.environ.get("CORDILLERA_URL", "http://localhost:8000").rstrip("/")
"""The address that readers type. Links in mails and feeds begin with it."""

SECRET_KEY = os.environ.get("SECRET_KEY", "")
ADMIN_USER = os.environ.get("ADMIN_USER", "admin")
ADMIN_PASSWORD = os.environ.get("ADMIN_PASSWORD", "")
CA_FILE = os.environ.get("CORDILLERA_CA_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or None

CACHE_URL = os.environ.get("REDIS_URL", "")
SEARCH_URL = os.environ.get("OPENSEARCH_URL", "")
MAIL_URL = os.environ.get("SMTP_URL", "")
QUEUE_URL = os.environ.get("JOBS_QUEUE_URL", "")
BUCKET = os.environ.get("UPLOADS_BUCKET", "")
REGION = os.environ.get("AWS_REGION") or None  # boto3 itself reads only AWS_DEFAULT_REGION

ZONE = os.environ.get("CORDILLERA_ZONE", "-")
RELEASE = os.environ.get("CORDILLERA_RELEASE", "-")


def database() -> dict[str, object]:
    """Django's settings for DATABASE_URL (mysql://user:password@host:port/name).

    Without one (while a release is built) there is no database at all, not even an empty one.
    """
    url = urlsplit(os.environ.get("DATABASE_URL", ""))
    if not url.hostname:
        return {"ENGINE": "django.db.backends.dummy"}
    return {
        "ENGINE": "django.db.backends.mysql",
        "HOST": url.hostname,
        "PORT": url.port or 3306,
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "NAME": url.path.lstrip("/"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "charset": "utf8mb4",
            "connect_timeout": 3,
            "read_timeout": 30,
            "write_timeout": 30,
        },
    }


def mail() -> dict[str, object]:
    """Django's mail settings for SMTP_URL (smtp://user:password@host:port)."""
    url = urlsplit(MAIL_URL)
    if not url.hostname:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or 25,
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_SSL": url.scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
    }

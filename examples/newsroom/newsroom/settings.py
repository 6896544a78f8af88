"""Django's settings. What differs between environments comes from `contract`."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from newsroom import contract

ROOT = Path(__file__).resolve().parent.parent
HTTPS = contract.PUBLIC_URL.startswith("https://")

# Clients of AWS's SDK and of requests trust the environment's own authority.
if contract.CA_FILE:
    os.environ.setdefault("AWS_CA_BUNDLE", contract.CA_FILE)

DEBUG = False
SECRET_KEY = contract.SECRET_KEY or "only-while-building"
# The balancer decides which hosts reach us; links use PUBLIC_URL, never the request's host.
ALLOWED_HOSTS = ["*"]
CSRF_TRUSTED_ORIGINS = [contract.PUBLIC_URL]
USE_X_FORWARDED_HOST = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"  # the editor previews pages in a frame

# This site needs none of Wagtail's sites, embeds, forms, snippets and redirects:
# every app left out is migrations, memory and start-up time saved.
INSTALLED_APPS = [
    "news.apps.NewsConfig",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.images",
    "wagtail.documents",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "taggit",
    "modelcluster",
    "django_tasks",
    "django_filters",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "news.jobs.SendTogether",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "news.patience.Patience",
]

ROOT_URLCONF = "newsroom.urls"
WSGI_APPLICATION = "newsroom.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "news.context.site",
            ],
        },
    },
]

# Database
DATABASES = {"default": contract.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache: sessions live in it, so a reader or editor may be served by any copy.
CACHES = {
    "default": {
        "BACKEND": "news.patience.ForgivingCache",
        "LOCATION": contract.CACHE_URL,
        "KEY_PREFIX": "page",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    },
    "sessions": {
        "BACKEND": "news.patience.PatientCache",
        "LOCATION": contract.CACHE_URL,
        "KEY_PREFIX": "session",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
    },
} if contract.CACHE_URL else {
    name: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"} for name in ("default", "sessions")
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"
SESSION_CACHE_ALIAS = "sessions"

# Objects: originals are private, renditions are public under /media/; static files are the app's own.
S3 = {"bucket_name": contract.BUCKET, "region_name": contract.REGION, "file_overwrite": False, "default_acl": None}
STORAGES = {
    "default": {"BACKEND": "news.storage.Originals", "OPTIONS": S3},
    "renditions": {"BACKEND": "news.storage.Renditions", "OPTIONS": S3},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WAGTAILIMAGES_RENDITION_STORAGE = "renditions"
WAGTAILIMAGES_EXTENSIONS = ["jpg", "jpeg", "png", "webp", "gif"]
WAGTAILIMAGES_JPEG_QUALITY = 80
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 20 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
MEDIA_URL = "/media/"
STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "static_root"
WHITENOISE_MAX_AGE = 3600

# Search: Wagtail's own OpenSearch backend.
WAGTAILSEARCH_BACKENDS = {
    "default": {
        "BACKEND": "news.search_backend",
        "URLS": [contract.SEARCH_URL],
        "INDEX_PREFIX": "newsroom_",
        "TIMEOUT": 3,
        "OPTIONS": {"max_retries": 1, **({"ca_certs": contract.CA_FILE} if contract.CA_FILE else {})},
    }
} if contract.SEARCH_URL else {"default": {"BACKEND": "modelsearch.backends.database"}}

# Queue: whatever Wagtail or we do in the background becomes a message, see news/jobs.py.
TASKS = {
    "default": {
        "BACKEND": "news.jobs.QueueBackend" if contract.QUEUE_URL
        else "django_tasks.backends.immediate.ImmediateBackend"
    }
}

# Mail
globals().update(contract.mail())
DEFAULT_FROM_EMAIL = os.environ.get("MAIL_FROM") or f"Meridian <news@{urlsplit(contract.PUBLIC_URL).hostname}>"

# Wagtail
WAGTAIL_SITE_NAME = "Meridian"
WAGTAILADMIN_BASE_URL = contract.PUBLIC_URL
WAGTAIL_I18N_ENABLED = False
WAGTAIL_WORKFLOW_ENABLED = False
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILADMIN_COMMENTS_ENABLED = False
WAGTAIL_USER_TIME_ZONES = ["UTC", "America/New_York", "America/Santiago", "Asia/Tokyo", "Europe/London", "Europe/Rome"]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "newsroom.logs.JsonLines"}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
    "root": {"handlers": ["stdout"], "level": "INFO"},
    "loggers": {
        "botocore": {"level": "WARNING"},
        "opensearch": {"level": "ERROR"},
        "PIL": {"level": "WARNING"},
        "django.server": {"handlers": ["stdout"], "propagate": False},
    },
}

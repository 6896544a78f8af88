"""Imports what the site will import, so that Python keeps its byte code with the release."""

from importlib import import_module

from django.core.management.base import BaseCommand
from django.urls import get_resolver

USED_LATER = (
    "gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "pymysql", "django.db.backends.mysql.base",
    "django.core.mail.backends.smtp", "modelsearch.backends.opensearch2", "news.jobs", "news.patience",
    "news.seed", "news.storage", "news.letters", "newsroom.wsgi", "django.core.management.commands.migrate",
    "news.management.commands.release", "news.management.commands.work", "boto3.s3.inject", "botocore.signers",
    "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.WebPImagePlugin",
)


class Command(BaseCommand):
    help = "Make byte code of every module that the site imports. Part of the build; needs no database."
    requires_system_checks = ()

    def handle(self, *_, **__):
        for name in USED_LATER:
            import_module(name)
        for pattern in get_resolver().url_patterns:
            getattr(pattern, "url_patterns", None)

"""The app `news`."""

from django.apps import AppConfig


class NewsConfig(AppConfig):
    name = "news"

    def ready(self) -> None:
        from news import tasks

        tasks.listen()

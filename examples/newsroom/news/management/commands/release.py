"""Once per release, before traffic: the database's schema and the demo content."""

import gc

from django.core.management import call_command
from django.core.management.base import BaseCommand

from news.seed import seed


class Command(BaseCommand):
    help = "Bring the database up to date and make the demo content if there is none. May be repeated."
    requires_system_checks = ()

    def handle(self, *_, **__):
        gc.disable()  # migrations build and drop thousands of classes: a fifth of their time was this
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        seed()
        self.stdout.write("the database is up to date")

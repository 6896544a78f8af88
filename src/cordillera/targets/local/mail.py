"""Stub."""
from cordillera.targets.local._component import Component


class Mail(Component):
    name = "mail"


def list_mails(site):
    return []


def read_mail(site, id):
    return ""

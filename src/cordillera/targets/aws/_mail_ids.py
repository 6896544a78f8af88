"""How the parts of mail are called that more than one file names."""

from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import DATA


def identity(resource: str) -> Ref:
    """The sender's domain, as SES knows it."""
    return Ref(DATA, camel(resource, "identity"))


def user(resource: str) -> Ref:
    """The user of IAM that apps log in as."""
    return Ref(DATA, camel(resource, "smtp-user"))


def login(resource: str) -> Ref:
    """The secret {"username", "password", "password_in_url"} of the SMTP user."""
    return Ref(DATA, camel(resource, "smtp-login"))

"""How the parts of mail are called that more than one file names."""

from cordillera.components.mail import MailSpec
from cordillera.targets.aws import _passwords
from cordillera.targets.aws._refs import Ref, Secret, camel
from cordillera.targets.aws._site import DATA, Site

SES = "ses"
"""The provider that is AWS itself."""


def identity(resource: str) -> Ref:
    """The sender's domain, as SES knows it."""
    return Ref(DATA, camel(resource, "identity"))


def user(resource: str) -> Ref:
    """The user of IAM that apps log in as."""
    return Ref(DATA, camel(resource, "smtp-user"))


def login(resource: str) -> Ref:
    """The secret {"username", "password", "password_in_url"} of the SMTP user."""
    return Ref(DATA, camel(resource, "smtp-login"))


def login_field(resource: str, key: str) -> Secret:
    """A field of that secret, as a task receives it."""
    return Secret(_passwords.name_of(resource), login(resource), key)


def ses_host(site: Site) -> str:
    """Where SES of the region speaks SMTP."""
    return f"email-smtp.{site.region}.amazonaws.com"


def by_ses(spec: MailSpec) -> bool:
    """Whether SES is one of its providers."""
    return SES in [one.name for one in spec.providers]

"""Passwords that CloudFormation makes: in Secrets Manager, under the environment's key, in no template."""

import json
from typing import Any

from troposphere import secretsmanager

from cordillera.targets.aws import _keys
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._refs import Ref, Secret, text
from cordillera.targets.aws._site import DATA

LETTERS = 40
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
SAFE_IN_URLS = "-.~"


def secret(component: str, at: Ref, what: str, user: str, *, punctuation: bool = False) -> AwsPart:
    """A secret {"username", "password"}. With `punctuation` at least one sign that is safe in URLs."""
    excluded = "".join(sign for sign in PUNCTUATION if sign not in SAFE_IN_URLS)
    kind = {"ExcludeCharacters": excluded} if punctuation else {"ExcludePunctuation": True}
    made = secretsmanager.Secret(
        at.id,
        Description=what,
        KmsKeyId=_keys.KEY,
        GenerateSecretString=secretsmanager.GenerateSecretString(
            SecretStringTemplate=json.dumps({"username": user}),
            GenerateStringKey="password",
            PasswordLength=LETTERS,
            **kind,
        ),
    )
    return part(component, DATA, made)


def name_of(resource: str) -> str:
    """What the password of a resource is called, as in the manifest."""
    return f"resources.{resource}.password"


def of(resource: str, at: Ref) -> Secret:
    """The password of a resource, as a task receives it."""
    return Secret(name_of(resource), at, "password")


def resolved(at: Ref) -> Any:
    """The password where a resource wants it: CloudFormation fills it in, no template holds it."""
    return text("{{resolve:secretsmanager:", at, ":SecretString:password}}")

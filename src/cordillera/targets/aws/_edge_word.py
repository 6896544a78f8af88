"""The word with which CloudFront tells the balancer that a request came through it.

Without it anybody who finds the balancer's own name would walk around the edge's firewall. It is in Secrets
Manager, with a copy in each region where a template resolves it; no template holds it.
"""

from typing import Any

from troposphere import Select, Split, Sub, secretsmanager

from cordillera.targets.aws import _keys
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._refs import Ref, text
from cordillera.targets.aws._site import EDGE_REGION, FRONT, Site

WORD = Ref(FRONT, "EdgeWord")
HEADER = "x-cordillera-edge"
LETTERS = 40
ARN_PARTS = 6


def secret(site: Site) -> AwsPart:
    """The secret; a copy where CloudFront's stack is made, unless that is here."""
    elsewhere = [EDGE_REGION] if site.region != EDGE_REGION else []
    copies = [secretsmanager.ReplicaRegion(Region=region) for region in elsewhere]
    made = secretsmanager.Secret(
        WORD.id,
        Description=f"What CloudFront says to the balancer of {site.environment}",
        KmsKeyId=_keys.KEY,
        GenerateSecretString=secretsmanager.GenerateSecretString(
            PasswordLength=LETTERS, ExcludePunctuation=True
        ),
        **({"ReplicaRegions": copies} if copies else {}),
    )
    return part("firewall", FRONT, made)


def value(unit: str) -> Any:
    """The word, filled in by CloudFormation from the copy in the stack's own region."""
    secret = WORD if unit == WORD.unit else here(WORD)
    return text("{{resolve:secretsmanager:", secret, ":SecretString}}")


def here(secret: Ref) -> Any:
    """The ARN of a secret's copy in the region of the stack that asks."""
    ending = Select(ARN_PARTS, Split(":", secret.get("Id")))
    start = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:"
    return text(Sub(start), ending)

"""The environment's own encryption key, and how others name it."""

from collections.abc import Iterator
from typing import Any

from troposphere import Sub, kms

from cordillera.components.objects import ObjectsSpec
from cordillera.components.wanted import Wanted
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._policy import document
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import NETWORK, STANDBY, Site

KEY, STANDBY_KEY = Ref(NETWORK, "Key"), Ref(STANDBY, "Key")
DELETE_AFTER_DAYS = 30
OUR_CLOUDFRONT = {
    "ArnLike": {
        "aws:SourceArn": Sub("arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/*")
    }
}
"""Any distribution of this account."""


def key(want: Wanted, site: Site) -> list[AwsPart]:
    """In the first stack, because everything else is encrypted with it."""
    made = kms.Key(
        KEY.id,
        Description=f"Cordillera: all that {site.environment} keeps",
        EnableKeyRotation=True,
        PendingWindowInDays=DELETE_AFTER_DAYS,
        KeyPolicy=document(_owner(), _logs(), _alarms(), *_others(want)),
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
    )
    alias = kms.Alias("KeyAlias", AliasName=f"alias/{site.stem}", TargetKeyId=KEY)
    return [part("secrets", KEY.unit, made, holds_data=True), part("secrets", KEY.unit, alias)]


def _others(want: Wanted) -> Iterator[dict[str, Any]]:
    """Services of AWS that must read or write what is encrypted with it."""
    if any(isinstance(spec, ObjectsSpec) and spec.public for spec in want.resources.values()):
        yield _service("CloudFrontReads", "cloudfront", ["kms:Decrypt"], OUR_CLOUDFRONT)
    if any(True for _ in want.of_type("mail")):
        ours = {"StringEquals": {"aws:SourceAccount": Sub("${AWS::AccountId}")}}
        yield _service("MailTells", "ses", ["kms:Decrypt", "kms:GenerateDataKey*"], ours)


def _service(sid: str, name: str, actions: list[str], condition: object) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": f"{name}.amazonaws.com"},
        "Action": actions,
        "Resource": "*",
        "Condition": condition,
    }


def _owner() -> dict[str, Any]:
    return {
        "Sid": "TheAccountDecides",
        "Effect": "Allow",
        "Principal": {"AWS": Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")},
        "Action": "kms:*",
        "Resource": "*",
    }


def _logs() -> dict[str, Any]:
    return {
        "Sid": "LogsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": Sub("logs.${AWS::Region}.amazonaws.com")},
        "Action": [
            "kms:Encrypt*",
            "kms:Decrypt*",
            "kms:ReEncrypt*",
            "kms:GenerateDataKey*",
            "kms:Describe*",
        ],
        "Resource": "*",
        "Condition": {
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": Sub(
                    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
                )
            }
        },
    }


def _alarms() -> dict[str, Any]:
    """Who writes to the topic of alarms, which is encrypted."""
    services = ("cloudwatch", "events", "budgets")
    return {
        "Sid": "AlarmsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"Service": [f"{name}.amazonaws.com" for name in services]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        # EventBridge names no account here: a condition would lock it out.
    }

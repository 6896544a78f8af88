"""The environment's own encryption key, and how others name it."""

from typing import Any

from troposphere import Sub, kms

from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._policy import document
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import NETWORK, STANDBY, Site

KEY, STANDBY_KEY = Ref(NETWORK, "Key"), Ref(STANDBY, "Key")
DELETE_AFTER_DAYS = 30


def key(site: Site) -> list[AwsPart]:
    """In the first stack, because everything else is encrypted with it."""
    made = kms.Key(
        KEY.id,
        Description=f"Cordillera: all that {site.environment} keeps",
        EnableKeyRotation=True,
        PendingWindowInDays=DELETE_AFTER_DAYS,
        KeyPolicy=document(_owner(), _logs(), _alarms()),
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
    )
    alias = kms.Alias("KeyAlias", AliasName=f"alias/{site.stem}", TargetKeyId=KEY)
    return [part("secrets", NETWORK, made, holds_data=True), part("secrets", NETWORK, alias)]


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

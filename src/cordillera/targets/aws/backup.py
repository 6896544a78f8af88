"""Backup: a daily snapshot in a locked vault, and its copy in the standby region.

Recovery to a second is the database's own (Aurora's window and days): one owner of it, not two.
"""

from collections.abc import Iterator
from typing import Any

from troposphere import Select, Split, Sub

from cordillera.components.database import DatabaseSpec
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _keys
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._parts import AwsPart, Parts, Plain, part
from cordillera.targets.aws._policy import trust
from cordillera.targets.aws._refs import Ref, text
from cordillera.targets.aws._site import ENVIRONMENT_TAG, OPERATIONS, STANDBY, Site

OFFER = Offered(
    "daily snapshots of databases, locked so that only whoever may lift the lock deletes them early; "
    "in the standby region at most a day old"
)

VAULT, STANDBY_VAULT = Ref(OPERATIONS, "Vault"), Ref(STANDBY, "StandbyVault")
ROLE, PLAN = Ref(OPERATIONS, "BackupRole"), Ref(OPERATIONS, "BackupPlan")
POLICIES = ("AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForRestores")
NAME_LETTERS = 40
BEGIN_WITHIN_MIN, DONE_WITHIN_MIN = 60, 720


class Backup(Component):
    """Nothing without a database. Objects are copied as they are written; the rest can be made again."""

    name = "backup"
    in_standby = False

    def parts(self, want: Wanted, site: Site) -> Parts:
        specs = [spec for _, spec in want.of_type("database") if isinstance(spec, DatabaseSpec)]
        if not specs:
            return ()
        days = max(spec.backups.keep_days for spec in specs)
        made = [_vault(VAULT, _keys.KEY, days, site), *_plan(specs, days, site)]
        if site.standby_region:
            made.append(_vault(STANDBY_VAULT, _keys.STANDBY_KEY, days, site))
        return made


def begins(specs: list[DatabaseSpec]) -> str:
    """When snapshots begin, as a cron expression in UTC: an hour after the last database's own window,
    within which AWS takes none."""
    last = max(spec.backups.window.partition("-")[2] for spec in specs)
    hour, minute = map(int, last.split(":"))
    return f"cron({minute} {(hour + 1) % 24} * * ? *)"


def _vault(vault: Ref, key: Ref, days: int, site: Site) -> AwsPart:
    """Its name ends in a piece of the stack's id: a locked vault may outlive its environment."""
    ending = Select(0, Split("-", Select(2, Split("/", Sub("${AWS::StackId}")))))
    made = Plain(
        "AWS::Backup::BackupVault",
        vault.id,
        {
            "BackupVaultName": text(f"{site.name('vault', limit=NAME_LETTERS)}-", ending),
            "EncryptionKeyArn": key.get("Arn"),
            # Without ChangeableForDays: whoever may lift a lock can, with an account's highest rights.
            "LockConfiguration": {"MinRetentionDays": min(days, 7), "MaxRetentionDays": 365},
        },
        {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"},
    )
    return part("backup", vault.unit, made, holds_data=True)


def _plan(specs: list[DatabaseSpec], days: int, site: Site) -> Iterator[AwsPart]:
    policies = "arn:${AWS::Partition}:iam::aws:policy/service-role/"
    role = {
        "AssumeRolePolicyDocument": trust("backup.amazonaws.com"),
        "ManagedPolicyArns": [Sub(policies + name) for name in POLICIES],
    }
    yield part("backup", OPERATIONS, Plain("AWS::IAM::Role", ROLE.id, role))
    kept = {"DeleteAfterDays": days}
    copies: list[dict[str, Any]] = []
    if site.standby_region:
        copies = [
            {"DestinationBackupVaultArn": STANDBY_VAULT.get("BackupVaultArn"), "Lifecycle": kept}
        ]
    daily = {
        "RuleName": "daily",
        "TargetBackupVault": VAULT,
        "ScheduleExpression": begins(specs),
        "StartWindowMinutes": BEGIN_WITHIN_MIN,
        "CompletionWindowMinutes": DONE_WITHIN_MIN,
        "EnableContinuousBackup": False,
        "Lifecycle": kept,
        **({"CopyActions": copies} if copies else {}),
    }
    plan = {"BackupPlanName": site.name("daily", limit=50), "BackupPlanRule": [daily]}
    yield part(
        "backup", OPERATIONS, Plain("AWS::Backup::BackupPlan", PLAN.id, {"BackupPlan": plan})
    )
    yield part("backup", OPERATIONS, _selection(site))


def _selection(site: Site) -> Plain:
    """Database clusters that carry this environment's tag."""
    tag = {
        "ConditionKey": f"aws:ResourceTag/{ENVIRONMENT_TAG}",
        "ConditionValue": site.environment,
    }
    chosen = {
        "SelectionName": "databases",
        "IamRoleArn": ROLE.get("Arn"),
        "Resources": [Sub("arn:${AWS::Partition}:rds:${AWS::Region}:${AWS::AccountId}:cluster:*")],
        "Conditions": {"StringEquals": [tag]},
    }
    return Plain(
        "AWS::Backup::BackupSelection",
        "BackupSelection",
        {"BackupPlanId": PLAN, "BackupSelection": chosen},
    )

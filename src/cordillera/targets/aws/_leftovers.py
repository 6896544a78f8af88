"""What a deleted stack leaves behind on purpose, and how it goes when an environment is destroyed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cordillera.targets.aws import secrets
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._live import Live

KEPT = ("Retain", "RetainExceptOnCreate")
KEY_DAYS = 7
GONE = ("NotFound", "NoSuch", "ResourceNotFound", "404", "InvalidRequestException", "Invalid")


@dataclass(frozen=True)
class Leftover:
    """A resource that outlives its stack."""

    type: str
    physical: str


def of(unit: str, stacks: Stacks) -> list[Leftover]:
    """What a stack would leave behind, asked before it is deleted."""
    template = stacks.template(unit)["Resources"]
    return [
        Leftover(kind, physical)
        for id, kind, physical in stacks.resources(unit)
        if physical and template.get(id, {}).get("DeletionPolicy") in KEPT
    ]


def remove(left: Iterable[Leftover], live: Live, region: str) -> None:
    """Delete them. May be called twice; types that are not listed here stay."""
    for one in left:
        drop = DROPS.get(one.type)
        if drop is None:
            continue
        try:
            drop(live, one.physical, region)
        except AwsError as e:
            if not any(word in e.code for word in GONE):
                raise


def _bucket(live: Live, name: str, region: str) -> None:
    s3 = live.client("s3", region)
    for key in ("Versions", "DeleteMarkers"):
        for chunk in _chunks(s3.pages("list_object_versions", key, Bucket=name)):
            objects = [{"Key": o["Key"], "VersionId": o["VersionId"]} for o in chunk]
            s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
    s3.delete_bucket(Bucket=name)


def _chunks(items: Iterable[Any], size: int = 1000) -> Iterable[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _key(live: Live, name: str, region: str) -> None:
    """Not while a vault holds what it encrypted: whoever destroys by mistake has the backups still."""
    vaults = live.client("backup", region).pages("list_backup_vaults", "BackupVaultList")
    if any(_holds(vault, name) for vault in vaults):
        return
    live.client("kms", region).schedule_key_deletion(KeyId=name, PendingWindowInDays=KEY_DAYS)


def _holds(vault: Mapping[str, Any], key: str) -> bool:
    ours = str(vault.get("EncryptionKeyArn", "")).endswith(key)
    return ours and int(vault.get("NumberOfRecoveryPoints", 0)) > 0


def _vault(live: Live, name: str, region: str) -> None:
    """AWS refuses it while something is in it: then it stays, as it is meant to."""
    live.client("backup", region).delete_backup_vault(BackupVaultName=name)


def _secret(live: Live, name: str, region: str) -> None:
    secrets.delete(live.client("secretsmanager", region), name)


def _log_group(live: Live, name: str, region: str) -> None:
    live.client("logs", region).delete_log_group(logGroupName=name)


DROPS: Mapping[str, Callable[[Live, str, str], None]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::Backup::BackupVault": _vault,
    "AWS::KMS::Key": _key,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::Logs::LogGroup": _log_group,
}

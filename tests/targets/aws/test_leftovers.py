"""What outlives an environment on purpose: backups, and the key that reads them."""

from typing import Any, cast

import pytest

from cordillera.targets.aws import _leftovers
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._leftovers import Leftover
from cordillera.targets.aws._live import Live

KEY, VAULT = Leftover("AWS::KMS::Key", "key-1"), Leftover("AWS::Backup::BackupVault", "vault-1")


class Account:
    """Vaults and keys of an account, as far as `_leftovers` asks."""

    def __init__(self, points: int) -> None:
        self.points, self.vaults, self.keys = points, ["vault-1"], ["key-1"]

    def client(self, service: str, region: str) -> "Account":
        return self

    def pages(self, verb: str, key: str) -> list[dict[str, Any]]:
        arn = "arn:aws:kms:eu-west-1:1:key/key-1"
        one = {"EncryptionKeyArn": arn, "NumberOfRecoveryPoints": self.points}
        return [one for _ in self.vaults]

    def delete_backup_vault(self, *, BackupVaultName: str) -> None:  # noqa: N803
        if self.points:
            raise AwsError("it holds recovery points", code="InvalidRequestException")
        self.vaults.remove(BackupVaultName)

    def schedule_key_deletion(self, *, KeyId: str, PendingWindowInDays: int) -> None:  # noqa: N803
        self.keys.remove(KeyId)


@pytest.mark.parametrize(("points", "left"), [(0, ([], [])), (3, (["vault-1"], ["key-1"]))])
def test_a_vault_with_backups_stays_and_so_does_its_key(
    points: int, left: tuple[list[str], list[str]]
) -> None:
    account = Account(points)

    _leftovers.remove([VAULT, KEY], cast(Live, account), "eu-west-1")

    assert (account.vaults, account.keys) == left

"""The app's user of a database, made and changed by statements of the master through the RDS Data API."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from cordillera.core.errors import CordilleraError, NotReady
from cordillera.targets.aws import _database_live
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._database_ids import schema_name, user_secret
from cordillera.targets.aws._live import Live

WAKING = (
    "DatabaseNotFoundException",
    "DatabaseResumingException",
    "DatabaseUnavailableException",
    "InternalServerErrorException",
    "ServiceUnavailableError",
)
"""Errors of the Data API that pass by themselves."""


def make(resource: str, live: Live) -> None:
    """The schema and the app's user, with the secret's password. May be called twice; may raise NotReady.

    A second password of the user stays. Done again when the secret changed meanwhile.
    """
    manager, place, made = live.client("secretsmanager"), live.physical(user_secret(resource)), ""
    while (secret := manager.get_secret_value(SecretId=place))["VersionId"] != made:
        made, password = str(secret["VersionId"]), password_in(secret)
        _execute(resource, statements(schema_name(resource), password), password, live)


def add_password(resource: str, password: str, live: Live) -> None:
    """That password is the first one from now on, and the one that was is the second, instead of any other.

    Called twice it would be both: call `make` before each time.
    """
    user, quoted = schema_name(resource), _quoted(password)
    add = f"ALTER USER '{user}'@'%' IDENTIFIED BY '{quoted}' RETAIN CURRENT PASSWORD"
    _execute(resource, [add], password, live)


def password_in(secret: Mapping[str, Any]) -> str:
    """The password in a secret as Secrets Manager tells it."""
    return str(json.loads(secret["SecretString"])["password"])


def statements(schema: str, password: str) -> list[str]:
    """What makes a schema and its user. Pure."""
    pattern = schema.replace("_", r"\_")  # in a grant an underscore stands for any letter
    quoted = _quoted(password)
    return [
        f"CREATE DATABASE IF NOT EXISTS `{schema}` CHARACTER SET utf8mb4",
        f"CREATE USER IF NOT EXISTS '{schema}'@'%' IDENTIFIED BY '{quoted}'",
        f"ALTER USER '{schema}'@'%' IDENTIFIED BY '{quoted}'",
        f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO '{schema}'@'%'",
    ]


def _quoted(password: str) -> str:
    return password.replace("\\", "\\\\").replace("'", "''")


def _execute(resource: str, wanted: Iterable[str], password: str, live: Live) -> None:
    """Statements as the master. What they say is never shown: servers quote statements in errors."""
    found = _database_live.described(resource, live)
    if not found.get("MasterUserSecret"):
        raise NotReady(f"the database {resource} has not made its master's password yet")
    for statement in wanted:
        try:
            live.client("rds-data").execute_statement(
                resourceArn=found["DBClusterArn"],
                secretArn=found["MasterUserSecret"]["SecretArn"],
                sql=statement,
            )
        except AwsError as e:
            raise _refused(resource, statement, password, e) from None


def _refused(resource: str, statement: str, password: str, e: AwsError) -> CordilleraError:
    if e.code in WAKING:
        return NotReady(f"the database {resource} does not take statements yet")
    if not password or (password not in str(e) and password not in statement):
        return e
    verb = " ".join(statement.split()[:2])
    return CordilleraError(
        f"the database {resource} refused {verb} ({e.code})",
        hint="look at the cluster's error log in CloudWatch",
    )

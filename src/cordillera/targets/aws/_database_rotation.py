"""A new password for the app's user of a database. Whoever has the one before goes on with it.

MySQL keeps two passwords of a user. The new one is noted in Secrets Manager as pending, then it is the first
and the one before the second, then it is current: copies that start get it. The next `up` rolls those that
run, and gives the one before up once nobody has it. A second rotation would take it from them: it is refused.
"""

import json
import secrets as random
import string
from collections.abc import Iterator

from cordillera.core.errors import NotReady, Refused
from cordillera.targets.aws import _database_user, _passwords, _running, _versions
from cordillera.targets.aws._database_ids import user_secret
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._versions import CURRENT

PENDING, PREVIOUS = "AWSPENDING", "AWSPREVIOUS"
LETTERS = string.ascii_letters + string.digits


def rotate(resource: str, live: Live) -> None:
    """A new password, for copies that start from now on. Killed anywhere it goes on when it is called again.

    Raises Refused while somebody has, or would start with, an older password than the current one.
    """
    place = live.physical(user_secret(resource))
    stages = _versions.stages(place, live)
    late = {name for name, _ in _late(resource, stages[CURRENT], live)}
    if stages.get(PENDING) == stages[CURRENT]:  # killed when all but this was done
        _settle(resource, place, stages[PENDING], live)
        if late:
            return
        stages.pop(PENDING)
    if late:
        raise Refused(
            f"{', '.join(sorted(late))} would be locked out: copies have the password of {resource} "
            "that was before, or would start with it",
            hint="cordillera up, which hands them the current one; then repeat",
        )
    pending = stages.get(PENDING) or _begun(place, live)
    _database_user.make(resource, live)
    _database_user.add_password(resource, _password(place, pending, live), live)
    live.client("secretsmanager").update_secret_version_stage(
        SecretId=place,
        VersionStage=CURRENT,
        MoveToVersionId=pending,
        RemoveFromVersionId=stages[CURRENT],
    )
    _settle(resource, place, pending, live)


def give_up_previous(resource: str, live: Live) -> None:
    """The password before the current one is refused from now on, unless copies that go on have it.

    May be called twice. Raises NotReady while copies that have it are ending.
    """
    place = live.physical(user_secret(resource))
    stages = _versions.stages(place, live)
    if PREVIOUS not in stages or stages.get(PENDING):
        return
    late = list(_late(resource, stages[CURRENT], live))
    if any(not ending for _, ending in late):
        return
    if late:
        names = ", ".join(sorted({name for name, _ in late}))
        raise NotReady(f"copies of {names} that have the password before are ending")
    _database_user.drop_second_password(resource, live)
    live.client("secretsmanager").update_secret_version_stage(
        SecretId=place, VersionStage=PREVIOUS, RemoveFromVersionId=stages[PREVIOUS]
    )


def _begun(place: str, live: Live) -> str:
    """The version of a new password, which nobody is handed yet."""
    manager = live.client("secretsmanager")
    known = json.loads(manager.get_secret_value(SecretId=place)["SecretString"])
    made = "".join(random.choice(LETTERS) for _ in range(_passwords.LETTERS))
    noted = manager.put_secret_value(
        SecretId=place,
        SecretString=json.dumps({**known, "password": made}),
        VersionStages=[PENDING],
    )
    return str(noted["VersionId"])


def _password(place: str, version: str, live: Live) -> str:
    manager = live.client("secretsmanager")
    return _database_user.password_in(manager.get_secret_value(SecretId=place, VersionId=version))


def _settle(resource: str, place: str, pending: str, live: Live) -> None:
    """The current password is the first one whatever an `up` did meanwhile; nothing is pending any more."""
    _database_user.make(resource, live)
    if _versions.stages(place, live).get(PENDING) == pending:  # AWS may have seen to it
        live.client("secretsmanager").update_secret_version_stage(
            SecretId=place, VersionStage=PENDING, RemoveFromVersionId=pending
        )


def _late(resource: str, version: str, live: Live) -> Iterator[tuple[str, bool]]:
    """(service, whether it is ending) of what has, or would start with, another version of the password."""
    name = _passwords.name_of(resource)
    for definition, ending in _running.definitions(live).items():
        container = _running.container(definition, live)
        known = _versions.labelled(container.get("dockerLabels", {}))
        if known.get(name, version) != version:
            yield str(container["name"]), ending

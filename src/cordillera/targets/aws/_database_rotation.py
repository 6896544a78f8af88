"""A new password for the app's user of a database. Whoever has the one before goes on with it.

MySQL keeps two passwords of a user. The new one is noted in Secrets Manager as pending, then it is the first
and the one before the second, then it is current: copies that start get it. The next `up` rolls those that
run. The one before is taken until the next rotation puts another in its place, which is refused while
somebody has it. Nothing else ends a password: an `up` that did could not know of a rotation elsewhere.
"""

import json
import secrets as random
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cordillera.core.errors import CordilleraError, NotReady, Refused
from cordillera.targets.aws import _database_user, _passwords, _running, _versions
from cordillera.targets.aws._database_ids import user_secret
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._versions import CURRENT

PENDING = "AWSPENDING"
LETTERS = string.ascii_letters + string.digits


def rotate(resource: str, live: Live) -> None:
    """A new password, for copies that start from now on; the one before is taken until the next rotation.

    Killed anywhere it goes on when it is called again. Raises Refused while somebody has, or would start
    with, an older password than the current one, NotReady while those are ending or a release is under way.
    """
    place = live.physical(user_secret(resource))
    stages = _stages(resource, place, live)
    late = list(_late(resource, stages[CURRENT], live))
    if stages.get(PENDING) == stages[CURRENT]:  # killed when all but this was done
        _settle(resource, place, stages[PENDING], live)
        if late:
            return
        stages.pop(PENDING)
    if late:
        raise _too_early(resource, late)
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


def _stages(resource: str, place: str, live: Live) -> dict[str, str]:
    """Stage -> version. Raises CordilleraError when none is current."""
    found = _versions.stages(place, live)
    if CURRENT not in found:
        raise CordilleraError(
            f"the password of {resource} is gone: Secrets Manager has no current version of {place}",
            hint=f"aws secretsmanager restore-secret --secret-id {place}, while it may be restored; "
            "once it is deleted for good, make a new environment and move the data there",
        )
    return found


def _too_early(resource: str, late: Sequence[tuple[str, bool]]) -> CordilleraError:
    """What to do about those that are late. Pure."""
    staying = {name for name, ending in late if not ending}
    if not staying:
        names = ", ".join(sorted({name for name, _ in late}))
        return NotReady(
            f"copies of {names} that have the password of {resource} that was before are ending",
            hint="repeat it when they have ended",
        )
    return Refused(
        f"{', '.join(sorted(staying))} would be locked out: copies have, or would start with, a password of "
        f"{resource} that is not the current one",
        hint="cordillera up, which hands services the current one, and wait for commands that are run once; "
        "then repeat",
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
    for definition, ending in _running.definitions(live).items():
        container = _running.container(definition, live)
        if _is_late(container, _passwords.name_of(resource), version):
            yield str(container["name"]), ending


def _is_late(container: Mapping[str, Any], name: str, version: str) -> bool:
    """What has secrets and no label is older than labels, and may have any version of any secret. Pure."""
    labels = container.get("dockerLabels", {})
    if _versions.LABEL not in labels:
        return bool(container.get("secrets"))
    return _versions.labelled(labels).get(name, version) != version

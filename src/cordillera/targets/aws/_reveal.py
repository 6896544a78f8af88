"""What a service receives, secrets in clear: for whoever asked for it."""

import json
from collections.abc import Mapping

from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import _roles, _running, _tasks
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Mixed, Ref, Secret, Value

UNSET = "(not set)"


def variables(name: str, values: Mapping[str, Value], live: Live) -> dict[str, str]:
    """Variable -> value; what only AWS knows as the task definition in use says.

    Raises NotReady before the first `up`.
    """
    container = _running.container(live.physical(_tasks.definition(name)), live)
    told = {one["name"]: str(one["value"]) for one in container.get("environment", ())}
    return {key: _value(name, key, value, told, live) for key, value in values.items()}


def _value(name: str, key: str, value: Value, told: Mapping[str, str], live: Live) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Secret):
        return _opened(_place(value.place, live), value.key, live)
    if isinstance(value, Mixed):
        return _opened(live.physical(_roles.composed(name)), key, live)
    return told.get(key, UNSET)


def _place(place: str | Ref, live: Live) -> str:
    """The name or ARN of a secret that is there."""
    if isinstance(place, str):
        return place
    return live.output(place) if place.attribute else live.physical(place)


def _opened(place: str, field: str, live: Live) -> str:
    try:
        text = str(live.client("secretsmanager").get_secret_value(SecretId=place)["SecretString"])
    except CordilleraError:
        return UNSET
    return str(json.loads(text)[field]) if field else text

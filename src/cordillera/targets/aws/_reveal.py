"""What a service receives, secrets in clear: for whoever asked for it."""

import json
from collections.abc import Mapping

from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import _tasks
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Mixed, Secret, Value

UNSET = "(not set)"


def variables(name: str, values: Mapping[str, Value], live: Live) -> dict[str, str]:
    """Variable -> value, as the task definition in use says. Raises NotReady before the first `up`."""
    described = live.client("ecs").describe_task_definition(
        taskDefinition=live.physical(_tasks.definition(name))
    )["taskDefinition"]
    container = described["containerDefinitions"][0]
    plain = {one["name"]: str(one["value"]) for one in container.get("environment", ())}
    sealed = {one["name"]: str(one["valueFrom"]) for one in container.get("secrets", ())}
    opened = {key: _opened(place, live) for key, place in sealed.items()}
    found = {**plain, **opened}
    return {key: found.get(key, _new(value)) for key, value in values.items()}


def _new(value: Value) -> str:
    """A variable that the next `up` adds."""
    return value if isinstance(value, str) and not isinstance(value, Secret | Mixed) else UNSET


def _opened(place: str, live: Live) -> str:
    """The secret that a task's variable comes from: an ARN, and perhaps a field of it."""
    pieces = place.split(":")
    arn, field = ":".join(pieces[:7]), pieces[7] if len(pieces) > 7 else ""
    try:
        text = str(live.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    except CordilleraError:
        return UNSET
    return str(json.loads(text)[field]) if field else text

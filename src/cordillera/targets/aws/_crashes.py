"""Copies that end as soon as they have begun, or are never well: told long before a deployment gives up."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cordillera.components.wanted import Wanted
from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import _logs, _running, _tasks
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Ref

ENDS = 2
"""So many copies of a release may end before it is told: one may be bad luck."""

LAST_LINES = 8
SKEW = timedelta(seconds=5)
HEALTH = "health checks"
"""In ECS's reason for ending a copy that the balancer, or its own check, found sick."""

ON_PURPOSE = ("UserInitiated", "ServiceSchedulerInitiated", "SpotInterruption", "TerminationNotice")


def told(
    want: Wanted, live: Live, cluster: Ref, *, of: Sequence[str] = (), ends: int = ENDS
) -> str:
    """Why it is of no use to wait, with the last lines that a copy printed; empty while it is.

    Of all services unless some are named. Never raises.
    """
    tasks = live.client("ecs")
    try:
        where = live.physical(cluster)
        for name in of or want.services:
            ended = _ended(tasks, where, _current(name, live), live.since - SKEW)
            if len(ended) >= ends:
                return _sentence(name, ended, live)
    except CordilleraError:
        live.forget()  # what is not there yet is asked for again
    return ""


def _current(name: str, live: Live) -> str:
    return live.physical(_tasks.definition(name))


def _ended(tasks: Any, cluster: str, definition: str, since: datetime) -> list[Mapping[str, Any]]:
    """Copies of this very release that were begun since then and ended by themselves or were found sick,
    the last one first.

    ECS remembers copies for an hour: those of an `up` before, which somebody mended, do not count.
    """
    family = _running.family(definition)
    arns = tasks.list_tasks(cluster=cluster, family=family, desiredStatus="STOPPED")["taskArns"]
    found = tasks.describe_tasks(cluster=cluster, tasks=arns[:100])["tasks"] if arns else []
    mine = [t for t in found if _of_service(t) and t.get("taskDefinitionArn") == definition]
    new = [t for t in mine if t.get("createdAt") is None or t["createdAt"] >= since]
    bad = [t for t in new if _sick(t) or str(t.get("stopCode", "")) not in ON_PURPOSE]
    return sorted(bad, key=lambda task: str(task.get("stoppedAt", "")), reverse=True)


def _of_service(task: Mapping[str, Any]) -> bool:
    """A command that was run once may fail without its service being sick."""
    return str(task.get("startedBy", "")).startswith("ecs-svc") or str(
        task.get("group", "")
    ).startswith("service:")


def _sick(task: Mapping[str, Any]) -> bool:
    """Whether ECS ended it because it failed its health checks; else what ECS ends is scaled in."""
    return HEALTH in str(task.get("stoppedReason", ""))


def _sentence(name: str, ended: list[Mapping[str, Any]], live: Live) -> str:
    last = ended[0]
    task = str(last["taskArn"]).rsplit("/", 1)[-1]
    lines = "".join(f"\n    {name} | {line}" for line in _lines(name, task, live))
    copies = f"a copy of {name} has" if len(ended) == 1 else f"{len(ended)} copies of {name} have"
    return f"{copies} ended: {_why(name, last)}{lines}"


def _lines(name: str, task: str, live: Live) -> Iterator[str]:
    try:
        yield from _logs.of_task(name, task, live, LAST_LINES)
    except CordilleraError:
        return  # one that never began has no log


def _why(name: str, task: Mapping[str, Any]) -> str:
    if _sick(task):
        return str(task["stoppedReason"])
    container: Mapping[str, Any] = next(
        (c for c in task.get("containers", ()) if c.get("name") == name), {}
    )
    if container.get("exitCode") is not None:
        reason = container.get("reason")
        return f"exit status {container['exitCode']}" + (f" ({reason})" if reason else "")
    return str(container.get("reason") or task.get("stoppedReason") or "no reason was given")

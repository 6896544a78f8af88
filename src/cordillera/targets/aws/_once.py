"""One-off tasks: a copy's image, variables and network, with another command.

That a release's command has run is a parameter in the account: ECS forgets its tasks within the hour, and
this machine may not be the one that runs the next `up`.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import Any

from cordillera.components.wanted import Wanted
from cordillera.core.errors import CommandFailed, CordilleraError, NotReady
from cordillera.targets.aws import _groups, _logs, _running, _tasks, _variables, network
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import RELEASE, Site

ASK_EVERY_S, WITHIN_S = 2.0, 900.0
LAST_LINES = 8
MARK_LETTERS = 36
RUNS, DONE = "runs", "done"


def record(name: str, site: Site) -> str:
    """The parameter that says which release of a service has had its command."""
    return f"/cordillera/{site.environment}/releases/{name}"


def release(name: str, command: str, want: Wanted, live: Live) -> None:
    """A release's own command, exactly once: one that ended well is not run again, one that still
    runs is waited for, whoever began it. Raises CommandFailed with its last lines."""
    this = _this_release(command, want.releases[name])
    found, state, task = _read(name, live)
    if (found, state) == (this, DONE):
        return
    if (found, state) == (this, RUNS) and _still_known(task, live):
        code = _ended(live.client("ecs"), live.physical(Ref(RELEASE, "Cluster")), task, name)
    else:
        task = start(name, ["/bin/sh", "-c", command], want, live, by=f"release-{this}")
        _write(name, live, f"{this} {RUNS} {task}")
        code = _ended(live.client("ecs"), live.physical(Ref(RELEASE, "Cluster")), task, name)
    if code != 0:
        _write(name, live, f"{this} failed {task}")
        lines = _logs.of_task(name, task.rsplit("/", 1)[-1], live, LAST_LINES)
        end = "".join(f"\n    release | {line}" for line in lines)
        raise CommandFailed(
            f"the release command of {name} exited {code}: {command}{end}",
            hint="mend it and run `cordillera up` again",
        )
    _write(name, live, f"{this} {DONE} {task}")


def run(name: str, argv: Sequence[str], want: Wanted, live: Live, *, by: str) -> tuple[int, str]:
    """(exit status, task id) of a command. Raises NotReady when it takes longer than 15 minutes."""
    task = start(name, argv, want, live, by=by)
    cluster = live.physical(Ref(RELEASE, "Cluster"))
    return _ended(live.client("ecs"), cluster, task, name), task.rsplit("/", 1)[-1]


def start(name: str, argv: Sequence[str], want: Wanted, live: Live, *, by: str) -> str:
    """Begin a one-off copy with another command; its ARN."""
    started = live.client("ecs").run_task(
        cluster=live.physical(Ref(RELEASE, "Cluster")),
        taskDefinition=live.physical(_tasks.definition(name)),
        launchType="FARGATE",
        startedBy=by[:MARK_LETTERS],
        networkConfiguration=_network(name, want, live),
        overrides={"containerOverrides": [_override(name, argv, want, live.site)]},
    )
    if not started["tasks"]:
        why = ", ".join(str(f.get("reason")) for f in started.get("failures", ()))
        raise NotReady(f"no task could be started for {name}: {why}")
    return str(started["tasks"][0]["taskArn"])


def forget(want: Wanted, live: Live) -> None:
    """Drop the records of an environment that is gone. May be called twice."""
    names = [record(name, live.site) for name in want.services]
    for first in range(0, len(names), 10):
        live.client("ssm").delete_parameters(Names=names[first : first + 10])


def forget_definitions(want: Wanted, live: Live) -> None:
    """Take the task definitions of releases before out of use. May be called twice."""
    tasks = live.client("ecs")
    for name in want.services:
        family = live.site.name(name, limit=200)
        pages = tasks.pages("list_task_definitions", "taskDefinitionArns", familyPrefix=family)
        for arn in [a for a in pages if _running.family(str(a)) == family]:
            tasks.deregister_task_definition(taskDefinition=arn)


def _this_release(command: str, release: str) -> str:
    """A release that is run again with another command is another one."""
    return f"{release}-{hashlib.sha256(command.encode()).hexdigest()[:6]}"


def _read(name: str, live: Live) -> tuple[str, str, str]:
    """(release, state, task) as it was noted last."""
    try:
        found = live.client("ssm").get_parameter(Name=record(name, live.site))
    except AwsError as e:
        if e.code != "ParameterNotFound":
            raise
        return "", "", ""
    words = [*str(found["Parameter"]["Value"]).split(" "), "", ""]
    return words[0], words[1], words[2]


def _write(name: str, live: Live, value: str) -> None:
    live.client("ssm").put_parameter(
        Name=record(name, live.site), Value=value, Type="String", Overwrite=True
    )


def _still_known(task: str, live: Live) -> bool:
    """Whether ECS still knows a task that was begun: it may have ended well, or run on."""
    cluster = live.physical(Ref(RELEASE, "Cluster"))
    found = live.client("ecs").describe_tasks(cluster=cluster, tasks=[task])["tasks"]
    return bool(found)


def _ended(tasks: Any, cluster: str, task: str, name: str) -> int:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found = tasks.describe_tasks(cluster=cluster, tasks=[task])["tasks"]
        if found and found[0]["lastStatus"] == "STOPPED":
            return _exit_status(found[0], name)
        time.sleep(ASK_EVERY_S)
    raise NotReady(f"the command in {name} has not ended in {WITHIN_S:.0f} s")


def _exit_status(task: Any, name: str) -> int:
    container: dict[str, Any] = next((c for c in task["containers"] if c["name"] == name), {})
    if container.get("exitCode") is None:
        why = container.get("reason") or task.get("stoppedReason") or "no reason was given"
        raise CordilleraError(f"a copy of {name} could not start: {why}")
    return int(container["exitCode"])


def _override(name: str, argv: Sequence[str], want: Wanted, site: Site) -> dict[str, Any]:
    """Another command, and names of other services that work outside Service Connect."""
    others = _variables.alone(name, want, site)
    return {
        "name": name,
        "command": list(argv),
        "environment": [{"name": key, "value": value} for key, value in others.items()],
    }


def _network(name: str, want: Wanted, live: Live) -> dict[str, Any]:
    kind = network.task_subnets(want)
    return {
        "awsvpcConfiguration": {
            "subnets": [live.physical(one) for one in network.subnets(kind, live.site)],
            "securityGroups": [live.physical(one) for one in _groups.of_tasks(name)],
            "assignPublicIp": "ENABLED" if kind == "public" else "DISABLED",
        }
    }

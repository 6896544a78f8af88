"""One-off tasks: a copy's image, variables and network, with another command."""

import contextlib
import time
from collections.abc import Sequence
from typing import Any

from cordillera.components.wanted import Wanted
from cordillera.core.errors import CommandFailed, NotReady
from cordillera.targets.aws import _groups, _logs, _tasks, network
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import RELEASE

ASK_EVERY_S, WITHIN_S = 2.0, 900.0
LAST_LINES = 8
MARK_LETTERS = 36


def release(name: str, command: str, want: Wanted, live: Live) -> None:
    """A release's own command; it has run already when a task of that release ended well."""
    mark = f"release-{name}-{want.releases[name]}"[:MARK_LETTERS]
    if _succeeded(mark, live):
        return
    code, task = run(name, ["/bin/sh", "-c", command], want, live, started_by=mark)
    if code != 0:
        lines = _logs.of_task(name, task, live, LAST_LINES)
        end = "".join(f"\n    release | {line}" for line in lines)
        raise CommandFailed(
            f"the release command of {name} exited {code}: {command}{end}",
            hint="mend it and run `cordillera up` again",
        )


def run(
    name: str, argv: Sequence[str], want: Wanted, live: Live, *, started_by: str
) -> tuple[int, str]:
    """(exit status, task id) of a command. Raises NotReady when it takes longer than 15 minutes."""
    tasks = live.client("ecs")
    cluster = live.physical(Ref(RELEASE, "Cluster"))
    started = tasks.run_task(
        cluster=cluster,
        taskDefinition=live.physical(_tasks.definition(name)),
        launchType="FARGATE",
        startedBy=started_by,
        networkConfiguration=_network(name, want, live),
        overrides={"containerOverrides": [{"name": name, "command": list(argv)}]},
    )
    if not started["tasks"]:
        why = ", ".join(str(f.get("reason")) for f in started.get("failures", ()))
        raise NotReady(f"no task could be started for {name}: {why}")
    task = str(started["tasks"][0]["taskArn"])
    return _ended(tasks, cluster, task, name), task.rsplit("/", 1)[-1]


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
    if "exitCode" not in container:
        why = container.get("reason") or task.get("stoppedReason") or "no reason was given"
        raise CommandFailed(f"a copy of {name} could not start: {why}")
    return int(container["exitCode"])


def _succeeded(mark: str, live: Live) -> bool:
    """ECS remembers tasks that ended for about an hour: enough for an `up` that is repeated."""
    tasks, cluster = live.client("ecs"), live.physical(Ref(RELEASE, "Cluster"))
    with contextlib.suppress(KeyError):
        found = tasks.list_tasks(cluster=cluster, startedBy=mark, desiredStatus="STOPPED")
        arns = found["taskArns"]
        ended = tasks.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return any(c.get("exitCode") == 0 for task in ended for c in task["containers"])
    return False


def _network(name: str, want: Wanted, live: Live) -> dict[str, Any]:
    kind = network.task_subnets(want)
    return {
        "awsvpcConfiguration": {
            "subnets": [live.physical(one) for one in network.subnets(kind, live.site)],
            "securityGroups": [live.physical(one) for one in _groups.of_tasks(name)],
            "assignPublicIp": "ENABLED" if kind == "public" else "DISABLED",
        }
    }

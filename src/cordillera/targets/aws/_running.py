"""The copies that run, and what they were started from."""

from collections.abc import Iterator, Mapping
from typing import Any

from cordillera.core.errors import NotReady
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._site import RELEASE

DESCRIBED_AT_ONCE = 100
DEFINITION, CLUSTER = "AWS::ECS::TaskDefinition", "AWS::ECS::Cluster"


def arns(cluster: str, live: Live, **which: str) -> Iterator[str]:
    """The names of copies of a cluster."""
    yield from live.client("ecs").pages("list_tasks", "taskArns", cluster=cluster, **which)


def family(definition: str) -> str:
    """What all task definitions of a service have in common, out of the ARN of one."""
    return definition.rsplit("/", 1)[-1].rsplit(":", 1)[0]


def tasks(cluster: str, live: Live, **which: str) -> Iterator[Mapping[str, Any]]:
    """Copies of a cluster, as ECS describes them."""
    ecs, found = live.client("ecs"), list(arns(cluster, live, **which))
    for first in range(0, len(found), DESCRIBED_AT_ONCE):
        some = found[first : first + DESCRIBED_AT_ONCE]
        yield from ecs.describe_tasks(cluster=cluster, tasks=some)["tasks"]


def definitions(live: Live) -> dict[str, bool]:
    """Task definition -> whether only copies that are ending have it: those that new copies start from, and
    those of all that run, commands that were run once among them.

    Raises NotReady while a release is under way: it may yet go back to any of those before.
    """
    stacks = Stacks(live.site)
    stack = stacks.describe(RELEASE)
    if stack and stack.moving:
        raise NotReady("a release is under way", hint="repeat it when the release has ended")
    made = [] if stack is None or stack.empty else list(stacks.resources(RELEASE))
    found = {name: False for _, kind, name in made if kind == DEFINITION and name}
    for cluster in [name for _, kind, name in made if kind == CLUSTER and name]:
        for wanted in ("RUNNING", "STOPPED"):
            for task in tasks(cluster, live, desiredStatus=wanted):
                if task["lastStatus"] != "STOPPED":
                    arn, ending = str(task["taskDefinitionArn"]), wanted == "STOPPED"
                    found[arn] = found.get(arn, True) and ending
    return found


def container(definition: str, live: Live) -> Mapping[str, Any]:
    """What a task definition says of its copies."""
    ecs = live.client("ecs")
    described = ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
    made: Mapping[str, Any] = described["containerDefinitions"][0]
    return made

"""What somebody changed by hand: CloudFormation compares what is there with what it made."""

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cordillera.components.target import Drift
from cordillera.core.errors import NotReady
from cordillera.targets.aws import _client
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, UNITS, Site

ASK_EVERY_S, WITHIN_S = 1.0, 600.0
RESTS = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
SHOWN = 80


def found(site: Site) -> list[Drift]:
    """Every resource that is no longer as it was made. Raises NotReady after ten minutes."""
    units = [u for u in UNITS if u not in (ACCOUNT, ACCOUNT_STANDBY)]
    units = [u for u in units if site.standby_region or "standby" not in u]
    with ThreadPoolExecutor(max_workers=len(units)) as pool:
        return [
            one for many in pool.map(lambda unit: list(_unit(unit, site)), units) for one in many
        ]


def _unit(unit: str, site: Site) -> Iterator[Drift]:
    stack = Stacks(site).describe(unit)
    if stack is None or stack.status not in RESTS:
        return  # what is being changed drifts by itself
    asked = _client.client(site.account, "cloudformation", site.region_of(unit))
    detection = asked.detect_stack_drift(StackName=stack.name)["StackDriftDetectionId"]
    _wait(asked, str(detection), unit)
    pages = asked.describe_stack_resource_drifts(
        StackName=stack.name, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
    )
    while True:
        for one in pages["StackResourceDrifts"]:
            kind = str(one["ResourceType"]).removeprefix("AWS::")
            yield Drift(unit, str(one["LogicalResourceId"]), kind, what(one))
        if not pages.get("NextToken"):
            return
        pages = asked.describe_stack_resource_drifts(
            StackName=stack.name,
            StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
            NextToken=pages["NextToken"],
        )


def what(drift: Mapping[str, Any]) -> str:
    """The settings that differ, as it was made and as it is. Pure."""
    if drift["StackResourceDriftStatus"] == "DELETED":
        return "it was deleted"
    return "; ".join(
        f"{str(one['PropertyPath']).lstrip('/')} was {_short(one.get('ExpectedValue'))}, "
        f"is {_short(one.get('ActualValue'))}"
        for one in drift.get("PropertyDifferences", ())
    )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _wait(asked: Any, detection: str, unit: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        now = asked.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if now["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            return
        time.sleep(ASK_EVERY_S)
    raise NotReady(f"{unit}: CloudFormation has not compared it in {WITHIN_S:.0f} s")

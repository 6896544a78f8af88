"""CloudFormation, asked and told: stacks, change sets, events. One stack per unit of a site."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cordillera.core.errors import Refused
from cordillera.targets.aws import _client
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, ENVIRONMENT_TAG, Site

NOTHING = ("didn't contain changes", "No updates are to be performed")
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation tells it."""

    id: str
    name: str
    status: str
    reason: str = ""
    changed: datetime | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def moving(self) -> bool:
        """Something is being done to it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def being_made(self) -> bool:
        """What a template asks for is on its way, nothing having failed."""
        return self.status in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")

    @property
    def empty(self) -> bool:
        """Only a change set was made, and never executed."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def dead(self) -> bool:
        """Its creation was rolled back: it can only be deleted."""
        return self.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")

    @property
    def stuck(self) -> bool:
        """A roll-back failed: a person must look."""
        return self.status == "UPDATE_ROLLBACK_FAILED"

    @property
    def version(self) -> str:
        """Moves whenever anybody changes the stack."""
        return f"{self.id} {self.status} {self.changed}"


@dataclass(frozen=True)
class ChangeSet:
    """A change set: ready to be executed, empty, or failed with a reason."""

    id: str
    status: str
    reason: str
    changes: tuple[Mapping[str, Any], ...]

    @property
    def empty(self) -> bool:
        return self.status == "FAILED" and any(text in self.reason for text in NOTHING)

    @property
    def made(self) -> bool:
        return self.status in ("CREATE_COMPLETE", "FAILED")


@dataclass(frozen=True)
class Stacks:
    """The stacks of one environment."""

    site: Site

    def describe(self, unit: str) -> Stack | None:
        """The stack of a unit; None when it is not there. Raises Refused when it is another's."""
        try:
            found = self._client(unit).describe_stacks(StackName=self.site.stack_name(unit))
        except _client.AwsError as e:
            if e.code == "ValidationError" and "does not exist" in str(e):
                return None
            raise
        stack = _stack(found["Stacks"][0])
        owner = stack.tags.get(ENVIRONMENT_TAG, self.site.environment)
        if owner != self.site.environment and unit not in (ACCOUNT, ACCOUNT_STANDBY):
            raise Refused(
                f"the stack {stack.name} belongs to {owner}",
                hint="rename one of the two environments",
            )
        return None if stack.status == "DELETE_COMPLETE" else stack

    def template(self, unit: str) -> dict[str, Any]:
        """The template that the stack has now."""
        found = self._client(unit).get_template(StackName=self.site.stack_name(unit))
        return _as_dict(found["TemplateBody"])

    def resources(self, unit: str) -> Iterator[tuple[str, str, str]]:
        """(logical id, type, physical name) of each resource."""
        found = self._client(unit).pages(
            "list_stack_resources", "StackResourceSummaries", StackName=self.site.stack_name(unit)
        )
        for one in found:
            yield (
                one["LogicalResourceId"],
                one["ResourceType"],
                one.get("PhysicalResourceId", ""),
            )

    def make(self, unit: str, name: str, url: str, values: Mapping[str, str], *, new: bool) -> None:
        """Begin to make a change set; it is not executed."""
        more: dict[str, Any] = {"OnStackFailure": "DO_NOTHING"} if new else {}
        self._client(unit).create_change_set(
            StackName=self.site.stack_name(unit),
            ChangeSetName=name,
            ChangeSetType="CREATE" if new else "UPDATE",
            TemplateURL=url,
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
            Capabilities=CAPABILITIES,
            Tags=[{"Key": k, "Value": v} for k, v in self._tags(unit).items()],
            **more,
        )

    def change_set(self, unit: str, name: str) -> ChangeSet | None:
        """A change set with all of its changes; None when there is none of that name."""
        arguments = {"StackName": self.site.stack_name(unit), "ChangeSetName": name}
        try:
            page = self._client(unit).describe_change_set(**arguments)
        except _client.AwsError as e:
            if e.code in ("ChangeSetNotFound", "ChangeSetNotFoundException") or "exist" in str(e):
                return None
            raise
        changes = list(page.get("Changes", ()))
        first = page
        while page.get("NextToken"):
            page = self._client(unit).describe_change_set(**arguments, NextToken=page["NextToken"])
            changes += page.get("Changes", ())
        return ChangeSet(
            first["ChangeSetId"],
            first["Status"],
            first.get("StatusReason", ""),
            tuple(c["ResourceChange"] for c in changes if "ResourceChange" in c),
        )

    def drop_change_sets(self, unit: str, *, but: str = "") -> None:
        """Delete change sets that were made and never executed."""
        stack = self.site.stack_name(unit)
        for one in self._client(unit).pages("list_change_sets", "Summaries", StackName=stack):
            name = str(one["ChangeSetName"])
            if name.startswith("cordillera-") and name != but:
                self._client(unit).delete_change_set(StackName=stack, ChangeSetName=name)

    def execute(self, unit: str, name: str, token: str) -> None:
        """Do what a change set says. The same token does it once."""
        self._client(unit).execute_change_set(
            StackName=self.site.stack_name(unit), ChangeSetName=name, ClientRequestToken=token
        )

    def protect(self, unit: str, *, on: bool) -> None:
        """Whether nobody may delete the stack."""
        self._client(unit).update_termination_protection(
            StackName=self.site.stack_name(unit), EnableTerminationProtection=on
        )

    def delete(self, unit: str, token: str) -> None:
        """Begin to delete a stack."""
        self._client(unit).delete_stack(
            StackName=self.site.stack_name(unit), ClientRequestToken=token
        )

    def cancel(self, unit: str) -> None:
        """Give up an update: what was there before comes back."""
        self._client(unit).cancel_update_stack(StackName=self.site.stack_name(unit))

    def events(self, stack_id: str, unit: str, token: str) -> list[Mapping[str, Any]]:
        """What was done under that token, oldest first."""
        found = list[Mapping[str, Any]]()
        pages = self._client(unit).pages("describe_stack_events", "StackEvents", StackName=stack_id)
        for event in pages:
            if event.get("ClientRequestToken") not in (token, None):
                break
            if event.get("ClientRequestToken") == token:
                found.append(event)
        return found[::-1]

    def _tags(self, unit: str) -> Mapping[str, str]:
        shared = unit in (ACCOUNT, ACCOUNT_STANDBY)
        return {"cordillera": "account"} if shared else self.site.tags

    def _client(self, unit: str) -> Any:
        return _client.client(self.site.account, "cloudformation", self.site.region_of(unit))


def _stack(found: Mapping[str, Any]) -> Stack:
    return Stack(
        id=found["StackId"],
        name=found["StackName"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        changed=found.get("LastUpdatedTime") or found.get("CreationTime"),
        outputs={o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())},
        tags={t["Key"]: t["Value"] for t in found.get("Tags", ())},
        parameters={
            p["ParameterKey"]: p.get("ParameterValue", "") for p in found.get("Parameters", ())
        },
    )


def _as_dict(body: Any) -> dict[str, Any]:
    import json

    made: dict[str, Any] = json.loads(body) if isinstance(body, str) else dict(body)
    return made

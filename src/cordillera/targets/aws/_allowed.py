"""Whether the credentials may do what a plan needs, where they may ask."""

from collections.abc import Iterator

from cordillera.core.errors import Refused
from cordillera.targets.aws import _permissions
from cordillera.targets.aws._client import DENIED, AwsError
from cordillera.targets.aws._draft import Draft
from cordillera.targets.aws._linked_roles import LinkedRole
from cordillera.targets.aws._live import Live

AT_ONCE, TOLD = 100, 5


def refuse_what_is_not(draft: Draft, live: Live) -> Iterator[str]:
    """A sentence when it could not be asked. Raises Refused, naming the first actions that are denied."""
    who = _who(str(live.client("sts").get_caller_identity()["Arn"]))
    if not who:
        yield "the permissions of this kind of login cannot be looked at before"
        return
    types = [
        str(one["Type"])
        for unit, changes in draft.changes.items()
        if changes and unit in draft.templates
        for one in draft.templates[unit].body["Resources"].values()
    ]
    needed = _permissions.needed(types)
    try:
        denied = list(_denied(who, needed, live))
    except AwsError as e:
        if not _unasked(e):
            raise
        yield "the credentials may not look at their own permissions: what is missing shows later"
        return
    if denied:
        more = f" and {len(denied) - TOLD} more" if len(denied) > TOLD else ""
        raise Refused(
            f"the credentials may not do what this needs: {', '.join(denied[:TOLD])}{more}",
            hint="give them the policy that `cordillera aws policy` prints",
        )


def refuse_missing_roles(draft: Draft, live: Live) -> None:
    """Raises Refused, naming the service-linked roles that the account lacks and that may not be made."""
    who = _who(str(live.client("sts").get_caller_identity()["Arn"])) if draft.linked_roles else ""
    denied = [role for role in draft.linked_roles if who and not _may_make(role, who, live)]
    if denied:
        raise Refused(
            f"the account has no {', '.join(role.name for role in denied)} yet, "
            "and the credentials may not make such a role",
            hint=f"somebody who may, once per account: {'; '.join(one.line for one in denied)}",
        )


def _may_make(role: LinkedRole, who: str, live: Live) -> bool:
    """Whether it is allowed to make it, as far as the credentials may ask."""
    service = {
        "ContextKeyName": "iam:AWSServiceName",
        "ContextKeyType": "string",
        "ContextKeyValues": [role.service],
    }
    try:
        found = live.client("iam").simulate_principal_policy(
            PolicySourceArn=who,
            ActionNames=["iam:CreateServiceLinkedRole"],
            ResourceArns=[role.arn(who.split(":")[4])],
            ContextEntries=[service],
        )
    except AwsError as e:
        if not _unasked(e):
            raise
        return True
    return all(one["EvalDecision"] == "allowed" for one in found["EvaluationResults"])


def _unasked(error: AwsError) -> bool:
    """Whether permissions may not be looked at."""
    return error.code in DENIED or "NoSuchEntity" in error.code


def _denied(who: str, actions: list[str], live: Live) -> Iterator[str]:
    """Only what no statement allows at all: a scope by name or tag is not seen from here."""
    for first in range(0, len(actions), AT_ONCE):
        found = live.client("iam").simulate_principal_policy(
            PolicySourceArn=who, ActionNames=actions[first : first + AT_ONCE]
        )
        for one in found["EvaluationResults"]:
            if one["EvalDecision"] == "explicitDeny" or (
                one["EvalDecision"] == "implicitDeny"
                and not one.get("MatchedStatements")
                and _permissions.anywhere(str(one["EvalActionName"]))
            ):
                yield str(one["EvalActionName"])


def _who(arn: str) -> str:
    """The user or role behind a login; nothing for the account's owner and for federated users."""
    kind = arn.split(":", 5)[-1]
    if kind.startswith(("user/", "role/")):
        return arn
    if kind.startswith("assumed-role/"):
        account, role = arn.split(":")[4], kind.split("/")[1]
        return f"{arn.split(':')[0]}:{arn.split(':')[1]}:iam::{account}:role/{role}"
    return ""

"""What moto needs to be taken for CloudFormation: each help stands for a fault that a test reproduces.

Its change sets make, change and list; they carry parameters and tags. Everything else here is beside them.
"""

import dataclasses
import json
from typing import Any

import pytest

from cordillera.targets.aws import _bucket, _preflight, _stack, _switches
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._stack import Template
from tests.targets.aws import emulator

UNTOLD = ("LoadBalancerFullName", "TargetGroupFullName")
"""What its load balancers do not tell: an output of one holds the question, or hides all outputs."""

UNKNOWN = (
    ("cloudformation", "update_termination_protection"),
    ("iam", "simulate_principal_policy"),
)
"""Calls that it has not: a stack cannot be protected, and no permission can be looked at before."""

ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}


def customer(number: str) -> dict[str, dict[str, str]]:
    """What a manifest says of a customer's account. Moto knows one by the role that is taken on in it."""
    return {"account": {"id": number, "role": f"arn:aws:iam::{number}:role/cordillera"}}


def assist(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Help it for the length of a test."""
    made, upload, execute = _stack.templates, _bucket.upload, Stacks.execute

    def templates(*args: Any) -> dict[str, Template]:
        return {unit: stripped(one) for unit, one in made(*args).items()}

    def executed(self: Stacks, unit: str, name: str, token: str) -> None:
        execute(self, unit, name, token)
        _recall_outputs(self, unit)

    monkeypatch.setattr(_stack, "templates", templates)
    monkeypatch.setattr(Stacks, "execute", executed)
    monkeypatch.setattr(Stacks, "protect", lambda *_, on: None)
    monkeypatch.setattr(_preflight, "look", lambda _: ())
    # It refuses everything where a policy of a bucket denies anything, whatever the condition.
    monkeypatch.setattr(_bucket, "_only_tls", lambda _: ANYBODY)
    # It takes a template's address for one of its own buckets only when it looks like Amazon's.
    monkeypatch.setattr(
        _bucket, "upload", lambda *args: upload(*args).replace(endpoint, "https://s3.amazonaws.com")
    )


def stripped(one: Template) -> Template:
    """A template without what moto lacks, or does not tell."""
    body = emulator.stripped(dict(one.body), emulator.MOTO_LACKS)
    told = {k: v for k, v in body.get("Outputs", {}).items() if not _untold(v["Value"])}
    body = {**body, "Outputs": told}
    return dataclasses.replace(one, body=body, switches=tuple(_switches.used(body["Resources"])))


def _untold(value: Any) -> bool:
    return isinstance(value, dict) and value.get("Fn::GetAtt", ("", ""))[1] in UNTOLD


def _recall_outputs(stacks: Stacks, unit: str) -> None:
    """It forgets the outputs of a stack that a change set made. An update with nothing in it recalls them."""
    stack, body = stacks.describe(unit), stacks.template(unit)
    if stack is None or stack.outputs or not body.get("Outputs"):
        return
    stacks._client(unit).update_stack(
        StackName=stack.name,
        TemplateBody=json.dumps(body, indent=1),  # other words for the same: else it is refused
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in stack.parameters.items()],
    )

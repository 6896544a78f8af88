"""The role that Cordillera takes on in a customer's account, as a template that the customer applies once.

It trusts one account, role or user, and asks for an external id: whoever can make Cordillera use a role of
his choice does not get into the account of another customer by it.
"""

import re
import secrets
from typing import Any

from troposphere import encode_to_dict, iam

from cordillera.components.target import CustomerRole
from cordillera.core.errors import ManifestError
from cordillera.targets.aws import _permissions
from cordillera.targets.aws._policy import document
from cordillera.targets.aws._site import STACK_PREFIX

STACK = STACK_PREFIX
"""Without a dash behind it: the policy reaches `cordillera-*`, and so neither this stack nor its role
directly: roles that it makes may do what they are given, see docs/aws.md."""

SESSION_S = 3600
"""As long as AWS lets one role take on another; it is taken on anew before that is over."""

EXTERNAL_ID_LETTERS, EXTERNAL_ID_MAX = 8, 1224
WHO = re.compile(r"arn:aws:iam::\d{12}:(root|(role|user)/[\w+=,.@/-]+)", re.ASCII)
NUMBER = re.compile(r"\d{12}", re.ASCII)
NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]+", re.ASCII)


def customer_role(trust: str, external_id: str | None, name: str) -> CustomerRole:
    """The template, what applies it, and what the manifest says then. An external id is made when none is
    given. Raises ManifestError for words that AWS would not take, or that are of no use."""
    _refuse_name(name)
    chosen = secrets.token_hex(16) if external_id is None else external_id
    _refuse_external_id(chosen, trust)
    return CustomerRole(
        template=_template(_principal(trust), chosen, name),
        external_id=chosen,
        apply=f"aws cloudformation deploy --stack-name {STACK} --template-file role.json "
        "--capabilities CAPABILITY_NAMED_IAM --region us-east-1",
        manifest=f'account: {{id: "NUMBER", role: "arn:aws:iam::NUMBER:role/{name}", '
        f'external_id: "{chosen}"}}',
    )


def _template(principal: str, external_id: str, name: str) -> dict[str, Any]:
    policies = [
        iam.ManagedPolicy(f"Policy{number}", PolicyDocument=piece)
        for number, piece in enumerate(_permissions.pieces(), 1)
    ]
    role = iam.Role(
        "Role",
        RoleName=name,
        Description="What Cordillera takes on to look after environments in this account",
        MaxSessionDuration=SESSION_S,
        AssumeRolePolicyDocument=document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": principal},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ),
        ManagedPolicyArns=[policy.ref() for policy in policies],
    )
    made: dict[str, Any] = encode_to_dict(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": f"The role {name}, for Cordillera; {principal} may take it on",
            "Resources": {one.title: one.to_dict() for one in (*policies, role)},
            "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
        }
    )
    return made


def _principal(trust: str) -> str:
    if NUMBER.fullmatch(trust):
        return f"arn:aws:iam::{trust}:root"
    if not WHO.fullmatch(trust):
        raise ManifestError(
            f"`{trust}` is nobody whom a role can trust",
            hint="the `Account` that `aws sts get-caller-identity` prints, the ARN of a user in it, or "
            "that of a role as `aws iam get-role` prints it",
        )
    return trust


def _refuse_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ManifestError(
            f"`{name}` is no name of a role",
            hint="1 to 64 letters, digits and any of + = , . @ _ -",
        )
    if name.startswith(f"{STACK_PREFIX}-"):
        raise ManifestError(
            f"the role {name} could change itself: it may change roles that begin with {STACK_PREFIX}-",
            hint=f"name it {STACK_PREFIX}, or without that beginning",
        )


def _refuse_external_id(external_id: str, trust: str) -> None:
    if not EXTERNAL_ID.fullmatch(external_id) or len(external_id) > EXTERNAL_ID_MAX:
        raise ManifestError(
            f"`{external_id}` is no external id",
            hint=f"at most {EXTERNAL_ID_MAX} letters, digits and any of + = , . @ : / _ -",
        )
    public = NUMBER.fullmatch(external_id) or external_id in trust
    if public or len(external_id) < EXTERNAL_ID_LETTERS:
        raise ManifestError(
            f"the external id {external_id} can be guessed",
            hint="leave --external-id out and one is made, another for each customer; or at least "
            f"{EXTERNAL_ID_LETTERS} letters that are no account's number",
        )

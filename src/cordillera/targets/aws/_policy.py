"""IAM documents, as plain dictionaries."""

from collections.abc import Sequence
from typing import Any

from cordillera.targets.aws._component import Statement

VERSION = "2012-10-17"


def document(*statements: Statement) -> dict[str, Any]:
    """A policy document."""
    return {"Version": VERSION, "Statement": [dict(one) for one in statements]}


def allow(actions: Sequence[str], resources: object, **more: object) -> Statement:
    """A statement that allows `actions` on `resources`."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resources, **more}


def trust(service: str, **more: object) -> dict[str, Any]:
    """Who may take on a role: a service of AWS."""
    return document(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            **more,
        }
    )

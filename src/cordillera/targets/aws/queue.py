"""Queues: SQS, encrypted, TLS only, with a queue of their own for what nobody could work on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from troposphere import sqs

from cordillera.components.base import variable_prefix
from cordillera.components.queue import DAY_S, QueueSpec
from cordillera.components.state import Member, ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _keys
from cordillera.targets.aws._component import Component, Statement
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._policy import allow, document
from cordillera.targets.aws._refs import Ref, Value, camel
from cordillera.targets.aws._site import DATA, Site

OFFER = Offered("SQS; never run against the real service")

DEAD_RETENTION_S = 14 * DAY_S
LONG_POLL_S = 20
KEY_REUSE_S = 300
USING = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
]


def queue(resource: str) -> Ref:
    """The queue of a queue resource."""
    return Ref(DATA, camel(resource, "queue"))


def dead(resource: str) -> Ref:
    """The queue of its messages that were set aside."""
    return Ref(DATA, camel(resource, "dead-queue"))


class Queue(Component):
    """A queue per queue resource, and one for its dead letters where the manifest asks."""

    name = "queue"
    in_standby = False

    def parts(self, want: Wanted, site: Site) -> Parts:
        return [one for name, spec in queues(want) for one in _parts(name, spec)]

    def fields(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        return {
            "url": queue(resource),
            "name": queue(resource).get("QueueName"),
            "host": f"sqs.{site.region}.amazonaws.com",
            "port": "443",
        }

    def variables(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        return {
            f"{variable_prefix(resource)}_QUEUE_URL": queue(resource),
            "AWS_DEFAULT_REGION": site.region,
        }

    def access(self, want: Wanted, site: Site, resource: str) -> Sequence[Statement]:
        arns = [queue(resource).get("Arn")]
        if dict(queues(want))[resource].dead_letter:
            arns.append(dead(resource).get("Arn"))
        return [
            allow(USING, arns),
            allow(["kms:Decrypt", "kms:GenerateDataKey"], [_keys.KEY.get("Arn")]),
        ]

    def observe(self, want: Wanted, live: Live) -> Mapping[str, ResourceState]:
        return {name: _state(name, spec, live) for name, spec in queues(want)}


def queues(want: Wanted) -> Iterator[tuple[str, QueueSpec]]:
    """The environment's queues, in the manifest's order."""
    for name, spec in want.of_type("queue"):
        if isinstance(spec, QueueSpec):
            yield name, spec


def _parts(name: str, spec: QueueSpec) -> Iterator[AwsPart]:
    more: dict[str, Any] = {}
    made = [queue(name)]
    if spec.dead_letter:
        more["RedrivePolicy"] = sqs.RedrivePolicy(
            deadLetterTargetArn=dead(name).get("Arn"), maxReceiveCount=spec.dead_letter.after
        )
        made.append(dead(name))
        set_aside = _queue(dead(name), spec, round(DEAD_RETENTION_S), aside=True)
        yield part("queue", DATA, set_aside, holds_data=True)
    own = _queue(queue(name), spec, round(spec.retention), **more)
    yield part("queue", DATA, own, holds_data=True)
    for one in made:
        policy = sqs.QueuePolicy(
            f"{one.id}Policy", Queues=[one], PolicyDocument=document(_only_tls(one))
        )
        yield part("queue", DATA, policy)


def _queue(at: Ref, spec: QueueSpec, retention_s: int, *, aside: bool = False, **more: Any) -> Any:
    if spec.fifo:
        more["FifoQueue"] = True
    return sqs.Queue(
        at.id,
        VisibilityTimeout=round(spec.visibility_timeout),
        DelaySeconds=0 if aside else round(spec.delay),
        MessageRetentionPeriod=retention_s,
        ReceiveMessageWaitTimeSeconds=LONG_POLL_S,
        KmsMasterKeyId=_keys.KEY,
        KmsDataKeyReusePeriodSeconds=KEY_REUSE_S,
        # Nothing reads a queue that nobody names any more: asked for, it goes with its messages.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
        **more,
    )


def _only_tls(at: Ref) -> Statement:
    return {
        "Sid": "OnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": at.get("Arn"),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _state(name: str, spec: QueueSpec, live: Live) -> ResourceState:
    url = live.physical(queue(name))
    waiting, working = _counts(url, live)
    members = [
        Member(live.site.region, "queue", True, detail=f"{waiting} waiting, {working} in work")
    ]
    aside = 0
    if spec.dead_letter:
        aside, _ = _counts(live.physical(dead(name)), live)
        members.append(Member(live.site.region, "dead letters", True, detail=f"{aside} set aside"))
    return ResourceState(
        type="queue",
        healthy=True,
        durable=True,  # SQS answers when several zones have it
        endpoint=url,
        members=tuple(members),
        detail=f"{aside} messages were set aside" if aside else "",
    )


def _counts(url: str, live: Live) -> tuple[int, int]:
    """(messages that wait, messages that somebody works on)."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = live.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    waiting, working = (int(found["Attributes"].get(name, 0)) for name in names)
    return waiting, working

"""What the public reaches: the one public service, and objects that anybody may read."""

from collections.abc import Sequence

from troposphere import Sub

from cordillera.components.objects import ObjectsSpec
from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused
from cordillera.targets.aws._component import Statement
from cordillera.targets.aws._refs import Ref, camel, text
from cordillera.targets.aws._site import DATA, EDGE

DISTRIBUTION = Ref(EDGE, "Distribution")


def public_service(want: Wanted) -> str | None:
    """Its name; None when all are internal. Raises Refused for more than one."""
    names = [name for name, spec in want.services.items() if spec.public]
    if len(names) > 1:
        raise Refused(
            f"{' and '.join(names)} are both public, and one is offered on `aws` yet",
            hint="keep `public: true` on one of them and let it pass requests on",
        )
    return names[0] if names else None


def behind_edge(want: Wanted) -> bool:
    """Whether visitors come through CloudFront."""
    return public_service(want) is not None and not want.network.internal


def bucket(resource: str) -> Ref:
    """The bucket of a resource of the type `objects`."""
    return Ref(DATA, camel(resource))


def public_objects(want: Wanted) -> list[tuple[str, str]]:
    """(resource, prefix) of objects that anybody may read, at `/PREFIX` of the published address."""
    return [
        (name, prefix)
        for name, spec in want.of_type("objects")
        if isinstance(spec, ObjectsSpec)
        for prefix in spec.public
    ]


def edge_reads(want: Wanted, resource: str) -> Sequence[Statement]:
    """What the policy of a bucket must hold, so that CloudFront reads its public prefixes.

    Any distribution of the same account: naming the one would be a circle of references.
    """
    prefixes = [prefix for name, prefix in public_objects(want) if name == resource]
    if not prefixes or not behind_edge(want):
        return []
    return [
        {
            "Sid": "TheEdgeReadsWhatIsPublic",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": [text(bucket(resource).get("Arn"), f"/{prefix}*") for prefix in prefixes],
            "Condition": {"ArnLike": {"AWS:SourceArn": Sub(DISTRIBUTIONS)}},
        }
    ]


DISTRIBUTIONS = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/*"
"""Every distribution of the account, for conditions."""

"""Objects: an S3 bucket per resource, versioned and encrypted; public prefixes through CloudFront only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from troposphere import Sub, s3

from cordillera.components.base import variable_prefix
from cordillera.components.objects import ObjectsSpec
from cordillera.components.state import ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _bucket_parts, _keys, _objects_copy, _objects_live
from cordillera.targets.aws._component import Component, Statement
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._policy import allow, document
from cordillera.targets.aws._refs import Ref, Value, camel, text
from cordillera.targets.aws._site import DATA, Site

OFFER = Offered("S3; public prefixes need the content network; never run against the real service")

OLD_VERSION_DAYS, LOG_DAYS = 30, 90
LOGS = Ref(DATA, "ObjectsLogs")


@dataclass(frozen=True)
class Origin:
    """What CloudFront may serve of a bucket: everything below `prefixes`."""

    resource: str
    prefixes: tuple[str, ...]
    host: Ref
    """The bucket's own name in its region: an origin takes it as it is."""


def origins(want: Wanted) -> list[Origin]:
    """The buckets with public prefixes. CloudFront reads them with origin access control (sigv4, always)."""
    return [
        Origin(name, tuple(spec.public), bucket(name).get("RegionalDomainName"))
        for name, spec in buckets(want)
        if spec.public
    ]


def bucket(resource: str) -> Ref:
    """The bucket of an objects resource."""
    return Ref(DATA, camel(resource, "bucket"))


class Objects(Component):
    """A bucket per objects resource, one for their access logs, and copies in the standby region."""

    name = "objects"
    in_standby = False

    def parts(self, want: Wanted, site: Site) -> Parts:
        made = [one for name, spec in buckets(want) for one in _parts(name, spec, site)]
        return [*_logs(), *made] if made else ()

    def fields(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        host = f"s3.{site.region}.amazonaws.com"
        return {
            "bucket": bucket(resource),
            "endpoint": f"https://{host}",
            "host": host,
            "port": "443",
            # SDKs find the task's role by themselves; there are no keys that last.
            "access_key": "",
            "secret_key": "",
        }

    def variables(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        return {
            f"{variable_prefix(resource)}_BUCKET": bucket(resource),
            "AWS_DEFAULT_REGION": site.region,
        }

    def access(self, want: Wanted, site: Site, resource: str) -> Sequence[Statement]:
        arn = bucket(resource).get("Arn")
        listing = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        using = [
            "s3:AbortMultipartUpload",
            "s3:DeleteObject",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
        ]
        return [
            allow(listing, [arn]),
            allow(using, [text(arn, "/*")]),
            allow(["kms:Decrypt", "kms:GenerateDataKey"], [_keys.KEY.get("Arn")]),
        ]

    def observe(self, want: Wanted, live: Live) -> Mapping[str, ResourceState]:
        return {name: _objects_live.state(bucket(name), live) for name, _ in buckets(want)}


def buckets(want: Wanted) -> Iterator[tuple[str, ObjectsSpec]]:
    """The environment's objects resources, in the manifest's order."""
    for name, spec in want.of_type("objects"):
        if isinstance(spec, ObjectsSpec):
            yield name, spec


def old_versions() -> Any:
    """What was overwritten or deleted can be had back for a while."""
    return s3.LifecycleRule(
        Id="old-versions",
        Status="Enabled",
        NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=OLD_VERSION_DAYS),
        ExpiredObjectDeleteMarker=True,
    )


def _parts(name: str, spec: ObjectsSpec, site: Site) -> Iterator[AwsPart]:
    copied: dict[str, Any] = {}
    if site.standby_region:
        yield from _objects_copy.parts(name, bucket(name), old_versions())
        copied = {"ReplicationConfiguration": _objects_copy.rule(name)}
    made = _bucket_parts.bucket(
        bucket(name).id,
        key=_keys.KEY,
        rules=[old_versions()],
        LoggingConfiguration=s3.LoggingConfiguration(
            DestinationBucketName=LOGS, LogFilePrefix=f"{name}/"
        ),
        DependsOn="ObjectsLogsPolicy",
        **copied,
    )
    yield part("objects", DATA, made, holds_data=True)
    statements = [_bucket_parts.only_tls(bucket(name)), *_public(name, spec)]
    policy = s3.BucketPolicy(
        camel(name, "bucket-policy"), Bucket=bucket(name), PolicyDocument=document(*statements)
    )
    yield part("objects", DATA, policy)


def _public(name: str, spec: ObjectsSpec) -> Iterator[Statement]:
    """CloudFront of this account reads public prefixes; browsers do not reach the bucket.

    Which distribution is not said: it refers to this bucket, and the two would wait for each other.
    """
    if spec.public:
        yield {
            "Sid": "PublicThroughCloudFront",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": [text(bucket(name).get("Arn"), f"/{prefix}*") for prefix in spec.public],
            "Condition": _keys.OUR_CLOUDFRONT,
        }


def _logs() -> Iterator[AwsPart]:
    """Who read and wrote what. S3 writes logs with its own encryption only."""
    expire = s3.LifecycleRule(
        Id="old-logs",
        Status="Enabled",
        ExpirationInDays=LOG_DAYS,
        NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=1),
    )
    yield part("objects", DATA, _bucket_parts.bucket(LOGS.id, key=None, rules=[expire]))
    writes = {
        "Sid": "S3WritesLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": text(LOGS.get("Arn"), "/*"),
        "Condition": {"StringEquals": {"aws:SourceAccount": Sub("${AWS::AccountId}")}},
    }
    policy = s3.BucketPolicy(
        "ObjectsLogsPolicy",
        Bucket=LOGS,
        PolicyDocument=document(writes, _bucket_parts.only_tls(LOGS)),
    )
    yield part("objects", DATA, policy)

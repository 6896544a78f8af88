"""Copies of objects in the standby region: within fifteen minutes, as S3 promises.

`status` tells how far they are behind; no alarm does.
"""

from collections.abc import Iterator
from typing import Any

from troposphere import iam, s3

from cordillera.targets.aws import _bucket_parts, _keys
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._policy import allow, document, trust
from cordillera.targets.aws._refs import Ref, camel, text
from cordillera.targets.aws._site import DATA, STANDBY

MINUTES = 15
"""What S3's replication time control promises."""


def copy(resource: str) -> Ref:
    """The bucket in the standby region."""
    return Ref(STANDBY, camel(resource, "standby-bucket"))


def rule(name: str) -> Any:
    """All objects, and deletions too; old versions stay on both sides."""
    return s3.ReplicationConfiguration(
        Role=_role(name).get("Arn"),
        Rules=[
            s3.ReplicationConfigurationRules(
                Id="standby",
                Status="Enabled",
                Priority=1,
                Filter=s3.ReplicationRuleFilter(Prefix=""),
                DeleteMarkerReplication=s3.DeleteMarkerReplication(Status="Enabled"),
                SourceSelectionCriteria=s3.SourceSelectionCriteria(
                    SseKmsEncryptedObjects=s3.SseKmsEncryptedObjects(Status="Enabled")
                ),
                Destination=s3.ReplicationConfigurationRulesDestination(
                    Bucket=copy(name).get("Arn"),
                    EncryptionConfiguration=s3.EncryptionConfiguration(
                        ReplicaKmsKeyID=_keys.STANDBY_KEY.get("Arn")
                    ),
                    ReplicationTime=s3.ReplicationTime(
                        Status="Enabled", Time=s3.ReplicationTimeValue(Minutes=MINUTES)
                    ),
                    Metrics=s3.Metrics(
                        Status="Enabled", EventThreshold=s3.ReplicationTimeValue(Minutes=MINUTES)
                    ),
                ),
            )
        ],
    )


def parts(name: str, source: Ref, old_versions: Any) -> Iterator[AwsPart]:
    """The bucket there with its policy, and the role that copies."""
    made = _bucket_parts.bucket(copy(name).id, key=_keys.STANDBY_KEY, rules=[old_versions])
    yield part("objects", STANDBY, made, holds_data=True)
    policy = s3.BucketPolicy(
        camel(name, "standby-bucket-policy"),
        Bucket=copy(name),
        PolicyDocument=document(_bucket_parts.only_tls(copy(name))),
    )
    yield part("objects", STANDBY, policy)
    role = iam.Role(_role(name).id, AssumeRolePolicyDocument=trust("s3.amazonaws.com"))
    yield part("objects", DATA, role)
    # A policy of its own: the role's name is in the bucket, the bucket's name in the policy.
    allowed = iam.PolicyType(
        camel(name, "copying-policy"),
        PolicyName="copy",
        Roles=[_role(name)],
        PolicyDocument=document(*_statements(name, source)),
    )
    yield part("objects", DATA, allowed)


def _role(name: str) -> Ref:
    return Ref(DATA, camel(name, "copying-role"))


def _statements(name: str, source: Ref) -> Iterator[Any]:
    here, there = source.get("Arn"), copy(name).get("Arn")
    yield allow(["s3:GetReplicationConfiguration", "s3:ListBucket"], [here])
    yield allow(
        [
            "s3:GetObjectVersionAcl",
            "s3:GetObjectVersionForReplication",
            "s3:GetObjectVersionTagging",
        ],
        [text(here, "/*")],
    )
    yield allow(
        ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"], [text(there, "/*")]
    )
    yield allow(["kms:Decrypt"], [_keys.KEY.get("Arn")])
    yield allow(["kms:Encrypt", "kms:GenerateDataKey"], [_keys.STANDBY_KEY.get("Arn")])

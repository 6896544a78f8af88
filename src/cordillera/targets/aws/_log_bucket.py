"""Buckets that AWS's own services write logs to: no key of ours, closed, old logs thrown away."""

from typing import Any

from troposphere import s3

KEEP_DAYS = 90


def bucket(id: str, *, keep_days: int = KEEP_DAYS) -> Any:
    """A bucket of logs; it outlives its stack."""
    by_default = s3.ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
    rule = s3.ServerSideEncryptionRule(ServerSideEncryptionByDefault=by_default)
    old = s3.LifecycleRule(
        Id="old-logs",
        Status="Enabled",
        ExpirationInDays=keep_days,
        NoncurrentVersionExpirationInDays=1,
    )
    return s3.Bucket(
        id,
        BucketEncryption=s3.BucketEncryption(ServerSideEncryptionConfiguration=[rule]),
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
        PublicAccessBlockConfiguration=s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True,
            BlockPublicPolicy=True,
            IgnorePublicAcls=True,
            RestrictPublicBuckets=True,
        ),
        LifecycleConfiguration=s3.LifecycleConfiguration(Rules=[old]),
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
    )


def only_tls(arn: Any, inside: Any) -> dict[str, Any]:
    """Nobody talks to the bucket in clear; `inside` is the ARN of everything in it."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, inside],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }

"""What every bucket of ours has: encryption, versions, no public access, TLS only."""

from typing import Any

from troposphere import s3

from cordillera.targets.aws._component import Statement
from cordillera.targets.aws._refs import Ref, text

ABORT_UPLOADS_DAYS = 7


def encryption(key: Ref | None) -> Any:
    """With a key of ours, or with S3's own where the writer cannot use one."""
    algorithm: dict[str, Any] = (
        {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key.get("Arn")}
        if key
        else {"SSEAlgorithm": "AES256"}
    )
    rule = s3.ServerSideEncryptionRule(
        ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(**algorithm),
        BucketKeyEnabled=key is not None,
    )
    return s3.BucketEncryption(ServerSideEncryptionConfiguration=[rule])


def closed() -> Any:
    """Nobody can make it public, by a policy nor by an access list."""
    return s3.PublicAccessBlockConfiguration(
        BlockPublicAcls=True,
        BlockPublicPolicy=True,
        IgnorePublicAcls=True,
        RestrictPublicBuckets=True,
    )


def bucket(id: str, *, key: Ref | None, rules: list[Any], **more: Any) -> Any:
    """A bucket that outlives its stack."""
    unfinished = s3.LifecycleRule(
        Id="unfinished-uploads",
        Status="Enabled",
        AbortIncompleteMultipartUpload=s3.AbortIncompleteMultipartUpload(
            DaysAfterInitiation=ABORT_UPLOADS_DAYS
        ),
    )
    return s3.Bucket(
        id,
        BucketEncryption=encryption(key),
        VersioningConfiguration=s3.VersioningConfiguration(Status="Enabled"),
        PublicAccessBlockConfiguration=closed(),
        OwnershipControls=s3.OwnershipControls(
            Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        LifecycleConfiguration=s3.LifecycleConfiguration(Rules=[unfinished, *rules]),
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        **more,
    )


def only_tls(bucket: Ref) -> Statement:
    """Refuses requests without TLS."""
    arn = bucket.get("Arn")
    return {
        "Sid": "OnlyTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, text(arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }

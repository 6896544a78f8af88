"""The bucket that templates are uploaded to: templates are often larger than what may be sent inline."""

import contextlib

from cordillera.targets.aws import _client
from cordillera.targets.aws._site import Site
from cordillera.targets.aws._stack import Template

KEEP_DAYS = 90
AMERICA = "us-east-1"


def account_id(site: Site) -> str:
    """The number of the account that the credentials lead to."""
    found = _client.client(site.account, "sts", site.region).get_caller_identity()
    return str(found["Account"])


def upload(made: Template, site: Site) -> str:
    """Put a template where CloudFormation reads it; its URL. May be called twice."""
    s3 = _client.client(site.account, "s3", made.region)
    bucket = f"cordillera-templates-{account_id(site)}-{made.region}"
    _ensure(bucket, made.region, site)
    key = f"{site.environment}/{made.unit}-{made.digest}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=made.text.encode(), ContentType="application/json")
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def _ensure(bucket: str, region: str, site: Site) -> None:
    s3 = _client.client(site.account, "s3", region)
    with contextlib.suppress(_client.AwsError):
        s3.head_bucket(Bucket=bucket)
        return
    where = {} if region == AMERICA else {"LocationConstraint": region}
    try:
        s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": where} if where else {}))
    except _client.AwsError as e:
        if e.code != "BucketAlreadyOwnedByYou":  # another unit of the same wave was quicker
            raise
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "old",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "Expiration": {"Days": KEEP_DAYS},
                }
            ]
        },
    )

"""The bucket that templates are uploaded to: templates are often larger than what may be sent inline."""

import contextlib
import json

from cordillera.targets.aws import _client
from cordillera.targets.aws._component import Statement
from cordillera.targets.aws._policy import document
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
    bucket = name(site, made.region)
    _ensure(bucket, made.region, site)
    key = f"{site.environment}/{made.unit}-{made.digest}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=made.text.encode(), ContentType="application/json")
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def clear(site: Site) -> None:
    """Delete the templates of an environment that is gone. May be called twice."""
    for region in dict.fromkeys((*site.regions, AMERICA)):
        s3 = _client.client(site.account, "s3", region)
        bucket = name(site, region)
        with contextlib.suppress(_client.AwsError):  # no bucket, no templates
            found = s3.pages(
                "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{site.environment}/"
            )
            keys = [{"Key": one["Key"]} for one in found]
            for first in range(0, len(keys), 1000):
                s3.delete_objects(Bucket=bucket, Delete={"Objects": keys[first : first + 1000]})


def name(site: Site, region: str) -> str:
    """What the bucket of a region is called; one for all environments of the account."""
    return f"cordillera-templates-{account_id(site)}-{region}"


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
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document(_only_tls(bucket))))
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


def _only_tls(bucket: str) -> Statement:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }

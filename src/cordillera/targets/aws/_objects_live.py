"""A bucket as it really is: versions kept, and how far the copy in the other region is behind."""

from cordillera.components.state import Member, ResourceState
from cordillera.targets.aws import _metrics
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._refs import Ref


def state(at: Ref, live: Live) -> ResourceState:
    """The bucket, and its copy. Raises CordilleraError when it is not there."""
    name, site = live.physical(at), live.site
    s3 = live.client("s3")
    versioned = s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled"
    trouble = "" if versioned else "old versions are not kept"
    members = [Member(site.region, "bucket", versioned, detail=trouble)]
    if site.standby_region:
        copy = _copy(name, live, site.standby_region)
        members.append(copy)
        trouble = trouble or copy.detail
    return ResourceState(
        type="objects",
        healthy=not trouble,
        durable=True,  # S3 answers when three zones have it
        endpoint=f"https://{name}.s3.{site.region}.amazonaws.com",
        members=tuple(members),
        detail=trouble,
    )


def _copy(name: str, live: Live, region: str) -> Member:
    try:
        found = live.client("s3").get_bucket_replication(Bucket=name)
        rules = found["ReplicationConfiguration"]["Rules"]
    except AwsError as e:
        if e.code != "ReplicationConfigurationNotFoundError":
            raise
        rules = []
    active = next((rule for rule in rules if rule["Status"] == "Enabled"), None)
    if active is None:
        return Member(region, "copy", False, detail="objects are not copied to the standby region")
    there = str(active["Destination"]["Bucket"]).rsplit(":", 1)[-1]
    dimensions = {
        "SourceBucket": name,
        "DestinationBucket": there,
        "RuleId": str(active.get("ID", "")),
    }
    lag = _metrics.last(live, "AWS/S3", "ReplicationLatency", dimensions, region=region)
    return Member(region, "copy", True, lag_s=lag)

"""Threat detection: GuardDuty in each region, a trail of what is done in the account. Once per account."""

from collections.abc import Iterator
from typing import Any

from troposphere import Sub, cloudtrail, s3

from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _log_bucket
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import Parts, Plain, part
from cordillera.targets.aws._policy import document
from cordillera.targets.aws._refs import Ref, text
from cordillera.targets.aws._registry import units_of
from cordillera.targets.aws._site import ACCOUNT, Site
from cordillera.targets.aws._switches import Switched

OFFER = Offered(
    "GuardDuty and a trail, once per account; no agents in copies; what others set up is left as it is"
)

DETECTOR, TRAIL = "Detector", "Trail"
"""Logical ids, and the switches of the same names."""
BUCKET, POLICY = "TrailBucket", "TrailBucketPolicy"
TRAIL_NAME = "cordillera"
TRAIL_DAYS = 365
FEATURES = ("S3_DATA_EVENTS", "RDS_LOGIN_EVENTS")


class Threats(Component):
    """The same in both regions of an account; switches say which is made where."""

    name = "threats"
    in_standby = False

    def parts(self, want: Wanted, site: Site) -> Parts:
        return [
            part("threats", unit, one)
            for unit in units_of(site)
            for one in (_detector(), *_trail(unit))
        ]

    def switch(self, name: str, unit: str, live: Live) -> Switched | None:
        if name == DETECTOR:
            return _detector_there(unit, live)
        return _trail_there(unit, live) if name == TRAIL else None


def _detector_there(unit: str, live: Live) -> Switched:
    """A region has one detector: ours stays, another's is left alone, else it is made."""
    region, ours = live.site.region_of(unit), live.holds(Ref(unit, DETECTOR))
    found = list(live.client("guardduty", region).list_detectors()["DetectorIds"])
    if not found or ours in found:
        return Switched("yes")
    note = f"GuardDuty is on in {region} already (detector {found[0]}): it is left as it is"
    return Switched("", note)


def _trail_there(unit: str, live: Live) -> Switched:
    """The trail of the environment's own region watches all; the standby region needs none."""
    if live.holds(Ref(unit, TRAIL)):
        return Switched("yes")
    if unit != ACCOUNT:
        return Switched("")
    found = live.client("cloudtrail").describe_trails(includeShadowTrails=True)["trailList"]
    others = [str(t["Name"]) for t in found if t.get("IsMultiRegionTrail")]
    if not others:
        return Switched("yes")
    ours = " of another region's stack" if others[0] == TRAIL_NAME else ""
    note = (
        "" if ours else f"the trail {others[0]} watches this account already: it is left as it is"
    )
    return Switched("", note)


def _detector() -> Plain:
    features = [{"Name": name, "Status": "ENABLED"} for name in FEATURES]
    return Plain(
        "AWS::GuardDuty::Detector",
        DETECTOR,
        {
            "Enable": True,
            "FindingPublishingFrequency": "FIFTEEN_MINUTES",
            "Features": features,
        },
        {"Condition": DETECTOR},
    )


def _trail(unit: str) -> Iterator[Any]:
    bucket = _log_bucket.bucket(BUCKET, keep_days=TRAIL_DAYS)
    bucket.Condition = TRAIL
    yield bucket
    yield s3.BucketPolicy(
        POLICY, Bucket=Ref(unit, BUCKET), PolicyDocument=_writes(unit), Condition=TRAIL
    )
    yield cloudtrail.Trail(
        TRAIL,
        TrailName=TRAIL_NAME,
        S3BucketName=Ref(unit, BUCKET),
        IsLogging=True,
        IsMultiRegionTrail=True,
        IncludeGlobalServiceEvents=True,
        EnableLogFileValidation=True,
        DependsOn=POLICY,
        Condition=TRAIL,
    )


def _writes(unit: str) -> dict[str, Any]:
    arn = Ref(unit, BUCKET).get("Arn")
    ours = "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/" + TRAIL_NAME
    who = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    only = {"aws:SourceArn": Sub(ours)}
    owner = {"s3:x-amz-acl": "bucket-owner-full-control"}
    return document(
        {
            **who,
            "Action": "s3:GetBucketAcl",
            "Resource": arn,
            "Condition": {"StringEquals": only},
        },
        {
            **who,
            "Action": "s3:PutObject",
            "Resource": text(arn, Sub("/AWSLogs/${AWS::AccountId}/*")),
            "Condition": {"StringEquals": {**only, **owner}},
        },
        _log_bucket.only_tls(arn, text(arn, "/*")),
    )

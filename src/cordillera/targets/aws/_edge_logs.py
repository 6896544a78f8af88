"""Who asked CloudFront for what: its access logs, without cookies."""

from collections.abc import Iterator

from troposphere import Sub, logs, s3

from cordillera.targets.aws import _log_bucket
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._policy import document
from cordillera.targets.aws._public import DISTRIBUTION
from cordillera.targets.aws._refs import Ref, text
from cordillera.targets.aws._site import EDGE, Site

BUCKET, POLICY = Ref(EDGE, "EdgeLogs"), "EdgeLogsPolicy"
SOURCE, DESTINATION = Ref(EDGE, "EdgeLogSource"), Ref(EDGE, "EdgeLogDestination")
NAME_LETTERS = 60
FIELDS = (
    "date time x-edge-location c-ip x-forwarded-for cs-method x-host-header cs-uri-stem cs-uri-query "
    "cs(Referer) cs(User-Agent) cs-protocol cs-protocol-version ssl-protocol ssl-cipher cs-bytes "
    "sc-status sc-bytes sc-content-type time-taken time-to-first-byte x-edge-result-type "
    "x-edge-detailed-result-type x-edge-request-id"
)
"""Everything but cookies."""


def parts(site: Site) -> Iterator[AwsPart]:
    """Bucket, and the delivery from the distribution into it."""
    arn = BUCKET.get("Arn")
    yield part("cdn", EDGE, _log_bucket.bucket(BUCKET.id))
    policy = document(_delivery(), _log_bucket.only_tls(arn, text(arn, "/*")))
    yield part("cdn", EDGE, s3.BucketPolicy(POLICY, Bucket=BUCKET, PolicyDocument=policy))
    distribution = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/"
    source = logs.DeliverySource(
        SOURCE.id,
        Name=site.name("edge", limit=NAME_LETTERS),
        LogType="ACCESS_LOGS",
        ResourceArn=text(Sub(distribution), DISTRIBUTION),
    )
    destination = logs.DeliveryDestination(
        DESTINATION.id,
        Name=site.name("edge", limit=NAME_LETTERS),
        DestinationResourceArn=arn,
        OutputFormat="w3c",
    )
    delivery = logs.Delivery(
        "EdgeLogDelivery",
        DeliverySourceName=SOURCE,
        DeliveryDestinationArn=DESTINATION.get("Arn"),
        RecordFields=FIELDS.split(),
        DependsOn=POLICY,
    )
    yield from (part("cdn", EDGE, one) for one in (source, destination, delivery))


def _delivery() -> dict[str, object]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": text(BUCKET.get("Arn"), Sub("/AWSLogs/${AWS::AccountId}/*")),
        "Condition": {"StringEquals": {"aws:SourceAccount": Sub("${AWS::AccountId}")}},
    }

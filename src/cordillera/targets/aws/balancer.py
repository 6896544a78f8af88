"""The balancer: an ALB over all zones; TLS 1.2 or later where there is a domain.

Of three well copies or more, one that answers with more errors than the others gets fewer requests. A slow
one does not: the balancer looks at answers of 500 and above and at connections that fail, not at time.
"""

from collections.abc import Iterator
from typing import Any

from troposphere import Sub, s3
from troposphere import elasticloadbalancingv2 as elb

from cordillera.components.service import HealthSpec, ServiceSpec
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _groups, _log_bucket, network
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._policy import document
from cordillera.targets.aws._public import DISTRIBUTION, behind_edge, public_service
from cordillera.targets.aws._refs import Ref, Text, camel, text
from cordillera.targets.aws._site import FRONT, NETWORK, Site
from cordillera.targets.aws.certificate import certificate

OFFER = Offered(
    "one public service; without a domain HTTPS ends at CloudFront, and an internal one has none"
)

LOAD_BALANCER, LOG_BUCKET = Ref(FRONT, "LoadBalancer"), Ref(FRONT, "AccessLogs")
LOG_POLICY = "AccessLogsPolicy"
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
LOG_DAYS = 90
CHECK_EVERY_S, FAILURES, SUCCESSES = 5, 2, 2
SLOWEST_CHECK_S = 4


def url(want: Wanted) -> Text:
    """The published address."""
    if want.edge.domains:
        return f"https://{want.edge.domains[0]}"
    if behind_edge(want):
        made: Text = text("https://", DISTRIBUTION.get("DomainName"))
        return made
    inside: Text = text("http://", LOAD_BALANCER.get("DNSName"))
    return inside


def target_group(service: str) -> Ref:
    """Where the balancer keeps a service's copies."""
    return Ref(FRONT, camel(service, "target-group"))


class Balancer(Component):
    """Nothing where no service is public."""

    name = "balancer"

    def parts(self, want: Wanted, site: Site) -> Parts:
        name = public_service(want)
        if name is None:
            return ()
        made = [
            _load_balancer(want, site),
            _target_group(name, want.services[name]),
            *_listeners(name, want),
        ]
        return [*_logs(), *(part("balancer", FRONT, one) for one in made)]


def _load_balancer(want: Wanted, site: Site) -> Any:
    kind = "private" if want.network.internal else "public"
    attributes = {
        "access_logs.s3.enabled": "true",
        "access_logs.s3.bucket": LOG_BUCKET,
        "idle_timeout.timeout_seconds": "60",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "routing.http2.enabled": "true",
    }
    return elb.LoadBalancer(
        LOAD_BALANCER.id,
        Scheme="internal" if want.network.internal else "internet-facing",
        Type="application",
        Subnets=network.subnets(kind, site),
        SecurityGroups=[Ref(NETWORK, _groups.BALANCER)],
        LoadBalancerAttributes=[
            elb.LoadBalancerAttributes(Key=key, Value=value) for key, value in attributes.items()
        ],
        DependsOn=LOG_POLICY,  # a balancer tries to write as soon as it is made
    )


def _target_group(name: str, spec: ServiceSpec) -> Any:
    health = spec.health or HealthSpec()
    attributes = {
        "deregistration_delay.timeout_seconds": str(round(spec.stop_grace)),
        "load_balancing.algorithm.type": "weighted_random",
        "load_balancing.algorithm.anomaly_mitigation": "on",
    }
    return elb.TargetGroup(
        target_group(name).id,
        VpcId=network.VPC,
        TargetType="ip",
        Protocol="HTTP",
        Port=spec.port,
        HealthCheckPath=health.path,
        HealthCheckIntervalSeconds=CHECK_EVERY_S,
        HealthCheckTimeoutSeconds=min(SLOWEST_CHECK_S, max(2, round(health.timeout))),
        HealthyThresholdCount=SUCCESSES,
        UnhealthyThresholdCount=FAILURES,
        Matcher=elb.Matcher(HttpCode="200-399"),
        TargetGroupAttributes=[
            elb.TargetGroupAttribute(Key=key, Value=value) for key, value in attributes.items()
        ],
    )


def _listeners(name: str, want: Wanted) -> Iterator[Any]:
    forward = elb.Action(Type="forward", TargetGroupArn=target_group(name))
    issued = certificate(want)
    if issued is None:
        yield _listener("HttpListener", 80, "HTTP", forward)
        return
    to_https = elb.Action(
        Type="redirect",
        RedirectConfig=elb.RedirectConfig(Protocol="HTTPS", Port="443", StatusCode="HTTP_301"),
    )
    yield _listener("HttpListener", 80, "HTTP", to_https)
    yield _listener(
        "HttpsListener",
        443,
        "HTTPS",
        forward,
        SslPolicy=TLS_POLICY,
        Certificates=[elb.Certificate(CertificateArn=issued)],
    )


def _listener(id: str, port: int, protocol: str, action: Any, **more: Any) -> Any:
    return elb.Listener(
        id,
        LoadBalancerArn=LOAD_BALANCER,
        Port=port,
        Protocol=protocol,
        DefaultActions=[action],
        **more,
    )


def _logs() -> Iterator[AwsPart]:
    """The balancer writes with SSE-S3 only, so this bucket has no key of ours."""
    bucket = _log_bucket.bucket(LOG_BUCKET.id, keep_days=LOG_DAYS)
    yield part("balancer", FRONT, bucket)
    yield part("balancer", FRONT, _log_policy())


def _log_policy() -> Any:
    arn = LOG_BUCKET.get("Arn")
    writes = {
        "Effect": "Allow",
        "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": text(arn, Sub("/AWSLogs/${AWS::AccountId}/*")),
    }
    only_tls = _log_bucket.only_tls(arn, text(arn, "/*"))
    return s3.BucketPolicy(LOG_POLICY, Bucket=LOG_BUCKET, PolicyDocument=document(writes, only_tls))

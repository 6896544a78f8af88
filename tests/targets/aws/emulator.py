"""An AWS to apply templates to: ministack, or moto, as a server of our own on a free loopback port.

Neither is AWS. What one lacks is stripped from templates here, type by type, and nowhere else; a type that is
stripped and not in the list, or listed and not lacking, fails a test.
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cordillera.targets.aws import _client, _switches
from cordillera.targets.aws._stack import Template

ROOT = Path(__file__).parents[3]
BINARIES = ROOT / ".emulators/bin"
STARTED_WITHIN_S = 60
ACCOUNT = "111111111111"

LACKS = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::Backup::BackupSelection",
        "AWS::Budgets::Budget",
        "AWS::CloudTrail::Trail",
        "AWS::EC2::EIP",
        "AWS::EC2::FlowLog",
        "AWS::EC2::NatGateway",
        "AWS::ECR::ReplicationConfiguration",
        "AWS::ECR::RepositoryCreationTemplate",
        "AWS::GuardDuty::Detector",
        "AWS::Logs::Delivery",
        "AWS::Logs::DeliveryDestination",
        "AWS::Logs::DeliverySource",
        "AWS::Route53::HealthCheck",
        "AWS::WAFv2::IPSet",
        "AWS::WAFv2::LoggingConfiguration",
        "AWS::WAFv2::WebACLAssociation",
    }
)
"""What ministack refuses to make."""

MOTO_LACKS = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::Backup::BackupPlan",
        "AWS::Backup::BackupSelection",
        "AWS::Backup::BackupVault",
        "AWS::CertificateManager::Certificate",
        "AWS::CloudFront::CachePolicy",
        "AWS::CloudFront::Distribution",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::OriginRequestPolicy",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::CloudTrail::Trail",
        "AWS::CloudWatch::Alarm",
        "AWS::ECR::ReplicationConfiguration",
        "AWS::ECR::RepositoryCreationTemplate",
        "AWS::ElastiCache::ParameterGroup",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::ElastiCache::SubnetGroup",
        "AWS::GuardDuty::Detector",
        "AWS::Logs::Delivery",
        "AWS::Logs::DeliveryDestination",
        "AWS::Logs::DeliverySource",
        "AWS::OpenSearchService::Domain",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBClusterParameterGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SES::ConfigurationSet",
        "AWS::SES::ConfigurationSetEventDestination",
        "AWS::SES::EmailIdentity",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SecretsManager::Secret",
        "AWS::ServiceDiscovery::HttpNamespace",
        "AWS::ServiceDiscovery::PrivateDnsNamespace",
        "AWS::ServiceDiscovery::Service",
        "AWS::WAFv2::IPSet",
        "AWS::WAFv2::LoggingConfiguration",
        "AWS::WAFv2::WebACL",
        "AWS::WAFv2::WebACLAssociation",
    }
)
"""What moto knows nothing of: it passes over it without a word, and whatever refers to it fails.
Its GuardDuty can be asked."""


@contextmanager
def ministack(
    folder: Path,
    *,
    at: tuple[str, int] | None = None,
    enter: Sequence[str] = (),
    **variables: str,
) -> Iterator[str]:
    """Its address, for AWS_ENDPOINT_URL. Ended with the block.

    `at`: where it listens; a free port on loopback by default. `enter`: the words before its command.
    """
    host, port = at or ("127.0.0.1", free_port())
    log = (folder / "ministack.log").open("w")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": host,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "LOG_LEVEL": "WARNING",
        **variables,
    }
    argv = [*enter, str(BINARIES / "python"), "-m", "ministack"]
    server = subprocess.Popen(argv, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _wait(server, f"http://{host}:{port}/_ministack/health", folder / "ministack.log")
        yield f"http://{host}:{port}"
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@contextmanager
def moto(folder: Path) -> Iterator[str]:
    """The other emulator's address. Ended with the block."""
    port = free_port()
    log = (folder / "moto.log").open("w")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
    argv = [str(BINARIES / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(argv, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _wait(server, f"http://127.0.0.1:{port}/moto-api/", folder / "moto.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def refuse_without() -> None:
    """Skip the test where emulators are not installed."""
    if not all((BINARIES / name).exists() for name in ("python", "moto_server")):
        pytest.skip("the emulators are not installed: scripts/setup dev")


@contextmanager
def clients_made_anew() -> Iterator[None]:
    """For the block's credentials: the SDK's sessions and clients hold those that they were made with."""
    made = (_client._session, _client._assumed, _client._made)
    for one in made:
        one.cache_clear()
    try:
        yield
    finally:
        for one in made:
            one.cache_clear()


def credentials(endpoint: str, account: str = ACCOUNT) -> dict[str, str]:
    """What the SDK needs to reach it. The key is the account's number: it keeps accounts apart."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }


def stripped(body: dict[str, Any], lacks: frozenset[str] = LACKS) -> dict[str, Any]:
    """A template without what the emulator lacks, nor what refers to that."""
    resources = {id: _simpler(one) for id, one in body["Resources"].items()}
    gone = {id for id, one in resources.items() if one["Type"] in lacks}
    while True:
        for id in gone:
            resources.pop(id, None)
        more = {id for id, one in resources.items() if _refers(one, gone)}
        if not more:
            break
        gone |= more
    outputs = {k: v for k, v in body.get("Outputs", {}).items() if not _refers(v, gone)}
    made = {**body, "Resources": resources, **({"Outputs": outputs} if outputs else {})}
    used = _switches.used(resources)
    for name in body.get("Conditions", {}):
        if name not in used:
            made["Conditions"] = {k: v for k, v in made["Conditions"].items() if k != name}
            switch = _switches.parameter(name)
            made["Parameters"] = {k: v for k, v in made["Parameters"].items() if k != switch}
    return made


def stripping(made: Callable[..., dict[str, Template]]) -> Callable[..., dict[str, Template]]:
    """What makes templates, and then takes out of them what ministack lacks."""

    def templates(*args: Any) -> dict[str, Template]:
        return {unit: _stripped(one) for unit, one in made(*args).items()}

    return templates


def _stripped(one: Template) -> Template:
    body = stripped(dict(one.body))
    return replace(one, body=body, switches=tuple(_switches.used(body["Resources"])))


def makes() -> frozenset[str]:
    """The types that ministack says it makes."""
    ask = (
        "from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS as r\n"
        "print('\\n'.join(r))"
    )
    argv = [str(BINARIES / "python"), "-c", ask]
    found = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    return frozenset(found.stdout.split())


def _simpler(one: dict[str, Any]) -> dict[str, Any]:
    """ministack has alarms, and none that calculate: the first term stands for all."""
    if one["Type"] != "AWS::CloudWatch::Alarm" or "Metrics" not in one["Properties"]:
        return one
    properties = dict(one["Properties"])
    stat = properties.pop("Metrics")[0]["MetricStat"]
    plain = {**stat["Metric"], "Period": stat["Period"], "Statistic": stat["Stat"]}
    return {**one, "Properties": {**properties, **plain}}


def _refers(value: Any, ids: set[str]) -> bool:
    text = json.dumps(value)
    return any(f'{{"Ref": "{id}"}}' in text or f'["{id}", ' in text for id in ids)


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + STARTED_WITHIN_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise AssertionError(f"the emulator ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the emulator did not start: {log.read_text()[-2000:]}")


if __name__ == "__main__":
    with ministack(Path(sys.argv[1])) as address:
        print(address, flush=True)
        time.sleep(float(sys.argv[2]))

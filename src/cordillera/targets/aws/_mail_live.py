"""Mail as it really is: the SMTP password, the DNS records, what SES lets us send."""

import base64
import hashlib
import hmac
import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from cordillera.components.state import Member, ResourceState
from cordillera.targets.aws import _dns, _mail_records
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._cloudformation import Stacks
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._mail_ids import login, user
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import APP, DATA, RELEASE

DATE, SERVICE, MESSAGE, TERMINAL, VERSION = "11111111", "ses", "SendRawEmail", "aws4_request", 4
USER_TYPE = "AWS::IAM::User"


def password(key: str, region: str) -> str:
    """The SMTP password of a user with that secret access key, for one region. As SES documents it. Pure."""
    signature = f"AWS4{key}".encode()
    for step in (DATE, region, SERVICE, TERMINAL, MESSAGE):
        signature = hmac.new(signature, step.encode(), hashlib.sha256).digest()
    return base64.b64encode(bytes([VERSION]) + signature).decode()


def make_login(resource: str, live: Live) -> None:
    """A key for the user, and out of it the password into the secret. May be called twice.

    The key itself is kept nowhere. One whose password is not in the secret was made by a call that died.
    """
    manager, place = live.client("secretsmanager"), live.physical(login(resource))
    if _has_value(manager, place):
        return
    iam, name = live.client("iam"), live.physical(user(resource))
    _drop_keys(iam, name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    made = password(key["SecretAccessKey"], live.site.region)
    value = {
        "username": key["AccessKeyId"],
        "password": made,
        "password_in_url": quote(made, safe=""),
    }
    manager.put_secret_value(SecretId=place, SecretString=json.dumps(value))


def drop_keys(live: Live, *, keep: Collection[str]) -> None:
    """Keys of users whose logical ids are not in `keep`: a user with one cannot go. May be repeated."""
    stacks = Stacks(live.site)
    if stacks.describe(DATA) is None:
        return
    for id, kind, physical in stacks.resources(DATA):
        if kind == USER_TYPE and physical and id not in keep:
            _drop_keys(live.client("iam"), physical)


def _drop_keys(iam: Any, name: str) -> None:
    try:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    except AwsError as e:
        if e.code != "NoSuchEntity":
            raise


def _has_value(manager: Any, place: str) -> bool:
    try:
        found = manager.get_secret_value(SecretId=place).get("SecretString")
    except AwsError as e:
        if e.code != "ResourceNotFoundException":
            raise
        return False
    return bool(found) and "password_in_url" in found


def write_records(domain: str, live: Live) -> None:
    """Into the account's own DNS zone where it has one. May be called twice."""
    zone = _dns.zone(domain, live)
    if zone:
        wanted = _mail_records.records(domain, _tokens(_identity(domain, live)), live.site.region)
        _dns.write(zone, wanted, live)


def state(domain: str, endpoint: str, live: Live) -> ResourceState:
    """Whether mails leave, and else why not and which records are missing. May raise CordilleraError."""
    found = _identity(domain, live)
    account = live.client("sesv2").get_account()
    trouble = _trouble(domain, found, account, live.site.region)
    limits = "" if account.get("ProductionAccessEnabled", True) else SANDBOX
    return ResourceState(
        type="mail",
        healthy=not trouble,
        durable=True,  # SES answers when it has it in several zones
        endpoint=endpoint,
        members=(Member(live.site.region, "sender", not trouble),),
        detail="; ".join(filter(None, (trouble, limits))),
    )


def relayed(service: str, endpoint: str, live: Live) -> ResourceState:
    """Whether its relays run: a mail that they have waits for no provider. May raise CordilleraError."""
    cluster, name = Ref(RELEASE, "Cluster"), Ref(APP, camel(service, "service"))
    found = live.client("ecs").describe_services(
        cluster=live.physical(cluster), services=[live.physical(name)]
    )["services"]
    running, wanted = (
        sum(int(one[key]) for one in found) for key in ("runningCount", "desiredCount")
    )
    well = 0 < wanted <= running
    return ResourceState(
        type="mail",
        healthy=well,
        durable=True,
        endpoint=endpoint,
        members=(Member(live.site.region, "relay", well, detail=f"{running} of {wanted} run"),),
        detail="" if well else f"{running} of {wanted} relays run",
    )


SANDBOX = (
    "SES is in its sandbox: it sends to verified addresses only, until AWS is asked for production"
)


def _trouble(domain: str, found: Mapping[str, Any], account: Mapping[str, Any], region: str) -> str:
    """What is wrong, in a sentence; empty when nothing is."""
    if not account.get("SendingEnabled", True):
        return "AWS has stopped this account's sending"
    if found.get("VerifiedForSendingStatus") and (
        found.get("DkimAttributes", {}).get("Status", "SUCCESS") == "SUCCESS"
    ):
        return ""
    wanted = _mail_records.records(domain, _tokens(found), region)
    return f"{domain} is not verified: its DNS needs " + ", ".join(map(str, wanted))


def _identity(domain: str, live: Live) -> dict[str, Any]:
    found: dict[str, Any] = live.client("sesv2").get_email_identity(EmailIdentity=domain)
    return found


def _tokens(found: Mapping[str, Any]) -> list[str]:
    return [str(token) for token in found.get("DkimAttributes", {}).get("Tokens", ())]

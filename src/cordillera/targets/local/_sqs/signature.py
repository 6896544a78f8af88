"""Checks requests' signatures: AWS Signature Version 4, as its public description has it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from cordillera.targets.local._sqs.errors import SqsError

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request,\s*"
    r"SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})"
)
MOST_SKEW = timedelta(minutes=15)


def check(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    keys: Mapping[str, str],
    now: datetime,
) -> None:
    """Raises SqsError (403) unless the request was signed by one of `keys` (access key -> secret).

    `headers` have lower-case names.
    """
    found = AUTHORIZATION.match(headers.get("authorization", ""))
    if not found:
        raise _denied("MissingAuthenticationToken", "The request must be signed.")
    access_key, day, region, service, signed, signature = found.groups()
    if access_key not in keys:
        raise _denied(
            "InvalidClientTokenId", "The security token included in the request is invalid."
        )
    stamp = headers.get("x-amz-date", "")
    _refuse_old(stamp, day, now)
    request = canonical(method, path, query, headers, signed.split(";"), body)
    text = "\n".join(
        (
            "AWS4-HMAC-SHA256",
            stamp,
            f"{day}/{region}/{service}/aws4_request",
            _sha256(request.encode()),
        )
    )
    wanted = sign(keys[access_key], day, region, service, text)
    if not hmac.compare_digest(wanted, signature):
        raise _denied(
            "SignatureDoesNotMatch", "The signature does not match the one we calculated."
        )


def canonical(
    method: str, path: str, query: str, headers: Mapping[str, str], signed: list[str], body: bytes
) -> str:
    """The request in the one form that is signed."""
    pairs = sorted(
        (quote(k, safe="-_.~"), quote(v, safe="-_.~"))
        for k, v in parse_qsl(query, keep_blank_values=True)
    )
    lines = [f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed]
    return "\n".join(
        (
            method,
            quote(path or "/", safe="/-_.~"),
            "&".join(f"{k}={v}" for k, v in pairs),
            "".join(lines),
            ";".join(signed),
            headers.get("x-amz-content-sha256") or _sha256(body),
        )
    )


def sign(secret: str, day: str, region: str, service: str, text: str) -> str:
    """The signature of `text` under the key of that day, region and service."""
    key = f"AWS4{secret}".encode()
    for piece in (day, region, service, "aws4_request"):
        key = hmac.new(key, piece.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _refuse_old(stamp: str, day: str, now: datetime) -> None:
    try:
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _denied("IncompleteSignature", "X-Amz-Date is missing or not a date.") from None
    if abs(now - at) > MOST_SKEW or not stamp.startswith(day):
        raise _denied("RequestExpired", "The signature is too old, or a clock is wrong.")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _denied(code: str, message: str) -> SqsError:
    return SqsError(code, message, status=403)

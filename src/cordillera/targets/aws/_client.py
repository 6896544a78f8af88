"""The one place where the SDK is made and its errors become ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from cordillera.core.errors import CordilleraError, NotReady, Refused

if TYPE_CHECKING:
    from cordillera.components.account import AccountSpec

THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "RequestThrottled",
    }
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
UNKNOWN = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "AuthFailure",
    }
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
REGION_OFF = frozenset({"OptInRequired", "InvalidRegionException"})
MAKING = threading.Lock()
CONNECT_S, READ_S, ATTEMPTS = 5, 30, 6
ONCE = ("rds-data",)
ONCE_READ_S = 60
"""Statements are not repeated by the SDK, and are heard of: the Data API gives them up after 45 s."""


def client(account: "AccountSpec", service: str, region: str) -> Any:
    """A client whose errors are ours already; made once per account, service and region."""
    with MAKING:  # the SDK's sessions are not made for threads, its clients are
        made = _made(_key(account), service, region)
    return Translated(made, account)


class Translated:
    """A client whose calls raise CordilleraError, Refused or NotReady."""

    def __init__(self, made: Any, account: "AccountSpec") -> None:
        self._made, self._account = made, account

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._made, name)
        if not callable(found) or name in ("get_waiter",):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            with translated(self._account):
                return found(*args, **kwargs)

        return call

    def pages(self, verb: str, key: str, **arguments: Any) -> Iterator[Any]:
        """Every item under `key` of all pages of a call."""
        with translated(self._account):
            for page in self._made.get_paginator(verb).paginate(**arguments):
                yield from page.get(key, ())


class AwsError(CordilleraError):
    """What AWS answered, kept with its code for those who know what to do about it."""

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


@contextmanager
def translated(account: "AccountSpec") -> Iterator[None]:
    """The SDK's exceptions as ours, `from` the original."""
    from botocore import exceptions as sdk

    try:
        yield
    except sdk.ClientError as e:
        raise _answered(e, account) from e
    except (sdk.NoCredentialsError, sdk.PartialCredentialsError) as e:
        raise CordilleraError("there are no AWS credentials", hint=_log_in(account)) from e
    except (sdk.TokenRetrievalError, sdk.SSOTokenLoadError, sdk.UnauthorizedSSOTokenError) as e:
        raise CordilleraError("the AWS login has expired", hint=_log_in(account)) from e
    except sdk.ProfileNotFound as e:
        raise CordilleraError(
            f"there is no AWS profile called {account.profile}",
            hint=f"aws configure --profile {account.profile}",
        ) from e
    except (sdk.ConnectionError, sdk.HTTPClientError) as e:
        raise NotReady(f"AWS gave no answer: {e}", hint="look at the network, then repeat") from e
    except sdk.BotoCoreError as e:
        raise CordilleraError(f"the AWS SDK refused: {e}") from e


def _answered(error: Any, account: "AccountSpec") -> CordilleraError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    said = str(error.response.get("Error", {}).get("Message", "")) or code
    verb = error.operation_name
    if code in THROTTLED:
        return NotReady(f"AWS asks us to slow down ({verb})", hint="repeat in a minute")
    if code in EXPIRED:
        return CordilleraError("the AWS login has expired", hint=_log_in(account))
    if code in UNKNOWN:
        return CordilleraError("AWS does not know these credentials", hint=_log_in(account))
    if code in REGION_OFF:
        return Refused(
            f"this region is not enabled in the account ({verb}: {said})",
            hint="enable it under Account > AWS Regions in the console, or choose another region",
        )
    if code in DENIED:
        return AwsError(
            f"the credentials may not do this: {said}",
            code=code,
            hint="give them the policy that `cordillera aws policy` prints",
        )
    return AwsError(f"AWS refused {verb}: {said} ({code})", code=code)


def _log_in(account: "AccountSpec") -> str:
    profile = f" --profile {account.profile}" if account.profile else ""
    return f"aws sso login{profile}   (or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret)"


def _key(account: "AccountSpec") -> tuple[str, str, str]:
    return account.profile or "", account.role or "", account.external_id or ""


@cache
def _session(profile: str) -> Any:
    """A session with the credentials of a profile, or of the environment."""
    import boto3

    return boto3.Session(profile_name=profile or None)


@cache
def _assumed(key: tuple[str, str, str], region: str) -> Any:
    """A session in a role that is taken on, and again before it expires. Each region's own STS is asked:
    none needs another, and those that an account has to enable take no credentials but their own."""
    import boto3
    from botocore.credentials import (
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )

    profile, role, external_id = key
    session = _session(profile)
    inner = session._session
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(inner.create_client, region_name=region),
        source_credentials=session.get_credentials(),
        role_arn=role,
        extra_args={
            "RoleSessionName": "cordillera",
            **({"ExternalId": external_id} if external_id else {}),
        },
    )
    from botocore.session import get_session

    assumed = get_session()
    assumed._credentials = DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.Session(botocore_session=assumed)


@cache
def _made(key: tuple[str, str, str], service: str, region: str) -> Any:
    from botocore.config import Config

    from cordillera.components.account import AccountSpec

    once = service in ONCE
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=ONCE_READ_S if once else READ_S,
        retries={"mode": "adaptive", "total_max_attempts": 1 if once else ATTEMPTS},
    )
    with translated(AccountSpec(profile=key[0] or None)):
        session = _assumed(key, region) if key[1] else _session(key[0])
        return session.client(service, region_name=region, config=config)

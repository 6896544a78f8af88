"""Into a customer's account: its role is taken on, with its external id, and anew before it expires."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from cordillera.components.account import AccountSpec
from cordillera.core.errors import CordilleraError
from cordillera.targets.aws import _client
from tests.targets.aws import emulator

ROLE, EXTERNAL_ID = "arn:aws:iam::222222222222:role/cordillera", "acme-7f3a"
STOPS_WITHIN_S = 0.01
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
TAKEN = """<AssumeRoleResponse xmlns="{namespace}"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIA{number:016}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>token</SessionToken><Expiration>{until}</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
REFUSED = """<ErrorResponse xmlns="{namespace}"><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>User is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>"""
WHO = """<GetCallerIdentityResponse xmlns="{namespace}"><GetCallerIdentityResult>
<Arn>arn:aws:sts::222222222222:assumed-role/cordillera/cordillera</Arn><UserId>x</UserId>
<Account>222222222222</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


class Sts:
    """A stand-in for STS: one role, which wants its external id. Its credentials last `lasts`."""

    def __init__(self, lasts: timedelta) -> None:
        self.taken = 0
        self._lasts = lasts

    def answer(self, asked: dict[str, str], authorization: str) -> tuple[int, str]:
        if asked["Action"] == "GetCallerIdentity":
            ours = f"Credential=ASIA{self.taken:016}/" in authorization
            return (200, WHO) if ours else (403, REFUSED)
        assert asked["Action"] == "AssumeRole" and asked["RoleSessionName"]
        if (asked["RoleArn"], asked.get("ExternalId")) != (ROLE, EXTERNAL_ID):
            return 403, REFUSED
        self.taken += 1
        until = (datetime.now(UTC) + self._lasts).strftime("%Y-%m-%dT%H:%M:%SZ")
        return 200, TAKEN.replace("{number:016}", f"{self.taken:016}").replace("{until}", until)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        sts = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                asked = {name: values[0] for name, values in parse_qs(text).items()}
                status, body = sts.answer(asked, self.headers["Authorization"])
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.end_headers()
                self.wfile.write(body.replace("{namespace}", NAMESPACE).encode())

            def log_message(self, *_: object) -> None: ...

        return Handler


@pytest.fixture(params=[timedelta(hours=1)])
def sts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    made = Sts(request.param)
    server = ThreadingHTTPServer(("127.0.0.1", 0), made.handler())
    Thread(target=server.serve_forever, args=(STOPS_WITHIN_S,), daemon=True).start()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "AKIAOURS",
        "AWS_SECRET_ACCESS_KEY": "ours",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):  # the manifest names it
        monkeypatch.delenv(name, raising=False)
    with emulator.clients_made_anew():
        yield made
    server.shutdown()
    server.server_close()


def who(external_id: str | None) -> str:
    account = AccountSpec(role=ROLE, external_id=external_id)
    return str(_client.client(account, "sts", "us-east-1").get_caller_identity()["Account"])


def test_the_role_is_taken_on_once_with_its_external_id(sts: Sts) -> None:
    assert who(EXTERNAL_ID) == "222222222222"
    assert who(EXTERNAL_ID) == "222222222222"
    assert sts.taken == 1


@pytest.mark.parametrize("external_id", [None, "another"])
def test_without_it_the_role_is_refused_in_a_sentence(sts: Sts, external_id: str | None) -> None:
    with pytest.raises(CordilleraError, match="may not do this"):
        who(external_id)


@pytest.mark.parametrize("sts", [timedelta(minutes=1)], indirect=True)
def test_it_is_taken_on_again_before_it_expires(sts: Sts) -> None:
    assert who(EXTERNAL_ID) == "222222222222"
    assert who(EXTERNAL_ID) == "222222222222"
    assert sts.taken == 2

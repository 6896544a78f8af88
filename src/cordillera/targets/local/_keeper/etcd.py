"""etcd over its JSON gateway (API v3), any of its members, with a certificate on both sides."""

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cordillera.core.errors import NotReady

ANSWER_WITHIN_S = 1.0

Dial = Callable[[str, int, float], socket.socket]


class Silent(NotReady):
    """No member that has a majority behind it answered in time."""


@dataclass(frozen=True)
class Entry:
    """A key's value, the lease it hangs on (0: none), and the revisions at which it was made and changed."""

    value: str
    lease: int
    created: int
    changed: int


@dataclass(frozen=True)
class Lead:
    """The member that answered, and the one that leads (0: none), by their numbers."""

    member: int
    leader: int


class Etcd:
    """A client that goes on with the next member when one is silent. Not for more than one thread."""

    def __init__(self, members: Sequence[tuple[str, int]], pem: Path, dial: Dial) -> None:
        """`pem` holds certificate and key; the authority lies beside it. Raises OSError without them."""
        self._members = list(members)
        self._context = ssl.create_default_context(cafile=f"{pem}.ca")
        self._context.load_cert_chain(pem)
        self._dial = dial
        self._link: http.client.HTTPConnection | None = None

    def read(self, *keys: str) -> tuple[Entry | None, ...]:
        """The keys as they are at one moment, agreed on by a majority. Raises Silent."""
        answer = self._ask(
            "kv/txn", {"success": [{"requestRange": {"key": _code(key)}} for key in keys]}
        )
        return tuple(
            _entry(one["response_range"].get("kvs", [])) for one in answer.get("responses", [])
        )

    def change(self, conditions: Sequence[Mapping[str, Any]], *changes: Mapping[str, Any]) -> bool:
        """Apply `changes` if every condition holds; whether they were applied. Raises Silent."""
        answer = self._ask("kv/txn", {"compare": list(conditions), "success": list(changes)})
        return bool(answer.get("succeeded"))

    def grant(self, seconds: int) -> int:
        """A new lease's number. Raises Silent."""
        return int(self._ask("lease/grant", {"TTL": str(seconds)})["ID"])

    def keep(self, lease: int) -> float:
        """Renew a lease; the seconds it holds from now on, 0 when it is over. Raises Silent."""
        answer = self._ask("lease/keepalive", {"ID": str(lease)})
        return float(answer.get("result", {}).get("TTL", 0))

    def lead(self) -> "Lead":
        """Who answers and who leads. Raises Silent."""
        answer = self._ask("maintenance/status", {})
        return Lead(int(answer["header"]["member_id"]), int(answer.get("leader", 0)))

    def hand_over(self, member: int) -> None:
        """Have another member lead; only the leader can. Raises Silent."""
        self._ask("maintenance/transfer-leadership", {"targetID": str(member)})

    def _ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One member's answer; those that are silent go to the end of the list."""
        why: Exception | None = None
        for _ in self._members:
            try:
                return self._once(path, body)
            except (OSError, http.client.HTTPException, ValueError) as e:
                why = e
                self.close()
                self._members.append(self._members.pop(0))
        raise Silent(f"the votes do not answer ({why})")

    def _once(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        link = self._link = self._link or self._connect()
        link.request("POST", f"/v3/{path}", json.dumps(body))
        answer = link.getresponse()
        text = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise OSError(f"HTTP {answer.status}: {text[:200].decode(errors='replace')}")
        found: dict[str, Any] = json.loads(text)
        return found

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._members[0]
        plain = self._dial(host, port, ANSWER_WITHIN_S)
        link = http.client.HTTPConnection(host, port)
        try:
            plain.settimeout(ANSWER_WITHIN_S)
            plain.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
            )  # else each answer takes 40 ms
            link.sock = self._context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
        return link

    def close(self) -> None:
        """Let the connection go. May be called twice."""
        if self._link is not None:
            with suppress(OSError):
                self._link.close()
        self._link = None


def put(key: str, value: str, lease: int = 0) -> dict[str, Any]:
    """A change: the key gets a value, which goes with the lease."""
    return {"requestPut": {"key": _code(key), "value": _code(value), "lease": str(lease)}}


def delete(key: str) -> dict[str, Any]:
    """A change: the key goes."""
    return {"requestDeleteRange": {"key": _code(key)}}


def absent(key: str) -> dict[str, Any]:
    """A condition: nobody has the key."""
    return {"target": "CREATE", "result": "EQUAL", "key": _code(key), "createRevision": "0"}


def on_lease(key: str, lease: int) -> dict[str, Any]:
    """A condition: the key hangs on that lease."""
    return {"target": "LEASE", "result": "EQUAL", "key": _code(key), "lease": str(lease)}


def unchanged(key: str, revision: int) -> dict[str, Any]:
    """A condition: nobody changed the key since; 0 is that nobody made it."""
    return {"target": "MOD", "result": "EQUAL", "key": _code(key), "modRevision": str(revision)}


def plain_dial(host: str, port: int, timeout_s: float) -> socket.socket:
    """A connection from where we are."""
    return socket.create_connection((host, port), timeout=timeout_s)


def _code(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _entry(rows: Sequence[Mapping[str, str]]) -> Entry | None:
    if not rows:
        return None
    row = rows[0]
    return Entry(
        base64.b64decode(row.get("value", "")).decode(),
        int(row.get("lease", 0)),
        int(row.get("create_revision", 0)),
        int(row.get("mod_revision", 0)),
    )

"""The HTTP side of the queue: protocols, signatures, long polling. It keeps nothing itself."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pymysql
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cordillera.targets.local._sqs import actions, query_protocol, signature
from cordillera.targets.local._sqs.errors import SqsError
from cordillera.targets.local._sqs.store import Store

FIRST_LOOK_S, LONGEST_LOOK_S = 0.05, 0.5
SWEEP_EVERY_S = 60.0
JSON_TYPE = "application/x-amz-json-1.0"


class Front:
    """Answers requests out of a store. `keys`: access key -> secret."""

    def __init__(self, store: Store, keys: Mapping[str, str]) -> None:
        self._store, self._keys = store, keys
        self._arrived: dict[str, asyncio.Event] = {}

    async def answer(self, request: Request) -> Response:
        """One request, of either protocol."""
        body, headers = await request.body(), dict(request.headers)
        number = str(uuid.uuid4())
        target = headers.get("x-amz-target", "")
        try:
            signature.check(
                request.method,
                request.url.path,
                request.url.query,
                headers,
                body,
                keys=self._keys,
                now=datetime.now(UTC),
            )
            verb, asked = _read(target, body)
            base = f"http://{headers.get('host', 'localhost')}"
            answer = await self._do(verb, asked, base, request)
        except SqsError as e:
            return _refusal(e, number, json_asked=bool(target))
        except (pymysql.Error, OSError) as e:
            error = SqsError(
                "InternalFailure", f"The queue's database did not answer: {e}", status=500
            )
            return _refusal(error, number, json_asked=bool(target))
        if target:
            return _json(answer, 200, number)
        return Response(query_protocol.write(verb, answer, number), media_type="text/xml")

    async def health(self, request: Request) -> Response:
        """200 while the database answers."""
        well = await to_thread.run_sync(self._store.alive)
        return Response("ok\n" if well else "no database\n", 200 if well else 503)

    async def sweep(self) -> None:
        """Once a minute: forget what is older than its queue keeps it."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            with suppress(pymysql.Error, OSError):
                for queue in await to_thread.run_sync(self._store.queues):
                    await to_thread.run_sync(self._store.sweep, queue)

    async def _do(
        self, verb: str, asked: dict[str, Any], base: str, request: Request
    ) -> dict[str, Any]:
        if verb == "ReceiveMessage":
            return await self._receive(asked, request)
        if verb not in actions.VERBS:
            raise SqsError("InvalidAction", f"The action {verb} is not valid for this endpoint.")
        answer = await to_thread.run_sync(partial(actions.VERBS[verb], self._store, asked, base))
        if verb.startswith(("SendMessage", "ChangeMessage", "StartMessage")):
            self._tell(asked)
        return answer

    async def _receive(self, asked: dict[str, Any], request: Request) -> dict[str, Any]:
        """Look, and look again until something is there, the time is up or the receiver has gone."""
        queue = await to_thread.run_sync(actions.queue_of, self._store, asked)
        until = time.monotonic() + actions.wait_s(queue, asked)
        pause_s = FIRST_LOOK_S
        while not await request.is_disconnected():
            arrived = self._arrived.setdefault(queue.name, asyncio.Event())
            arrived.clear()
            found = await to_thread.run_sync(actions.receive, self._store, queue, asked)
            left_s = until - time.monotonic()
            if found and await request.is_disconnected():
                await to_thread.run_sync(actions.give_back, self._store, queue, found)
                break
            if found or left_s <= 0:
                return {"Messages": found} if found else {}
            with suppress(TimeoutError):
                await asyncio.wait_for(arrived.wait(), min(pause_s, left_s))
            pause_s = min(pause_s * 2, LONGEST_LOOK_S)
        return {}

    def _tell(self, asked: Mapping[str, Any]) -> None:
        """Wake those who wait at this front; at another front they look within half a second."""
        name = str(asked.get("QueueUrl") or "").rpartition("/")[2]
        if name in self._arrived:
            self._arrived[name].set()


def application(store: Store, keys: Mapping[str, str]) -> Starlette:
    """The ASGI application."""
    front = Front(store, keys)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(front.sweep())
        yield
        sweeping.cancel()

    routes = [
        Route("/health", front.health, methods=["GET"]),
        Route("/{path:path}", front.answer, methods=["GET", "POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def _read(target: str, body: bytes) -> tuple[str, dict[str, Any]]:
    if not target:
        return query_protocol.read(body)
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        raise SqsError("SerializationException", "The body is not JSON.") from None
    if not isinstance(asked, dict):
        raise SqsError("SerializationException", "The body is not a JSON object.")
    return target.partition(".")[2], asked


def _json(answer: Mapping[str, Any], status: int, number: str) -> Response:
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, {"x-amzn-RequestId": number}, JSON_TYPE)


def _refusal(error: SqsError, number: str, *, json_asked: bool) -> Response:
    if not json_asked:
        return Response(
            query_protocol.write_error(error, number), error.status, media_type="text/xml"
        )
    fault = "Receiver" if error.status >= 500 else "Sender"
    answer = _json(
        {"__type": f"com.amazonaws.sqs#{error.code}", "message": str(error)}, error.status, number
    )
    answer.headers["x-amzn-query-error"] = f"{error.query_code};{fault}"
    return answer

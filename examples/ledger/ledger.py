"""An app for rehearsals. It keeps entries, each in one of four resources, and acknowledges only what is kept.

    POST /rehearsal/KIND/KEY   keep it: 201 when it is safe
    GET  /rehearsal/KIND/KEY   200 with the key, 404
    GET  /rehearsal/KIND?run=R all keys of that kind that begin with R, one a line; each was read back
    GET  /healthz, GET /       without asking any resource

KIND is database, cache, objects or queue. Reads and writes wait up to 20 s for a resource that fails over.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pymysql
import redis
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PATIENCE_S, AGAIN_AFTER_S = 20.0, 0.1
TROUBLE = (pymysql.Error, redis.RedisError, BotoCoreError, ClientError, OSError)
BUCKET, QUEUE = os.environ["UPLOADS_BUCKET"], os.environ["JOBS_QUEUE_URL"]
SCHEMA = "CREATE TABLE IF NOT EXISTS entries (id VARCHAR(64) PRIMARY KEY)"

local = threading.local()
quick = Config(retries={"max_attempts": 0}, connect_timeout=1, read_timeout=4)
session = boto3.session.Session()
s3, sqs = session.client("s3", config=quick), session.client("sqs", config=quick)
cache = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=3, socket_connect_timeout=1)


def patiently(work: Callable[[], Any]) -> Any:
    """Do it again until it is done; every work here may be done twice. Raises the last trouble."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return work()
        except TROUBLE:
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN_AFTER_S)


def rows(statement: str, *values: str, url: str = os.environ["DATABASE_URL"]) -> list[str]:
    """Run a statement on this thread's connection to that endpoint."""
    links = local.__dict__.setdefault("links", {})
    try:
        link = links.get(url) or links.setdefault(url, connect(url))
        with link.cursor() as cursor:
            cursor.execute(statement, values)
            return [str(row[0]) for row in cursor.fetchall()]
    except BaseException:
        if url in links:
            links.pop(url).close()
        raise


def connect(url: str) -> Any:
    at = urlsplit(url)
    return pymysql.connect(
        host=at.hostname, port=at.port, user=at.username, password=at.password,
        database=at.path[1:], autocommit=True, connect_timeout=2, read_timeout=6, ssl_disabled=True,
    )  # fmt: skip


def keep(kind: str, key: str) -> None:
    if kind == "database":
        rows("INSERT IGNORE INTO entries VALUES (%s)", key)
    elif kind == "cache":
        cache.set(key, key)
    elif kind == "objects":
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    else:
        sqs.send_message(QueueUrl=QUEUE, MessageBody=key)


def found(kind: str, key: str) -> bool:
    if kind == "database":
        near = "SELECT id FROM entries WHERE id = %s"
        return bool(rows(near, key, url=os.environ["DB_READER_URL"]) or rows(near, key))
    if kind == "cache":
        return cache.get(key) is not None
    try:
        return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() == key
    except s3.exceptions.NoSuchKey:
        return False


def everything(kind: str, run: str) -> Iterable[str]:
    if kind == "database":
        return rows("SELECT id FROM entries WHERE id LIKE %s", f"{run}%")
    if kind == "cache":
        return [key.decode() for key in cache.scan_iter(f"{run}*", count=1000)]
    if kind == "objects":
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=run)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        with ThreadPoolExecutor(max_workers=8) as pool:  # a name that is listed may have no body
            whole = pool.map(lambda key: found("objects", key), keys)
            return [key for key, yes in zip(keys, whole, strict=True) if yes]
    return drained(run)


def drained(run: str) -> Iterable[str]:
    """Every message of the queue, which is empty afterwards."""
    keys: set[str] = set()
    while True:
        batch = sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10).get("Messages", [])
        if not batch:
            return keys
        keys |= {m["Body"] for m in batch if m["Body"].startswith(run)}
        entries = [{"Id": m["MessageId"], "ReceiptHandle": m["ReceiptHandle"]} for m in batch]
        sqs.delete_message_batch(QueueUrl=QUEUE, Entries=entries)


def answer(method: str, path: str, query: str) -> tuple[str, str]:
    words = path.strip("/").split("/")
    if words == ["healthz"] or words == [""]:
        return "200 OK", f"{os.environ['CORDILLERA_ZONE']}\n"
    if words[0] != "rehearsal" or words[1:2] not in [
        ["database"],
        ["cache"],
        ["objects"],
        ["queue"],
    ]:
        return "404 Not Found", "nothing here\n"
    kind = words[1]
    if len(words) == 2:
        run = parse_qs(query).get("run", ["-"])[0]
        return "200 OK", "".join(f"{key}\n" for key in patiently(lambda: everything(kind, run)))
    if method == "POST":
        patiently(lambda: keep(kind, words[2]))
        return "201 Created", "kept\n"
    return (
        ("200 OK", words[2]) if patiently(lambda: found(kind, words[2])) else ("404 Not Found", "")
    )


def application(request: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
    """WSGI."""
    try:
        status, text = answer(
            request["REQUEST_METHOD"], request["PATH_INFO"], request["QUERY_STRING"]
        )
    except TROUBLE as e:
        status, text = "503 Service Unavailable", f"{type(e).__name__}\n"
    body = text.encode()
    start(
        status,
        [
            ("Content-Type", "text/plain"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ],
    )
    return [body]


patiently(lambda: rows(SCHEMA))

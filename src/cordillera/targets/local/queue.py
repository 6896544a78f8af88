"""Queues on one machine: fronts that speak SQS in each zone, messages in the environment's database."""

import http.client
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from cordillera import __version__
from cordillera.components.base import variable_prefix
from cordillera.components.queue import QueueSpec
from cordillera.components.state import Member, ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import NotReady
from cordillera.targets.local import _mariadb_ask, _mariadb_config, _net
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import Endpoint, LocalPart, Parts, Process, Ready, Task, part
from cordillera.targets.local._site import Site, Zone

OFFER = Offered()

PORT, ENDPOINT_PORT = 9324, 9325
SCHEMA = "cordillera_queue"
ACCOUNT, REGION = "000000000000", "us-east-1"
QUEUE_PART = "queue-"
HEALTH = "/health"
COUNTED_WITHIN_S = 2.0
LONG_POLL = (
    "mode http",
    "option abortonclose",
    "timeout server 60s",
    "timeout client 60s",
    "balance leastconn",
)

WAITING = f"""
    SELECT q.name, COUNT(m.id) AS kept, COALESCE(SUM(m.receipt IS NOT NULL AND m.visible_at >
    UNIX_TIMESTAMP(NOW(3)) * 1000), 0) AS flying FROM {SCHEMA}.queues q
    LEFT JOIN {SCHEMA}.messages m ON m.queue = q.id GROUP BY q.name
"""


class Queue(Component):
    """One front per zone for all queues of an environment."""

    name = "queue"

    def parts(self, want: Wanted, site: Site) -> Parts:
        names = [name for name, _ in want.of_type("queue")]
        if not names:
            return ()
        fronts = [_front(want, site, zone) for zone in site.zones]
        return (*fronts, *(_queue(want, site, name) for name in names))

    def endpoints(self, want: Wanted, site: Site) -> Sequence[Endpoint]:
        if not any(want.of_type("queue")):
            return ()

        def servers(zone: Zone) -> Sequence[tuple[str, str, int]]:
            return [(z.name, z.private, PORT) for z in (zone, *site.others(zone))]

        return (
            Endpoint("queue", ENDPOINT_PORT, servers, (f"option httpchk GET {HEALTH}",), LONG_POLL),
        )

    def fields(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        name = queue_name(want, resource)
        return {
            "url": f"http://{zone.private}:{ENDPOINT_PORT}/{ACCOUNT}/{name}",
            "name": name, "host": zone.private, "port": str(ENDPOINT_PORT),
        }  # fmt: skip

    def variables(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        url = self.fields(want, site, resource, zone)["url"]
        return {
            f"{variable_prefix(resource)}_QUEUE_URL": url,
            "AWS_ENDPOINT_URL_SQS": f"http://{zone.private}:{ENDPOINT_PORT}",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "${secret:aws/access-key}",
            "AWS_SECRET_ACCESS_KEY": "${secret:aws/secret-key}",
        }

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        if not self.holds(task, site):
            raise NotReady(f"queue {task.args['queue']} is not there yet")

    def holds(self, task: Task, site: Site) -> bool:
        return task.args["queue"] in _counts(site, _mariadb_ask.survey(site))

    def removed(self, name: str, site: Site) -> None:
        if name.startswith(QUEUE_PART):
            _drop(site, name.removeprefix(QUEUE_PART))

    def observe(self, want: Wanted, site: Site) -> Mapping[str, ResourceState]:
        members = tuple(_net.at_once(site.zones, lambda zone: _member(site, zone)))
        silent = [m.zone for m in members if not m.healthy]
        servers = _mariadb_ask.survey(site)
        counts = {} if silent else _counts(site, servers)
        copies = not _mariadb_ask.unreplicated(servers)
        found = {}
        for name, _ in want.of_type("queue"):
            queue = queue_name(want, name)
            trouble = _net.no_answer(silent)
            if queue not in counts:
                trouble = trouble or "it is not there, or its database does not answer"
            found[name] = ResourceState(
                type="queue",
                healthy=not trouble,
                durable=copies,
                endpoint=f"{site.zones[0].private}:{ENDPOINT_PORT}/{queue}",
                members=members,
                detail=trouble or _told(queue, counts),
            )
        return found


def queue_name(want: Wanted, resource: str) -> str:
    """The queue's name as SDKs see it."""
    spec = want.resources[resource]
    return f"{resource}.fifo" if isinstance(spec, QueueSpec) and spec.fifo else resource


def dead_name(queue: str) -> str:
    """Where its dead letters go."""
    plain = queue.removesuffix(".fifo")
    return f"{plain}-dead" + (".fifo" if plain != queue else "")


def attributes(queue: str, spec: QueueSpec) -> dict[str, str]:
    """The manifest's words as SQS's attributes."""
    made = {
        "VisibilityTimeout": f"{spec.visibility_timeout:.0f}",
        "DelaySeconds": f"{spec.delay:.0f}",
        "MessageRetentionPeriod": f"{spec.retention:.0f}",
    }
    if spec.fifo:
        made["FifoQueue"] = "true"
    if spec.dead_letter:
        target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{dead_name(queue)}"
        policy = {"deadLetterTargetArn": target, "maxReceiveCount": spec.dead_letter.after}
        made["RedrivePolicy"] = json.dumps(policy)
    return made


def _declared(want: Wanted) -> Iterator[tuple[str, dict[str, str]]]:
    """Every queue with its attributes, dead-letter queues first."""
    for name, spec in want.of_type("queue"):
        if isinstance(spec, QueueSpec):
            queue = queue_name(want, name)
            if spec.dead_letter:
                yield dead_name(queue), {"FifoQueue": "true"} if spec.fifo else {}
            yield queue, attributes(queue, spec)


def _front(want: Wanted, site: Site, zone: Zone) -> LocalPart:
    settings = {
        "version": __version__,
        "host": "{private}",
        "port": PORT,
        "database": {
            "host": "{private}", "port": _mariadb_config.WRITER_PORT,
            "user": SCHEMA, "name": SCHEMA, "password": "${secret:queue/db}",
        },
        "keys": {"${secret:aws/access-key}": "${secret:aws/secret-key}"},
        "queues": dict(_declared(want)),
    }  # fmt: skip
    body = Process(
        argv=(sys.executable, "-I", "-m", "cordillera.targets.local._sqs", "{run}/queue.json"),
        zone=zone.name,
        user="queue",
        files={"queue.json": json.dumps(settings, indent=1)},
        ready=Ready("http", port=PORT, path=HEALTH, within_s=60.0),
        stop_grace_s=5.0,
    )
    return part("queue", f"front@{zone.name}", f"queue/{zone.name}", body, site.vault.digest)


def _queue(want: Wanted, site: Site, resource: str) -> LocalPart:
    queue = queue_name(want, resource)
    task = Task("queue", {"queue": queue})
    return part(
        "queue", QUEUE_PART + queue, "queue/setup", task, site.vault.digest, holds_data=True
    )


def _counts(site: Site, servers: Sequence[_mariadb_ask.Server]) -> dict[str, tuple[int, int]]:
    """Queue -> (messages kept, of these in flight); empty while the database does not answer."""
    import pymysql

    for server in servers:
        if server.writable:
            with (
                suppress(pymysql.Error, OSError),
                _mariadb_ask.session(
                    site, site.zone(server.zone), timeout_s=COUNTED_WITHIN_S
                ) as cursor,
            ):
                cursor.execute(WAITING)
                return {r["name"]: (int(r["kept"]), int(r["flying"])) for r in cursor.fetchall()}
    return {}


def _drop(site: Site, queue: str) -> None:
    """Delete a queue, its messages and its dead letters."""
    for server in _mariadb_ask.survey(site):
        if not server.writable:
            continue
        with _mariadb_ask.session(site, site.zone(server.zone)) as cursor:
            names = (queue, dead_name(queue))
            cursor.execute(
                f"DELETE q, m FROM {SCHEMA}.queues q LEFT JOIN {SCHEMA}.messages m ON m.queue = q.id "
                "WHERE q.name IN (%s, %s)",
                names,
            )


def _member(site: Site, zone: Zone) -> Member:
    try:
        status, _ = _net.http_get(site, zone, PORT, HEALTH)
    except (OSError, http.client.HTTPException) as e:
        return Member(zone.name, "front", healthy=False, detail=f"no answer ({e})")
    detail = "" if status < 400 else "its database does not answer"
    return Member(zone.name, "front", healthy=not detail, detail=detail)


def _told(queue: str, counts: Mapping[str, tuple[int, int]]) -> str:
    kept, flying = counts[queue]
    dead = counts.get(dead_name(queue), (0, 0))[0]
    words = [f"{kept - flying} waiting", f"{flying} in flight"]
    return ", ".join([*words, f"{dead} dead"] if dead_name(queue) in counts else words)

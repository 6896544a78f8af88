"""The cache on one machine: a Redis master, its replica, and Sentinels in three failure domains."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cordillera.components.base import variable_prefix
from cordillera.components.cache import CacheSpec
from cordillera.components.state import ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _cache_ask as asking
from cordillera.targets.local import _cache_config as config
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import (
    Endpoint,
    LocalPart,
    Parts,
    Process,
    Ready,
    Task,
    part,
)
from cordillera.targets.local._site import Site, Zone

OFFER = Offered(
    "the last second of writes can go with the master's zone; what `WAIT` confirmed is kept"
)

WATCHED = "sentinels-"


@dataclass(frozen=True)
class _Cache:
    """One cache with its ports: its servers', and the one that applications see."""

    name: str
    spec: CacheSpec
    port: int

    @property
    def endpoint_port(self) -> int:
        return self.port + 1


class Cache(Component):
    """Every cache resource is a pair of servers; all of them share the three Sentinels."""

    name = "cache"

    def parts(self, want: Wanted, site: Site) -> Parts:
        caches = list(_caches(want))
        if not caches:
            return ()
        servers = [_server(site, zone, cache) for cache in caches for zone in site.zones]
        sentinels = [_sentinel(site, zone) for zone in site.domains]
        return (*servers, *sentinels, *(_watched(site, cache) for cache in caches))

    def endpoints(self, want: Wanted, site: Site) -> Sequence[Endpoint]:
        return [_endpoint(site, cache) for cache in _caches(want)]

    def fields(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        port = next(c.endpoint_port for c in _caches(want) if c.name == resource)
        password = f"${{secret:cache/{resource}}}"
        return {
            "host": zone.private, "port": str(port), "username": "default", "password": password,
            "name": "0", "url": f"redis://:{password}@{zone.private}:{port}/0",
        }  # fmt: skip

    def variables(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        url = self.fields(want, site, resource, zone)["url"]
        found = {f"{variable_prefix(resource)}_URL": url}
        if resource == next(_caches(want)).name:
            found["REDIS_URL"] = url
        return found

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        asking.watch(site, task.args["cache"], int(task.args["port"]))

    def holds(self, task: Task, site: Site) -> bool:
        return asking.watched(site, task.args["cache"], int(task.args["port"]))

    def removed(self, name: str, site: Site) -> None:
        if name.startswith(WATCHED):
            asking.forget(site, name.removeprefix(WATCHED))

    def observe(self, want: Wanted, site: Site) -> Mapping[str, ResourceState]:
        return {cache.name: _observed(site, cache) for cache in _caches(want)}

    def behind(self, want: Wanted, site: Site) -> Mapping[str, tuple[float, str]]:
        found = [s for cache in _caches(want) for s in asking.survey(site, cache.name)]
        return {s.zone: (s.sync_left_bytes / 2**20, "MB") for s in found if s.sync_left_bytes > 0}

    def writers(self, site: Site, cache: str) -> Mapping[str, bool | None]:
        """Which zones' servers take writes; None is silent, which is not the same as fenced."""
        found = asking.survey(site, cache)
        return {s.zone: s.role == "master" if s.role else None for s in found}


def _caches(want: Wanted) -> Iterator[_Cache]:
    for index, (name, spec) in enumerate(want.of_type("cache")):
        if isinstance(spec, CacheSpec):
            yield _Cache(name, spec, config.FIRST_PORT + config.PORT_STEP * index)


def _server(site: Site, zone: Zone, cache: _Cache) -> LocalPart:
    folder = config.server_folder(cache.name)
    plan = f"{folder}/start.json"
    body = Process(
        argv=("redis-server", config.live(folder)),
        zone=zone.name,
        user="cache",
        guest="database",
        guest_writes=True,  # the keeper notes there whom it follows
        files={
            f"{folder}/base.conf": config.server(site, cache.name, cache.port, cache.spec),
            plan: config.server_plan(site, cache.name, cache.port),
        },
        prepare=(tuple(config.prepare(plan)),),
        data=config.server_data(cache.name),
        ready=Ready(kind="tcp", port=cache.port),
    )
    name = f"redis-{cache.name}@{zone.name}"
    return part("cache", name, f"cache/{zone.name}", body, site.vault.digest, holds_data=True)


def _sentinel(site: Site, zone: Zone) -> LocalPart:
    plan = f"{config.SENTINEL_FOLDER}/start.json"
    body = Process(
        argv=("redis-sentinel", config.live(config.SENTINEL_FOLDER)),
        zone=zone.name,
        user="cache",
        guest="database",
        files={
            f"{config.SENTINEL_FOLDER}/base.conf": config.sentinel(),
            plan: config.sentinel_plan(),
        },
        prepare=(tuple(config.prepare(plan)),),
        data=config.SENTINEL_DATA,
        ready=Ready(kind="tcp", port=config.SENTINEL_PORT),
    )
    return part("cache", f"sentinel@{zone.name}", f"cache/{zone.name}", body, site.vault.digest)


def _watched(site: Site, cache: _Cache) -> LocalPart:
    watched = (f"${{secret:cache-admin/{cache.name}}}", "${secret:cache/sentinel}")
    task = Task("watch", {"cache": cache.name, "port": str(cache.port)}, watched=watched)
    return part("cache", WATCHED + cache.name, "cache/setup", task, site.vault.digest)


def _endpoint(site: Site, cache: _Cache) -> Endpoint:
    def servers(zone: Zone) -> Sequence[tuple[str, str, int]]:
        return [(z.name, z.private, cache.port) for z in (zone, *site.others(zone))]

    name = f"cache-{cache.name}"
    return Endpoint(name, cache.endpoint_port, servers, config.check(cache.name))


def _limits(spec: CacheSpec) -> str:
    """What a healthy cache does not promise. Pure."""
    if spec.durable:
        return "kept is what `WAIT 1` confirmed"
    if spec.evict:
        return "what was unused longest is dropped when it is full"
    return "the last second of writes can go with the master's zone"


def _observed(site: Site, cache: _Cache) -> ResourceState:
    servers = asking.survey(site, cache.name)
    votes = asking.votes(site, cache.name)
    trouble = asking.trouble(servers, votes, cache.port)
    return ResourceState(
        type="cache",
        healthy=not trouble,
        durable=cache.spec.durable and asking.replicated(servers),
        endpoint=f"{site.zones[0].private}:{cache.endpoint_port}",
        members=asking.members(servers, votes),
        detail=trouble or _limits(cache.spec),
    )

"""Caches: ElastiCache for Valkey, a primary and a replica in another zone that takes over by itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from troposphere import elasticache

from cordillera.components.base import variable_prefix
from cordillera.components.cache import CacheSpec
from cordillera.components.state import Member, ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import ManifestError, NotReady, Refused
from cordillera.targets.aws import _groups, _keys, _metrics, _passwords, network
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._refs import Ref, Value, camel, joined
from cordillera.targets.aws._site import DATA, Site

OFFER = Offered(
    "Valkey 8 on ElastiCache, with TLS; the last writes can go with the primary's zone, and `durable` "
    "is refused; never run against the real service"
)

PORT = 6379
FAMILY, VERSION = "valkey8", "8.0"
SERVERS = 2
USABLE = 0.75
"""ElastiCache keeps a quarter for itself, for copies to replicas and to disk."""
GIB = 2**30
NODES: tuple[tuple[str, float], ...] = (
    ("cache.t4g.micro", 0.5),
    ("cache.t4g.small", 1.37),
    ("cache.t4g.medium", 3.09),
    ("cache.m7g.large", 6.38),
    ("cache.r7g.large", 13.07),
    ("cache.r7g.xlarge", 26.32),
    ("cache.r7g.2xlarge", 52.82),
    ("cache.r7g.4xlarge", 105.81),
    ("cache.r7g.8xlarge", 209.55),
    ("cache.r7g.16xlarge", 419.09),
)
"""Kinds of server and their memory in GiB."""
SNAPSHOT_DAYS = 1


def node(name: str, spec: CacheSpec) -> str:
    """The smallest server that holds as much. Raises Refused beyond the largest."""
    for kind, gib in NODES:
        if gib * GIB * USABLE >= spec.memory:
            return kind
    most = int(NODES[-1][1] * USABLE)
    raise Refused(
        f"the cache {name} asks for {spec.memory // GIB} G, and a server holds {most} G",
        hint="divide it into several caches",
    )


def refuse_durable(name: str, spec: CacheSpec) -> None:
    """Raise ManifestError for a cache that must keep what was confirmed: ElastiCache does not promise it."""
    if spec.durable:
        raise ManifestError(
            f"the cache {name} is to be durable, and no cache on aws is: ElastiCache's replica follows "
            "and may be behind when it takes over",
            hint="keep what must not be lost in a database, and leave `durable` out for aws",
        )


def group(resource: str) -> Ref:
    """The replication group of a cache."""
    return Ref(DATA, camel(resource, "replication-group"))


class Cache(Component):
    """A replication group per cache resource, in the isolated subnets."""

    name = "cache"
    in_standby = False

    def parts(self, want: Wanted, site: Site) -> Parts:
        return [one for name, spec in caches(want) for one in _parts(name, spec, site)]

    def fields(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        host, password = (
            group(resource).get("PrimaryEndPoint.Address"),
            _passwords.of(resource, _secret(resource)),
        )
        return {
            "host": host,
            "port": str(PORT),
            "username": "default",
            "password": password,
            "name": "0",
            "url": joined("rediss://:", password, "@", host, f":{PORT}/0"),
        }

    def variables(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        url = self.fields(want, site, resource)["url"]
        found = {f"{variable_prefix(resource)}_URL": url}
        if resource == next(name for name, _ in caches(want)):
            found["REDIS_URL"] = url
        return found

    def observe(self, want: Wanted, live: Live) -> Mapping[str, ResourceState]:
        return {name: _state(name, live) for name, _ in caches(want)}


def caches(want: Wanted) -> Iterator[tuple[str, CacheSpec]]:
    """The environment's caches, in the manifest's order."""
    for name, spec in want.of_type("cache"):
        if isinstance(spec, CacheSpec):
            yield name, spec


def _secret(name: str) -> Ref:
    return Ref(DATA, camel(name, "cache-password"))


def _parts(name: str, spec: CacheSpec, site: Site) -> Iterator[AwsPart]:
    what = f"The password of the cache {name} of {site.environment}"
    refuse_durable(name, spec)
    yield _passwords.secret("cache", _secret(name), what, "default")
    subnets = elasticache.SubnetGroup(
        camel(name, "cache-subnets"),
        Description=f"{site.environment}: {name}",
        SubnetIds=network.subnets("isolated", site),
    )
    parameters = elasticache.ParameterGroup(
        camel(name, "cache-parameters"),
        CacheParameterGroupFamily=FAMILY,
        Description=f"Cache {name}",
        Properties={"maxmemory-policy": "allkeys-lru" if spec.evict else "noeviction"},
    )
    yield part("cache", DATA, subnets)
    yield part("cache", DATA, parameters)
    yield part("cache", DATA, _group(name, spec, site), holds_data=not spec.evict)


def _group(name: str, spec: CacheSpec, site: Site) -> Any:
    more: dict[str, Any] = {}
    if not spec.evict:  # sessions and counters: what nobody can work out again
        more = {
            "SnapshotRetentionLimit": SNAPSHOT_DAYS,
            "DeletionPolicy": "Snapshot",
            "UpdateReplacePolicy": "Snapshot",
        }
    return elasticache.ReplicationGroup(
        group(name).id,
        ReplicationGroupDescription=f"{site.environment}: {name}",
        Engine="valkey",
        EngineVersion=VERSION,
        CacheNodeType=node(name, spec),
        NumCacheClusters=SERVERS,
        MultiAZEnabled=True,
        AutomaticFailoverEnabled=True,
        Port=PORT,
        CacheParameterGroupName=Ref(DATA, camel(name, "cache-parameters")),
        CacheSubnetGroupName=Ref(DATA, camel(name, "cache-subnets")),
        SecurityGroupIds=[_groups.of_resource(name).get("GroupId")],
        TransitEncryptionEnabled=True,
        AtRestEncryptionEnabled=True,
        KmsKeyId=_keys.KEY,
        AuthToken=_passwords.resolved(_secret(name)),
        AutoMinorVersionUpgrade=True,
        **more,
    )


def _state(name: str, live: Live) -> ResourceState:
    physical = live.physical(group(name))
    found = live.client("elasticache").describe_replication_groups(ReplicationGroupId=physical)
    if not found["ReplicationGroups"]:
        raise NotReady(f"the cache {name} is not there yet")
    one = found["ReplicationGroups"][0]
    shards = one.get("NodeGroups") or [{}]
    members = tuple(_member(m, live) for m in shards[0].get("NodeGroupMembers", ()))
    trouble = _trouble(one, members)
    endpoint = shards[0].get("PrimaryEndpoint") or one.get("ConfigurationEndpoint") or {}
    return ResourceState(
        type="cache",
        healthy=not trouble,
        durable=False,  # a replica follows; it does not confirm
        endpoint=f"{endpoint.get('Address', '')}:{endpoint.get('Port', PORT)}",
        members=members,
        detail=trouble,
    )


def _member(member: Mapping[str, Any], live: Live) -> Member:
    role, cluster = str(member.get("CurrentRole", "")), str(member.get("CacheClusterId", ""))
    lag = None
    if role == "replica":
        lag = _metrics.last(live, "AWS/ElastiCache", "ReplicationLag", {"CacheClusterId": cluster})
    zone = str(member.get("PreferredAvailabilityZone", ""))
    return Member(zone, role or "unknown", healthy=bool(role), lag_s=lag)


def _trouble(found: Mapping[str, Any], members: tuple[Member, ...]) -> str:
    """What is wrong, in a sentence; empty when nothing is."""
    if found.get("Status") != "available":
        return f"the cache is {found.get('Status')}"
    if found.get("AutomaticFailover") != "enabled":
        return "no replica would take over by itself"
    if sum(m.role == "primary" for m in members) != 1:
        return "there is not one primary"
    if len({m.zone for m in members}) < SERVERS:
        return "no replica in a second zone"
    return ""

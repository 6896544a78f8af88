"""Search on one machine: an OpenSearch-compatible server in memory, with a snapshot kept on disk."""

import http.client
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cordillera.components.base import variable_prefix
from cordillera.components.search import SearchSpec
from cordillera.components.state import Member, ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _net, _search_keeper, programs
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import Endpoint, LocalPart, Parts, Process, Ready, part
from cordillera.targets.local._site import Site, Zone

OFFER = Offered("in memory: not durable, not highly available")

FIRST_PORT, PORT_STEP = 9200, 10
SNAPSHOT_EVERY_S = 5
USER = "app"
LIMITS = "in memory, in one zone; reloads its snapshot after a restart"


@dataclass(frozen=True)
class _Search:
    """One search resource with its server's port."""

    name: str
    spec: SearchSpec
    port: int

    @property
    def endpoint_port(self) -> int:
        return self.port + 1


class Search(Component):
    """A server and its keeper per resource, in the first zone; every zone's endpoint leads there."""

    name = "search"

    def parts(self, want: Wanted, site: Site) -> Parts:
        made = ((_server(site, one), _keeper(site, one)) for one in _searches(want))
        return tuple(p for pair in made for p in pair)

    def endpoints(self, want: Wanted, site: Site) -> Sequence[Endpoint]:
        return [_endpoint(site, one) for one in _searches(want)]

    def fields(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        port = next(s.endpoint_port for s in _searches(want) if s.name == resource)
        password = f"${{secret:search/{resource}}}"
        return {
            "host": zone.private, "port": str(port), "username": USER, "password": password,
            "url": f"https://{USER}:{password}@{zone.private}:{port}",
        }  # fmt: skip

    def variables(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        url = self.fields(want, site, resource, zone)["url"]
        found = {f"{variable_prefix(resource)}_URL": url}
        if resource == next(_searches(want)).name:
            found["OPENSEARCH_URL"] = url
        return found

    def observe(self, want: Wanted, site: Site) -> Mapping[str, ResourceState]:
        return {one.name: _observed(site, one) for one in _searches(want)}


def _searches(want: Wanted) -> Iterator[_Search]:
    for index, (name, spec) in enumerate(want.of_type("search")):
        if isinstance(spec, SearchSpec):
            yield _Search(name, spec, FIRST_PORT + PORT_STEP * index)


def _server(site: Site, one: _Search) -> LocalPart:
    zone = site.zones[0]
    body = Process(
        argv=(
            programs.path("osmem-server"), "-addr", f"{{private}}:{one.port}",
            "-no-ja", "-no-stdin-watch",
        ),
        zone=zone.name,
        user="search",
        memory_bytes=one.spec.memory,
        variables={"GOMEMLIMIT": str(one.spec.memory * 9 // 10)},
        ready=Ready("tcp", port=one.port),
    )  # fmt: skip
    name = f"server-{one.name}@{zone.name}"
    return part("search", name, f"search/{zone.name}", body, site.vault.digest)


def _keeper(site: Site, one: _Search) -> LocalPart:
    zone = site.zones[0]
    body = Process(
        argv=(
            sys.executable, "-I", "-S", _search_keeper.__file__, f"{{private}}:{one.port}",
            "{data}/snapshot.ndjson", str(SNAPSHOT_EVERY_S),
        ),
        zone=zone.name,
        user="search",
        data=f"search-{one.name}",
        ready=Ready("http", port=one.port, path=f"/{_search_keeper.READY}", within_s=120.0),
    )  # fmt: skip
    name = f"keeper-{one.name}@{zone.name}"
    return part("search", name, f"search/{zone.name}", body, site.vault.digest, holds_data=True)


def _endpoint(site: Site, one: _Search) -> Endpoint:
    server = (site.zones[0].name, site.zones[0].private, one.port)
    who = f"{{ http_auth_user -m str {USER} }} {{ http_auth_pass -m str ${{secret:search/{one.name}}} }}"
    return Endpoint(
        f"search-{one.name}",
        one.endpoint_port,
        lambda _: [server],
        check=(f"option httpchk GET /{_search_keeper.READY}",),
        options=("mode http", f"http-request auth realm search unless {who}"),
        tls=True,
    )


def _observed(site: Site, one: _Search) -> ResourceState:
    zone = site.zones[0]
    trouble = _trouble(site, zone, one.port)
    return ResourceState(
        type="search",
        healthy=not trouble,
        durable=False,
        endpoint=f"{zone.private}:{one.endpoint_port}",
        members=(Member(zone.name, "server", healthy=not trouble, detail=_snapshot(zone, one)),),
        detail=trouble or LIMITS,
    )


def _trouble(site: Site, zone: Zone, port: int) -> str:
    try:
        status, _ = _net.http_get(site, zone, port, f"/{_search_keeper.READY}")
        _, health = _net.http_get(site, zone, port, "/_cluster/health")
        word = json.loads(health)["status"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as e:
        return f"no answer ({e})"
    if status >= 400:
        return "loading its snapshot"
    return "its indexes are red" if word == "red" else ""


def _snapshot(zone: Zone, one: _Search) -> str:
    path = Path(zone.state / f"search-{one.name}" / "snapshot.ndjson")
    return f"snapshot of {path.stat().st_size / 2**20:.1f} MB" if path.exists() else "no snapshot"

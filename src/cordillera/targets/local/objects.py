"""Objects on one machine: SeaweedFS behind an S3 gateway in each zone, a copy of everything in both."""

import json
from collections.abc import Mapping, Sequence

from cordillera.components.base import variable_prefix
from cordillera.components.objects import ObjectsSpec
from cordillera.components.protocol import Progress
from cordillera.components.state import ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.local import _etcd, _keepers, _weed
from cordillera.targets.local import _objects_ask as asking
from cordillera.targets.local import _objects_shell as shell
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import Endpoint, LocalPart, Parts, Process, Ready, Task, part
from cordillera.targets.local._site import Site, Zone

OFFER = Offered()

REGION = "us-east-1"
BUCKET_PART = "bucket-"
SPARE_PLAN = "objects-spare.json"
STOP_GRACE_S = 2.0
"""Masters, filers and gateways hold nothing that is not synced; asked to end they idle for ten seconds."""


class Objects(Component):
    """One store per environment; each `objects` resource is a bucket in it."""

    name = "objects"

    def parts(self, want: Wanted, site: Site) -> Parts:
        names = [name for name, _ in want.of_type("objects")]
        if not names:
            return ()
        masters = [_master(site, zone) for zone in site.domains]
        store = [p for zone in site.zones for p in _store(want, site, zone)]
        return (*masters, _lead(site), *store, *(_bucket(want, site, name) for name in names))

    def endpoints(self, want: Wanted, site: Site) -> Sequence[Endpoint]:
        if not any(want.of_type("objects")):
            return ()

        def servers(zone: Zone) -> Sequence[tuple[str, str, int]]:
            return [(z.name, z.private, _weed.S3_PORT) for z in (zone, *site.others(zone))]

        check = (f"option httpchk GET {_weed.HEALTH}",)
        return (Endpoint("objects", _weed.ENDPOINT_PORT, servers, check),)

    def fields(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        return {
            "bucket": bucket_of(want, resource),
            "endpoint": f"http://{zone.private}:{_weed.ENDPOINT_PORT}",
            "host": zone.private,
            "port": str(_weed.ENDPOINT_PORT),
            "access_key": "${secret:aws/access-key}",
            "secret_key": "${secret:aws/secret-key}",
        }

    def variables(self, want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
        fields = self.fields(want, site, resource, zone)
        return {
            f"{variable_prefix(resource)}_BUCKET": fields["bucket"],
            "AWS_ENDPOINT_URL_S3": fields["endpoint"],
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": fields["access_key"],
            "AWS_SECRET_ACCESS_KEY": fields["secret_key"],
        }

    def ready(self, part: LocalPart, site: Site) -> Progress:
        """A gateway is up when it answers and the masters know every volume again."""
        trouble = asking.gate_trouble(site, site.zone(part.name.removeprefix("s3@")))
        return Progress(done=not trouble, detail=trouble)

    def perform(self, task: Task, site: Site, want: Wanted) -> None:
        if task.verb == "lead":
            shell.have_the_witness_lead(site)
        else:
            shell.make_bucket(site, task.args["bucket"])

    def holds(self, task: Task, site: Site) -> bool:
        """Who leads later is the keepers' affair."""
        return task.verb == "lead" or task.args["bucket"] in shell.buckets(site)

    def removed(self, name: str, site: Site) -> None:
        if name.startswith(BUCKET_PART):
            shell.drop_bucket(site, name.removeprefix(BUCKET_PART))

    def observe(self, want: Wanted, site: Site) -> Mapping[str, ResourceState]:
        buckets = [bucket_of(want, name) for name, _ in want.of_type("objects")]
        if not buckets:
            return {}
        members, trouble = asking.survey(site, buckets[0])
        return {
            name: ResourceState(
                type="objects",
                healthy=not trouble,
                durable=not trouble,
                endpoint=f"{site.zones[0].private}:{_weed.ENDPOINT_PORT}/{bucket_of(want, name)}",
                members=members,
                detail=trouble,
            )
            for name, _ in want.of_type("objects")
        }

    def behind(self, want: Wanted, site: Site) -> Mapping[str, tuple[float, str]]:
        if not any(want.of_type("objects")):
            return {}
        missing = asking.missing_bytes(site)
        return {zone: (size / 2**20, "MB of second copies") for zone, size in missing.items()}


def bucket_of(want: Wanted, resource: str) -> str:
    """The bucket of a resource; S3 wants at least three letters."""
    return f"{want.app}-{resource}"


def public_prefixes(want: Wanted) -> dict[str, list[str]]:
    """Bucket -> prefixes that anybody may read."""
    return {
        bucket_of(want, name): spec.public
        for name, spec in want.of_type("objects")
        if isinstance(spec, ObjectsSpec) and spec.public
    }


def _store(want: Wanted, site: Site, zone: Zone) -> Parts:
    """Begun once a master leads: a volume server that finds no leader idles for five seconds."""
    spares = [_spare(site, zone, other) for other in site.others(zone)][:1]
    return _volume(site, zone), *spares, _filer(site, zone), _gateway(want, site, zone)


def _server(
    name: str, unit: str, body: Process, site: Site, *, holds_data: bool = False
) -> LocalPart:
    return part("objects", name, unit, body, site.vault.digest, holds_data=holds_data)


def _master(site: Site, zone: Zone) -> LocalPart:
    body = Process(
        argv=tuple(_weed.master(site)),
        zone=zone.name,
        user="objects",
        guest="database",
        guest_writes=True,  # the keeper notes there that it has met a leader
        folder="{run}/objects-master",
        files={
            "objects-master/master.toml": _weed.MASTER_TOML,
            "objects-master/security.toml": _weed.SECURITY_TOML,
        },
        variables=_weed.MASTER_VARIABLES,
        prepare=(tuple(_weed.master_prepare(site, zone)),),
        data=_weed.MASTER_DATA,
        ready=Ready("tcp", port=_weed.MASTER_PORT),
        stop_grace_s=STOP_GRACE_S,
    )
    return _server(f"master@{zone.name}", f"objects-masters/{zone.name}", body, site)


def _volume(site: Site, zone: Zone) -> LocalPart:
    body = Process(
        argv=tuple(_weed.volume(zone)),
        zone=zone.name,
        user="objects",
        folder="{run}/objects-volume",
        files={"objects-volume/security.toml": _weed.SECURITY_TOML},
        variables=_weed.VARIABLES,
        prepare=(tuple(_weed.volume_prepare(site, zone)),),
        data=_weed.VOLUME_DATA,
        ready=Ready("tcp", port=_weed.VOLUME_PORT),
    )
    return _server(f"volume@{zone.name}", f"objects/{zone.name}", body, site, holds_data=True)


def _spare(site: Site, zone: Zone, other: Zone) -> LocalPart:
    """What it holds lies in the zone's own server too: nothing of it need be kept."""
    body = Process(
        argv=tuple(_weed.spare(zone)),
        zone=zone.name,
        user="objects",
        folder="{run}/objects-spare",
        files={
            "objects-spare/security.toml": _weed.SECURITY_TOML,
            SPARE_PLAN: json.dumps(_keepers.votes_plan(site, zone), indent=1),
            **_etcd.files(),
        },
        variables=_weed.VARIABLES,
        prepare=(tuple(_weed.spare_prepare(site, zone, f"{{run}}/{SPARE_PLAN}")),),
        data=_weed.SPARE_DATA,
        spare_for=other.name,
    )
    return _server(spare_of(zone), f"objects/{zone.name}", body, site)


def spare_of(zone: Zone) -> str:
    """The name of the volume server that stands in for the other zone's."""
    return f"spare@{zone.name}"


def _filer(site: Site, zone: Zone) -> LocalPart:
    body = Process(
        argv=tuple(_weed.filer(site, zone)),
        zone=zone.name,
        user="objects",
        folder="{run}/objects-filer",
        files={
            "objects-filer/filer.toml": _weed.FILER_TOML,
            "objects-filer/security.toml": _weed.SECURITY_TOML,
        },
        variables=_weed.VARIABLES,
        ready=Ready("tcp", port=_weed.FILER_PORT, within_s=60.0),
        stop_grace_s=STOP_GRACE_S,
    )
    return _server(f"filer@{zone.name}", f"objects/{zone.name}", body, site)


def _gateway(want: Wanted, site: Site, zone: Zone) -> LocalPart:
    body = Process(
        argv=tuple(_weed.gateway(zone)),
        zone=zone.name,
        user="objects",
        folder="{run}/objects-s3",
        files={
            "objects-s3.json": _weed.identities(public_prefixes(want)),
            "objects-s3/security.toml": _weed.SECURITY_TOML,
        },
        variables={**_weed.VARIABLES, "WEED_S3_SSE_KEY": "${secret:objects/encryption}"},
        ready=Ready("driver", within_s=60.0),
        stop_grace_s=STOP_GRACE_S,
    )
    return _server(f"s3@{zone.name}", f"objects/{zone.name}", body, site)


def _lead(site: Site) -> LocalPart:
    """Before anything is stored a change of the leading master costs nothing."""
    return part("objects", "lead", "objects-masters/lead", Task("lead"), site.vault.digest)


def _bucket(want: Wanted, site: Site, resource: str) -> LocalPart:
    bucket = bucket_of(want, resource)
    task = Task("bucket", {"bucket": bucket})
    name = BUCKET_PART + bucket
    return part("objects", name, "objects/setup", task, site.vault.digest, holds_data=True)

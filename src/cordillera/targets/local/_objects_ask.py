"""Asking SeaweedFS: its shell for buckets, its master for where copies lie."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cordillera.components.state import Member
from cordillera.core import process
from cordillera.core.errors import CordilleraError, NotReady
from cordillera.targets.local import _net, _votes_ask, _weed
from cordillera.targets.local._keeper.etcd import Entry
from cordillera.targets.local._keeper.leadership import STATUS, transfer
from cordillera.targets.local._keeper.stores import COPIES
from cordillera.targets.local._site import Site, Zone

SHELL_TIMEOUT_S = 20.0
ASSIGN = f"/dir/assign?replication={_weed.REPLICATION}&collection="
"""Asks the leading master for a place for an object of a bucket; nothing is written there."""
TRIED = (OSError, http.client.HTTPException, ValueError)


def shell(site: Site, *commands: str) -> str:
    """What `weed shell` answers. Raises NotReady while no master answers it."""
    zone = site.zones[0]
    within = (
        ["nsenter", f"--net={_net.NETNS_FOLDER / site.netns(zone, 'private')}"]
        if site.namespaced
        else []
    )
    argv = [*within, weed(), "shell", f"-master={_weed.masters(site)}"]
    text = "\n".join([*commands, "exit"]) + "\n"
    try:
        return process.run(argv, stdin=text, timeout_s=SHELL_TIMEOUT_S, cwd=Path("/"))
    except CordilleraError as e:
        raise NotReady(f"the object store does not answer yet ({e})") from e


def weed() -> str:
    """The program, which lies beside our Python."""
    from cordillera.targets.local import programs

    return programs.path("weed")


def buckets(site: Site) -> list[str]:
    """Names of the buckets that exist; none while the store does not answer."""
    try:
        lines = shell(site, "s3.bucket.list").splitlines()
    except NotReady:
        return []
    return [line.split()[0] for line in lines if line.startswith(" ") and line.split()]


def make_bucket(site: Site, bucket: str) -> None:
    """Make a bucket whose objects get two copies. May be called twice. Raises NotReady."""
    if bucket in buckets(site):
        return
    answer = shell(
        site,
        f"fs.configure -locationPrefix=/buckets/ -replication={_weed.REPLICATION} -apply",
        f"s3.bucket.create -name {bucket}",
    )
    if bucket not in buckets(site):
        raise NotReady(f"bucket {bucket} could not be made: {process.last_line(answer)}")


def have_the_witness_lead(site: Site) -> None:
    """Hand the masters' lead to the one in the witness. May be called twice. Raises NotReady."""
    leader = _leader(site)
    if leader is not None and leader.votes_only:
        return
    answer = shell(site, transfer((site.witness.private, _weed.MASTER_PORT)))
    leader = _leader(site)
    if leader is None or not leader.votes_only:
        raise NotReady(f"the witness's master does not lead yet: {process.last_line(answer)}")


def _leader(site: Site) -> Zone | None:
    """The failure domain whose master leads; None while none does."""
    for zone in site.domains:
        with suppress(*TRIED):
            status, text = _net.http_get(site, zone, _weed.MASTER_PORT, STATUS)
            if status < 400 and json.loads(text).get("IsLeader"):
                return zone
    return None


def drop_bucket(site: Site, bucket: str) -> None:
    """Delete a bucket and all that is in it. Nothing to do when the store is gone already."""
    if bucket in buckets(site):
        shell(site, "lock", f"s3.bucket.delete -name {bucket}", "unlock")


def survey(site: Site, bucket: str) -> tuple[tuple[Member, ...], str]:
    """Each zone's servers, and one sentence of what is wrong. `bucket` is one that exists."""
    members = tuple(_gate(site, zone) for zone in site.zones)
    silent = [m.zone for m in members if not m.healthy]
    if silent:
        return members, f"no answer in zone {' and '.join(silent)}"
    few = too_few(_votes_ask.asked(site, lambda client: client.read(COPIES)))
    if few:
        return members, few
    held = held_volumes(site)
    lonely = alone(held, len(site.zones))
    if lonely:
        return members, f"{len(lonely)} of {len(held)} volumes have one copy only"
    return members, _unknown(site, held) or _unwritable(site, bucket)


def too_few(copies: Sequence[Entry | None] | None) -> str:
    """What is wrong with how many copies the votes ask for; empty when it is two. Pure."""
    if copies is None:
        return "no majority of the votes answers"
    wanted = copies[0].value if copies[0] else "two"
    return {
        "two": "", "one": "new objects get one copy only", "filling": "second copies are being made"
    }[wanted]  # fmt: skip


def gate_trouble(site: Site, zone: Zone) -> str:
    """Why a zone's gateway cannot be used yet; empty when it can."""
    member = _gate(site, zone)
    return _unknown(site, held_volumes(site)) if member.healthy else member.detail


def alone(layout: Mapping[int, set[str]], zones: int) -> list[int]:
    """Volumes that do not lie in every zone."""
    return [number for number, places in layout.items() if len(places) < zones]


def held_volumes(site: Site) -> dict[int, set[str]]:
    """Volume -> zones whose servers hold it, as these say themselves."""
    layout: dict[int, set[str]] = {}
    for zone in site.zones:
        for number in _volumes(site, zone):
            layout.setdefault(number, set()).add(zone.name)
    return layout


def missing_bytes(site: Site) -> dict[str, int]:
    """Zone -> bytes of objects that lie elsewhere only; zones that lack nothing are left out."""
    held = {zone.name: _volumes(site, zone) for zone in site.zones}
    sizes = {number: size for volumes in held.values() for number, size in volumes.items()}
    lacking = {
        zone: sum(size for number, size in sizes.items() if number not in volumes)
        for zone, volumes in held.items()
    }
    return {zone: size for zone, size in lacking.items() if size}


def _volumes(site: Site, zone: Zone) -> dict[int, int]:
    """Volume -> its bytes, as a zone's server says; none while it does not."""
    try:
        _, text = _net.http_get(site, zone, _weed.VOLUME_PORT, "/status")
        return {v["Id"]: int(v.get("Size", 0)) for v in json.loads(text).get("Volumes") or ()}
    except TRIED:
        return {}


def known_volumes(site: Site) -> dict[int, set[str]] | None:
    """Volume -> zones, as the leading master has it; None while no master leads."""
    leader = _leader(site)
    if leader is None:
        return None
    try:
        _, text = _net.http_get(site, leader, _weed.MASTER_PORT, "/vol/status")
    except TRIED:
        return None
    layout: dict[int, set[str]] = {}
    for number, place in _copies(json.loads(text)):
        layout.setdefault(number, set()).add(place)
    return layout


def _unknown(site: Site, held: Mapping[int, set[str]]) -> str:
    known = known_volumes(site)
    if known is None:
        return "no master leads: nothing can be written"
    missing = [number for number, places in held.items() if not places <= known.get(number, set())]
    return f"the masters do not know {len(missing)} volumes yet" if missing else ""


def _unwritable(site: Site, bucket: str) -> str:
    """Why the leading master gives out no place for an object; empty when it does."""
    leader = _leader(site)
    if leader is None:
        return "no master leads: nothing can be written"
    try:
        status, text = _net.http_get(site, leader, _weed.MASTER_PORT, ASSIGN + bucket)
    except TRIED as e:
        return f"the leading master does not answer ({e})"
    why = json.loads(text).get("error", "") if status >= 400 else ""
    return f"nothing can be written yet: {why or f'HTTP {status}'}" if status >= 400 else ""


def _gate(site: Site, zone: Zone) -> Member:
    try:
        status, _ = _net.http_get(site, zone, _weed.S3_PORT, _weed.HEALTH)
        volume, _ = _net.http_get(site, zone, _weed.VOLUME_PORT, "/healthz")
    except TRIED as e:
        return Member(zone.name, "store", healthy=False, detail=f"no answer ({e})")
    healthy = status < 400 and volume < 400
    return Member(zone.name, "store", healthy, detail="" if healthy else f"HTTP {status}, {volume}")


def _copies(
    status: dict[str, dict[str, dict[str, dict[str, dict[str, list[dict[str, int]]]]]]],
) -> Iterator[tuple[int, str]]:
    for place, racks in (status["Volumes"].get("DataCenters") or {}).items():
        for nodes in racks.values():
            for volumes in nodes.values():
                yield from ((v["Id"], place) for v in volumes or ())

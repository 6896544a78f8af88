"""Asking SeaweedFS how it is: its gateways, where copies lie, and whether anything can be written."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence

from cordillera.components.state import Member
from cordillera.targets.local import _net, _votes_ask, _weed
from cordillera.targets.local._keeper.etcd import Entry
from cordillera.targets.local._keeper.leadership import STATUS
from cordillera.targets.local._keeper.stores import COPIES, FILLING, ONE, TWO
from cordillera.targets.local._site import Site, Zone

ASSIGN = f"/dir/assign?replication={_weed.REPLICATION}&collection="
"""Asks the leading master for a place for an object of a bucket; nothing is written there."""
TRIED = (OSError, http.client.HTTPException, ValueError)
LEADERLESS = "no master leads: nothing can be written"

Held = Mapping[str, Mapping[int, int] | None]
"""Zone -> volume -> its bytes, as the zone's server says; None while it does not answer."""


def leader_of(site: Site) -> Zone | None:
    """The failure domain whose master leads; None while none does."""
    leads = _net.at_once(site.domains, lambda zone: _leads(site, zone))
    return next((zone for zone, yes in zip(site.domains, leads, strict=True) if yes), None)


def _leads(site: Site, zone: Zone) -> bool:
    try:
        status, text = _net.http_get(site, zone, _weed.MASTER_PORT, STATUS)
        return status < 400 and bool(json.loads(text).get("IsLeader"))
    except TRIED:
        return False


def survey(site: Site, bucket: str) -> tuple[tuple[Member, ...], str]:
    """Each zone's servers, and one sentence of what is wrong. `bucket` is one that exists."""
    members = tuple(_net.at_once(site.zones, lambda zone: _gate(site, zone)))
    silent = [m.zone for m in members if not m.healthy]
    if silent:
        return members, _net.no_answer(silent)
    few = too_few(_votes_ask.asked(site, lambda client: client.read(COPIES)))
    return members, few or _volume_trouble(site, bucket)


def _volume_trouble(site: Site, bucket: str) -> str:
    volumes = _volumes(site)
    if silent := [zone for zone, found in volumes.items() if found is None]:
        return _net.no_answer(silent)
    held = layout(volumes)
    if lonely := alone(held, len(site.zones)):
        return f"{len(lonely)} of {len(held)} volumes lie in one zone only"
    leader = leader_of(site)
    if leader is None:
        return LEADERLESS
    return _unknown(site, leader, held) or _unwritable(site, leader, bucket)


def too_few(copies: Sequence[Entry | None] | None) -> str:
    """What is wrong with the zones that new objects lie in, as the votes have it. Pure."""
    if copies is None:
        return "no majority of the votes answers"
    now = copies[0].value if copies[0] else TWO
    said = {
        ONE: "new objects lie in one zone only",
        FILLING: "objects are being copied to each zone",
    }
    return said.get(now, "")


def gate_trouble(site: Site, zone: Zone) -> str:
    """Why a zone's gateway cannot be used yet; empty when it can."""
    member = _gate(site, zone)
    if not member.healthy:
        return member.detail
    leader = leader_of(site)
    return LEADERLESS if leader is None else _unknown(site, leader, held_volumes(site))


def alone(held: Mapping[int, set[str]], zones: int) -> list[int]:
    """Volumes that do not lie in every zone."""
    return [number for number, places in held.items() if len(places) < zones]


def held_volumes(site: Site) -> dict[int, set[str]]:
    """Volume -> zones whose servers hold it, as these say themselves."""
    return layout(_volumes(site))


def layout(volumes: Held) -> dict[int, set[str]]:
    """Volume -> zones that hold it. Pure."""
    found: dict[int, set[str]] = {}
    for zone, numbers in volumes.items():
        for number in numbers or ():
            found.setdefault(number, set()).add(zone)
    return found


def missing_bytes(site: Site) -> dict[str, int]:
    """Zone -> bytes of objects that lie elsewhere only; zones that lack nothing are left out."""
    return lacking(_volumes(site))


def lacking(volumes: Held) -> dict[str, int]:
    """The same, of what the servers said. Pure."""
    held = {zone: found for zone, found in volumes.items() if found is not None}
    sizes = {number: size for found in held.values() for number, size in found.items()}
    missing = {
        zone: sum(size for number, size in sizes.items() if number not in found)
        for zone, found in held.items()
    }
    return {zone: size for zone, size in missing.items() if size}


def _volumes(site: Site) -> Held:
    found = _net.at_once(site.zones, lambda zone: _volumes_in(site, zone))
    return {zone.name: volumes for zone, volumes in zip(site.zones, found, strict=True)}


def _volumes_in(site: Site, zone: Zone) -> dict[int, int] | None:
    try:
        _, text = _net.http_get(site, zone, _weed.VOLUME_PORT, "/status")
        return {v["Id"]: int(v.get("Size", 0)) for v in json.loads(text).get("Volumes") or ()}
    except TRIED:
        return None


def known_by(site: Site, leader: Zone) -> dict[int, set[str]] | None:
    """Volume -> zones, as the leading master has it; None while it does not answer."""
    try:
        _, text = _net.http_get(site, leader, _weed.MASTER_PORT, "/vol/status")
    except TRIED:
        return None
    known: dict[int, set[str]] = {}
    for number, place in _copies(json.loads(text)):
        known.setdefault(number, set()).add(place)
    return known


def _unknown(site: Site, leader: Zone, held: Mapping[int, set[str]]) -> str:
    known = known_by(site, leader)
    if known is None:
        return LEADERLESS
    missing = [number for number, places in held.items() if not places <= known.get(number, set())]
    return f"the masters do not know {len(missing)} volumes yet" if missing else ""


def _unwritable(site: Site, leader: Zone, bucket: str) -> str:
    """Why the leading master gives out no place for an object; empty when it does."""
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

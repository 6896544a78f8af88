"""Before anything is touched: would it succeed? One sentence and a hint for each thing that would not.

What may not be asked is no obstacle: it is said, and the environment is applied.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cordillera.components.mail import MailSpec
from cordillera.components.service import ServiceSpec
from cordillera.core.errors import CordilleraError, ManifestError, NotReady, Refused
from cordillera.targets.aws import _allowed, _ecr, _push, _quotas, _rows
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._draft import MOVES, Draft
from cordillera.targets.aws._ecr import EcrImage
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._mail_ids import by_ses
from cordillera.targets.aws._site import EDGE, EDGE_REGION, Site

ON = ("opt-in-not-required", "opted-in")
MACHINE = {"x86_64": "amd64", "arm64": "arm64"}

Look = Callable[[Draft, Live], Iterable[str]]


class Obstacles(Refused):
    """Several obstacles at once; `all` are told."""

    def __init__(self, found: list[CordilleraError]) -> None:
        super().__init__(f"{len(found)} things are in the way", hint="mend them, then repeat")
        self.all = tuple(found)


def look(draft: Draft) -> tuple[str, ...]:
    """Sentences that whoever waits should know. Raises CordilleraError with all that is in the way."""
    live, remarks, obstacles = Live(draft.site), list[str](), list[CordilleraError]()
    refuse_regions_off(draft.site, EDGE in draft.templates, live)
    with ThreadPoolExecutor(max_workers=len(LOOKS)) as pool:
        asked = [(one, pool.submit(lambda look=one: list(look(draft, live)))) for one in LOOKS]  # type: ignore[misc]
    for one, answer in asked:
        try:
            remarks += answer.result()
        except AwsError as e:
            remarks.append(f"not looked at before: {_what(one)} ({e})")
        except NotReady:
            raise
        except CordilleraError as e:
            obstacles += getattr(e, "all", (e,))
    obstacles = list({str(one): one for one in obstacles}.values())
    if len(obstacles) == 1:
        raise obstacles[0]
    if obstacles:
        raise Obstacles(obstacles)
    return tuple(remarks)


def refuse_regions_off(site: Site, edge: bool, live: Live) -> None:
    """Raises Refused for a region that the account has not enabled, ManifestError for an unknown one."""
    needed = dict.fromkeys((*site.regions, *([EDGE_REGION] if edge else [])))
    try:
        found = live.client("ec2").describe_regions(AllRegions=True)["Regions"]
    except AwsError:
        return  # the first call to that region will tell
    states = {str(r["RegionName"]): str(r.get("OptInStatus", ON[0])) for r in found}
    for region in needed:
        if region not in states:
            raise ManifestError(
                f"AWS has no region called {region}",
                hint=f"write another under environments.{site.environment}",
            )
        if states[region] not in ON:
            raise Refused(
                f"the region {region} is not enabled in the account",
                hint=f"aws account enable-region --region-name {region}, or choose another region",
            )


def _permissions(draft: Draft, live: Live) -> Iterator[str]:
    yield from _allowed.refuse_what_is_not(draft, live)


def _service_roles(draft: Draft, live: Live) -> Iterator[str]:
    _allowed.refuse_missing_roles(draft, live)
    yield from ()


def _limits(draft: Draft, live: Live) -> Iterator[str]:
    """What the plan creates must fit into what the account has left, in each region."""
    new = {
        (unit, change.name)
        for unit, changes in draft.changes.items()
        for change in changes
        if change.effect in MOVES
    }
    rows = [r for r in _rows.rows(draft.parts, draft.site) if (r.unit, r.id) in new]
    short: list[CordilleraError] = []
    for need in _quotas.needs(rows):
        quota = next(q for q in _quotas.QUOTAS if q.name == need.limit)
        try:
            limit, used = _quotas.left(quota, need.region, live)
        except AwsError as e:
            yield f"not looked at before: how many {quota.name} are left in {need.region} ({e})"
            continue
        if used + need.takes > limit:
            short.append(_quotas.too_few(quota, need, limit, used))
    if short:
        raise short[0] if len(short) == 1 else Obstacles(short)


def _domains(draft: Draft, live: Live) -> Iterator[str]:
    """A certificate is validated by a record in DNS: written by `up` where the zone is in Route 53."""
    domains = draft.want.edge.domains
    if not domains:
        return
    zones = live.client("route53").pages("list_hosted_zones", "HostedZones")
    public = [
        str(z["Name"]).rstrip(".") for z in zones if not z.get("Config", {}).get("PrivateZone")
    ]
    for domain in domains:
        name = domain.removeprefix("*.")
        if not any(name == zone or name.endswith(f".{zone}") for zone in public):
            yield (
                f"{domain} has no zone in this account's Route 53: its certificate waits, at most 12 "
                "hours, until you have written the record into your DNS that `up` will tell"
            )


def _mails(draft: Draft, live: Live) -> Iterator[str]:
    """An account begins in a sandbox, which sends to verified addresses only."""
    uses = [
        name
        for name, spec in draft.want.of_type("mail")
        if isinstance(spec, MailSpec) and by_ses(spec)
    ]
    if uses and not live.client("sesv2").get_account().get("ProductionAccessEnabled"):
        yield (
            f"SES is in its sandbox in {draft.site.region}: {', '.join(uses)} reaches verified "
            "addresses only (ask for production access in the SES console)"
        )


def _images(draft: Draft, live: Live) -> Iterator[str]:
    """An image must be there, or it must be possible to build it; for the processor it runs on."""
    for name, spec in draft.want.services.items():
        if not spec.image:
            if not _push.there(name, draft.want, live):
                _push.refuse_unless_possible(name, draft.want)
        elif found := _ecr.parsed(spec.image):
            _refuse_other_machine(name, spec, found, live)
    yield from ()


def _refuse_other_machine(name: str, spec: ServiceSpec, image: EcrImage, live: Live) -> None:
    found = _found(image, live)
    if not found:
        raise ManifestError(
            f"service {name}: there is no image {spec.image}", hint="push it, or name another"
        )
    machines, wanted = list(_machines(found[0])), MACHINE[spec.architecture]
    if machines and wanted not in machines:
        raise ManifestError(
            f"service {name} runs on {spec.architecture}, and {spec.image} is for "
            f"{', '.join(machines)}",
            hint=f"build it for {wanted} too, or change `architecture`",
        )


def _found(image: EcrImage, live: Live) -> list[Mapping[str, Any]]:
    try:
        answer = live.client("ecr", image.region).batch_get_image(
            registryId=image.registry, repositoryName=image.repository, imageIds=[image.id]
        )
    except AwsError as e:
        if "NotFound" not in e.code:
            raise
        return []
    return list(answer["images"])


def _machines(image: Mapping[str, Any]) -> Iterator[str]:
    """The processors that an image is for, when it is a list of several; else its manifest does not say."""
    import json

    manifest = json.loads(image.get("imageManifest") or "{}")
    for one in manifest.get("manifests", ()):
        machine = one.get("platform", {}).get("architecture", "unknown")
        if machine != "unknown":
            yield str(machine)


def _secrets(draft: Draft, _: Live) -> Iterator[str]:
    """A copy does not start without a secret that nobody set. What is set was asked with the plan."""
    unset = {
        one.of
        for template in draft.templates.values()
        for parameter, one in template.versions.items()
        if isinstance(one.place, str) and not draft.versions.get(parameter)
    }
    missing = [
        ManifestError(
            f"{draft.want.environment}: service {name} needs the secret {secret.name}, which nobody set",
            hint=f"cordillera --env {draft.want.environment} secrets set {secret.name}",
        )
        for name, spec in draft.want.services.items()
        for secret in spec.secrets
        if secret.name in unset
    ]
    if missing:
        raise missing[0] if len(missing) == 1 else Obstacles([*missing])
    yield from ()


LOOKS: tuple[Look, ...] = (
    _permissions,
    _service_roles,
    _limits,
    _domains,
    _mails,
    _images,
    _secrets,
)
WORDS: Mapping[str, str] = {
    "_permissions": "permissions",
    "_service_roles": "whether service-linked roles may be made",
    "_limits": "limits",
    "_domains": "the domain",
    "_mails": "whether mails may be sent",
    "_images": "images",
    "_secrets": "secrets",
}


def _what(one: Look) -> str:
    return WORDS[one.__name__]

"""Where mail leaves by more than SES: a relay that queues, with providers in order.

It is a service like the app's own, so it is built, rolled, watched and logged like those. Its queues lie on
EFS: a copy that ends, or a zone that is lost, leaves its mails to the copy after it. SES alone needs none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from troposphere import Tags, ecs, efs

from cordillera.components import mail_queue
from cordillera.components.base import variable_prefix
from cordillera.components.mail import MailSpec, ProviderSpec
from cordillera.components.service import BuildSpec, HealthSpec, ScaleSpec, SecretSpec, ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.core.errors import ManifestError
from cordillera.targets.aws import _keys
from cordillera.targets.aws._mail_ids import SES, login_field, ses_host
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._policy import allow
from cordillera.targets.aws._refs import Ref, Value, camel
from cordillera.targets.aws._site import NETWORK, RELEASE, Site

FOLDER = Path(__file__).parent / "relay"
PORT, QUEUES = 2525, "/queues"
COPIES = 2
HEALTH = "postfix -c /run/relay/etc status"
MIB = 2**20
DISK = "queues"


def needed(spec: MailSpec) -> bool:
    """Whether mail leaves by anything but SES itself."""
    return [one.name for one in spec.providers] != [SES]


def relay(mail: str) -> str:
    """The service that relays for a mail resource."""
    return f"{mail}-relay"


def relays(want: Wanted) -> dict[str, str]:
    """Service -> the mail resource that it relays for."""
    return {
        relay(name): name
        for name, spec in want.of_type("mail")
        if isinstance(spec, MailSpec) and needed(spec)
    }


def with_relays(want: Wanted) -> Wanted:
    """The same, with a service for each relay. May be called twice. Raises ManifestError."""
    made = {
        service: _service(service, _spec(mail, want), want)
        for service, mail in relays(want).items()
    }
    for name in made:
        if not _is_relay(want.services.get(name, made[name])):
            raise ManifestError(
                f"a service is called {name}, as the mail relay is",
                hint="give the service or the mail resource another name",
            )
    return replace(want, services={**want.services, **made})


def variables(service: str, want: Wanted, site: Site) -> dict[str, Value]:
    """What the relay is told, passwords among it; nothing for any other service."""
    mail = relays(want).get(service)
    if mail is None:
        return {}
    spec = _spec(mail, want)
    logged_in = [one for one in spec.providers if one.name == SES or _has_password(one)]
    told: dict[str, Value] = {
        **_files(mail, spec, site),
        "QUEUES": QUEUES,
        "QUEUE_COUNT": str(COPIES),
        "WAYS": "\n".join(f"{hop(one, site)} {_words(one)}" for one in logged_in),
    }
    for one in logged_in:
        if one.name == SES:
            told["SES_USER"] = login_field(mail, "username")
            told["SES_PASSWORD"] = login_field(mail, "password")
        else:
            told[f"{variable_prefix(one.name)}_USER"] = mail_queue.user(one)
    return told


def hop(one: ProviderSpec, site: Site) -> str:
    """A provider as Postfix writes it; SES is that of the region."""
    return f"[{_server(one, site)}]:{one.port}"


def _server(one: ProviderSpec, site: Site) -> str:
    return ses_host(site) if one.name == SES else mail_queue.host(one)


def group() -> Ref:
    """The security group of the disk."""
    return Ref(NETWORK, "QueuesGroup")


def disk(mail: str) -> Ref:
    """The file system that the queues of a mail resource lie on."""
    return Ref(RELEASE, camel(mail, "queues"))


def parts(mail: str, site: Site, subnets: Mapping[str, Ref]) -> Iterator[AwsPart]:
    """The disk, to be reached in each zone. `subnets`: zone -> where its servers live.

    Beside the services and not beside the data, so that the standby region has one of its own.
    """
    made = efs.FileSystem(
        disk(mail).id,
        Encrypted=True,
        KmsKeyId=_keys.KEY.get("Arn"),
        ThroughputMode="elastic",
        BackupPolicy=efs.BackupPolicy(Status="DISABLED"),  # a mail that was sent must not come back
        FileSystemTags=Tags(Name=f"{site.environment} {mail} queues"),
        DeletionPolicy="Delete",  # mails that wait go with the environment: a person was asked
        UpdateReplacePolicy="Retain",
    )
    yield part("mail", RELEASE, made, holds_data=True)
    for zone, subnet in subnets.items():
        reached = efs.MountTarget(
            camel(mail, "queues-in", zone),
            FileSystemId=disk(mail),
            SubnetId=subnet,
            SecurityGroups=[group()],
        )
        yield part("mail", RELEASE, reached)


def access(service: str, want: Wanted) -> list[Mapping[str, Any]]:
    """What the relay's role may do with its disk: Postfix begins as root."""
    mail = relays(want).get(service)
    if mail is None:
        return []
    actions = [f"elasticfilesystem:Client{what}" for what in ("Mount", "Write", "RootAccess")]
    through = {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}
    return [allow(actions, [disk(mail).get("Arn")], Condition=through)]


def volumes(service: str, want: Wanted) -> dict[str, Any]:
    """What its task definition says of the disk."""
    mail = relays(want).get(service)
    if mail is None:
        return {}
    at = ecs.EFSVolumeConfiguration(
        FilesystemId=disk(mail),
        TransitEncryption="ENABLED",
        AuthorizationConfig=ecs.AuthorizationConfig(IAM="ENABLED"),
    )
    return {"Volumes": [ecs.Volume(Name=DISK, EFSVolumeConfiguration=at)]}


def container(service: str, want: Wanted) -> dict[str, Any]:
    """What its container says besides what every service's does."""
    if service not in relays(want):
        return {}
    return {
        "MountPoints": [ecs.MountPoint(SourceVolume=DISK, ContainerPath=QUEUES, ReadOnly=False)],
        "HealthCheck": ecs.HealthCheck(
            Command=["CMD-SHELL", HEALTH],
            Interval=5,
            Timeout=3,
            Retries=3,
            StartPeriod=120,  # the copy before holds the queue's lock until EFS gives it up
        ),
    }


def _is_relay(spec: ServiceSpec) -> bool:
    """Also one that was remembered when we lay elsewhere on the disk."""
    return spec.build is not None and Path(spec.build.context).name == FOLDER.name


def _service(name: str, spec: MailSpec, want: Wanted) -> ServiceSpec:
    machines = [one.architecture for own, one in want.services.items() if own != name]
    secrets = [SecretSpec(name=one.password) for one in spec.providers if one.password]
    return ServiceSpec(
        build=BuildSpec(context=str(FOLDER), dockerfile="Dockerfile"),
        port=PORT,
        health=HealthSpec(),
        scale=ScaleSpec(min=COPIES, max=COPIES),
        cpu=0.25,
        memory=512 * MIB,
        architecture=machines[0] if machines else "x86_64",
        secrets=secrets,
        stop_grace=20.0,
    )


def _spec(mail: str, want: Wanted) -> MailSpec:
    found = want.resources[mail]
    assert isinstance(found, MailSpec)
    return found


def _files(mail: str, spec: MailSpec, site: Site) -> dict[str, str]:
    ways = [hop(one, site) for one in spec.providers]
    place = mail_queue.Place(
        queue="@QUEUE@",
        lib="@RUN@/lib",
        settings="@RUN@/etc",
        host=f"{mail}.{site.environment.replace('/', '-')}.internal",
        interfaces="all",
        listen="0.0.0.0",
        port=PORT,
        networks=f"127.0.0.0/8 {site.cidr()}",
        copies=COPIES,
    )
    return {
        "MAIN_CF": mail_queue.main(place, spec, ways),
        "MASTER_CF": mail_queue.master(place, ways),
        "HEADER_CHECKS": mail_queue.header_checks(ways),
        "TLS_POLICIES": "".join(
            mail_queue.tls_policy(hop(one, site), _server(one, site), tls=one.tls)
            for one in spec.providers
        ),
    }


def _has_password(one: ProviderSpec) -> bool:
    """Raises ManifestError for one that takes nothing without."""
    if not one.password and one.name in mail_queue.KNOWN:
        raise ManifestError(
            f"mail provider {one.name} has no password",
            hint=f"name the secret that holds it: `providers: [{{name: {one.name}, password: "
            f"{variable_prefix(one.name)}_PASSWORD}}]`",
        )
    return bool(one.password)


def _words(one: ProviderSpec) -> str:
    """The names of the variables with its user and its password."""
    if one.name == SES:
        return "SES_USER SES_PASSWORD"
    return f"{variable_prefix(one.name)}_USER {one.password}"

"""Mail: SES, signed for the sender's domain; addresses that bounced or complained get none again.

Apps speak SMTP with a password of their own, over TLS; those that know AWS may use SES's API with their role.
Where there are other providers besides, apps speak to a relay that queues and tries one after the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from email.utils import parseaddr
from typing import Any

from troposphere import Sub, iam, secretsmanager, ses, sns

from cordillera.components.base import variable_prefix
from cordillera.components.mail import MailSpec
from cordillera.components.state import ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import ManifestError, Refused
from cordillera.targets.aws import _discovery, _keys, _mail_live, _mail_relay, network
from cordillera.targets.aws._component import Component, Statement
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._mail_ids import by_ses, identity, login, login_field, ses_host, user
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._policy import allow, document
from cordillera.targets.aws._refs import Ref, Value, camel, joined, text
from cordillera.targets.aws._site import DATA, RELEASE, Site

OFFER = Offered(
    "SES; other providers by a relay. Capture and rates of one a second and more are not offered; never run "
    "against the real service"
)

PORT = 465
"""TLS from the first byte: no client can forget to ask for it."""
EVENTS = ["REJECT", "BOUNCE", "COMPLAINT", "DELIVERY_DELAY", "RENDERING_FAILURE"]
BOUNCE_LABEL = "bounce"


class Mail(Component):
    """An identity, its rules, where its failures are told, and a user for SMTP."""

    name = "mail"

    def parts(self, want: Wanted, site: Site) -> Parts:
        return [one for name, spec in mails(want) for one in _parts(name, spec, site)]

    def fields(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        spec = dict(mails(want))[resource]
        host, _, port = _endpoint(resource, spec, site).partition(":")
        return {"host": host, "port": port, "from": spec.from_ or ""}

    def variables(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        fields, prefix = self.fields(want, site, resource), variable_prefix(resource)
        spec = dict(mails(want))[resource]
        endpoint, more = _endpoint(resource, spec, site), dict[str, Value]()
        url: Value = f"smtp://{endpoint}"
        if not _mail_relay.needed(spec):
            name, password = (login_field(resource, key) for key in ("username", "password"))
            in_url = login_field(resource, "password_in_url")
            url = joined("smtps://", name, ":", in_url, f"@{endpoint}")
            more = {
                "SMTP_USERNAME": name,
                "SMTP_PASSWORD": password,
                "AWS_DEFAULT_REGION": site.region,
            }
        return {
            f"{prefix}_URL": url,
            f"{prefix}_FROM": fields["from"],
            "SMTP_URL": url,
            "SMTP_HOST": fields["host"],
            "SMTP_PORT": fields["port"],
            **more,
        }

    def access(self, want: Wanted, site: Site, resource: str) -> Sequence[Statement]:
        spec = dict(mails(want))[resource]
        return [_may_send(resource, spec)] if by_ses(spec) else []

    def before(self, unit: str, want: Wanted, live: Live) -> None:
        """What is no longer wanted must be deletable; and an app's password before the app."""
        if unit == DATA:
            _mail_live.drop_keys(live, keep=[user(name).id for name, _ in _by_ses(want)])
        if unit == RELEASE:
            self._settle(want, live)

    def after(self, unit: str, want: Wanted, live: Live) -> None:
        if unit == DATA:
            self._settle(want, live)

    def _settle(self, want: Wanted, live: Live) -> None:
        for name, spec in _by_ses(want):
            _mail_live.make_login(name, live)
            _mail_live.write_records(domain(name, spec), live)

    def clear(self, unit: str, want: Wanted, live: Live) -> None:
        if unit == DATA:
            _mail_live.drop_keys(live, keep=())

    def observe(self, want: Wanted, live: Live) -> Mapping[str, ResourceState]:
        return {name: _observed(name, spec, live) for name, spec in mails(want)}


def mails(want: Wanted) -> Iterator[tuple[str, MailSpec]]:
    """The environment's mail resources, in the manifest's order."""
    for name, spec in want.of_type("mail"):
        if isinstance(spec, MailSpec):
            yield name, spec


def _by_ses(want: Wanted) -> list[tuple[str, MailSpec]]:
    return [(name, spec) for name, spec in mails(want) if by_ses(spec)]


def domain(name: str, spec: MailSpec) -> str:
    """The domain that mails come from. Raises ManifestError without a sender's address."""
    _, address = parseaddr(spec.from_ or "")
    if "@" not in address:
        raise ManifestError(
            f"mail {name} does not say from which address it is sent",
            hint=f"write `from: news@your-domain.example` under resources.{name}",
        )
    return address.rpartition("@")[2].lower()


def events(resource: str) -> Ref:
    """The topic to which bounces, complaints and rejected mails are told."""
    return Ref(DATA, camel(resource, "events"))


def _endpoint(name: str, spec: MailSpec, site: Site) -> str:
    """HOST:PORT that apps speak to."""
    if _mail_relay.needed(spec):
        return f"{_discovery.host(_mail_relay.relay(name), site)}:{_mail_relay.PORT}"
    return f"{ses_host(site)}:{PORT}"


def _rules(name: str) -> Ref:
    return Ref(DATA, camel(name, "sending-rules"))


def _observed(name: str, spec: MailSpec, live: Live) -> ResourceState:
    endpoint = _endpoint(name, spec, live.site)
    states = []
    if by_ses(spec):
        states.append(_mail_live.state(domain(name, spec), endpoint, live))
    if _mail_relay.needed(spec):
        states.append(_mail_live.relayed(_mail_relay.relay(name), endpoint, live))
    return ResourceState(
        type="mail",
        healthy=all(one.healthy for one in states),
        durable=True,  # SES answers when it has it in several zones, and so does the relays' disk
        endpoint=endpoint,
        members=tuple(member for one in states for member in one.members),
        detail="; ".join(one.detail for one in states if one.detail),
    )


def _refuse_none(name: str, spec: MailSpec) -> None:
    if not spec.providers:
        raise Refused(
            f"mail {name} names no provider, and aws captures none",
            hint=f"write `resources: {{{name}: {{providers: [ses]}}}}` for this environment",
        )


def _parts(name: str, spec: MailSpec, site: Site) -> Iterator[AwsPart]:
    _refuse_none(name, spec)
    sender = domain(name, spec)
    if by_ses(spec):
        made = (*_sending(name, sender), *_telling(name), *_user(name, spec))
        yield from (part("mail", DATA, one) for one in made)
    if _mail_relay.needed(spec):
        places = {zone.name: network.subnet("isolated", zone) for zone in site.zones}
        yield from _mail_relay.parts(name, site, places)


def _sending(name: str, sender: str) -> Iterator[Any]:
    """The domain, signed with Easy DKIM, and what holds for every mail from it."""
    yield ses.ConfigurationSet(
        _rules(name).id,
        SuppressionOptions=ses.SuppressionOptions(SuppressedReasons=["BOUNCE", "COMPLAINT"]),
        ReputationOptions=ses.ReputationOptions(ReputationMetricsEnabled=True),
        DeliveryOptions=ses.DeliveryOptions(TlsPolicy="REQUIRE"),
        SendingOptions=ses.SendingOptions(SendingEnabled=True),
    )
    yield ses.EmailIdentity(
        identity(name).id,
        EmailIdentity=sender,
        DkimSigningAttributes=ses.DkimSigningAttributes(NextSigningKeyLength="RSA_2048_BIT"),
        ConfigurationSetAttributes=ses.ConfigurationSetAttributes(
            ConfigurationSetName=_rules(name)
        ),
        MailFromAttributes=ses.MailFromAttributes(
            MailFromDomain=f"{BOUNCE_LABEL}.{sender}",
            BehaviorOnMxFailure="USE_DEFAULT_VALUE",
        ),
        FeedbackAttributes=ses.FeedbackAttributes(EmailForwardingEnabled=False),
    )


def _telling(name: str) -> Iterator[Any]:
    """Failures to a topic; whoever is on call may listen."""
    topic = events(name)
    yield sns.Topic(topic.id, KmsMasterKeyId=_keys.KEY)
    writes = {
        "Effect": "Allow",
        "Principal": {"Service": "ses.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"StringEquals": {"aws:SourceAccount": Sub("${AWS::AccountId}")}},
    }
    policy = sns.TopicPolicy(f"{topic.id}Policy", Topics=[topic], PolicyDocument=document(writes))
    yield policy
    yield ses.ConfigurationSetEventDestination(
        camel(name, "telling"),
        ConfigurationSetName=_rules(name),
        EventDestination=ses.EventDestination(
            Name="failures",
            Enabled=True,
            MatchingEventTypes=EVENTS,
            SnsDestination=ses.SnsDestination(TopicARN=topic),
        ),
        DependsOn=policy.title,  # SES tries whether it may
    )


def _user(name: str, spec: MailSpec) -> Iterator[Any]:
    """SMTP needs a user of IAM. Its key and password are made when it is there: see `_mail_live`."""
    yield iam.User(
        user(name).id,
        Policies=[iam.Policy(PolicyName="send", PolicyDocument=document(_may_send(name, spec)))],
    )
    yield secretsmanager.Secret(
        login(name).id,
        Description=f"How apps log in to send mail of {name}",
        KmsKeyId=_keys.KEY,
        # Something to copy to the standby region until the login is there: see `_mail_live`.
        GenerateSecretString=secretsmanager.GenerateSecretString(
            SecretStringTemplate="{}", GenerateStringKey="nothing_yet"
        ),
    )


def _may_send(name: str, spec: MailSpec) -> Statement:
    of_account = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:"
    return allow(
        ["ses:SendEmail", "ses:SendRawEmail"],
        [
            Sub(f"{of_account}identity/{domain(name, spec)}"),
            text(Sub(f"{of_account}configuration-set/"), _rules(name)),
        ],
        Condition={"StringLike": {"ses:FromAddress": f"*@{domain(name, spec)}"}},
    )

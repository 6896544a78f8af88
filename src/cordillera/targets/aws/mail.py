"""Mail: SES, signed for the sender's domain; addresses that bounced or complained get none again.

Apps speak SMTP with a password of their own, over TLS; those that know AWS may use SES's API with their role.
"""

from collections.abc import Iterator, Mapping, Sequence
from email.utils import parseaddr
from typing import Any

from troposphere import Sub, iam, secretsmanager, ses, sns

from cordillera.components.mail import MailSpec
from cordillera.components.state import ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import ManifestError, Refused
from cordillera.targets.aws import _keys, _mail_live
from cordillera.targets.aws._component import Component, Statement
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._mail_ids import identity, login, user
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._policy import allow, document
from cordillera.targets.aws._refs import Ref, Secret, Value, camel, joined, text
from cordillera.targets.aws._site import DATA, RELEASE, Site

OFFER = Offered(
    "SES only: a second provider, rates and capture are not offered; never run against the real service"
)

PORT = 465
"""TLS from the first byte: no client can forget to ask for it."""
EVENTS = ["REJECT", "BOUNCE", "COMPLAINT", "DELIVERY_DELAY", "RENDERING_FAILURE"]
BOUNCE_LABEL = "bounce"


class Mail(Component):
    """An identity, its rules, where its failures are told, and a user for SMTP."""

    name = "mail"

    def parts(self, want: Wanted, site: Site) -> Parts:
        return [one for name, spec in mails(want) for one in _parts(name, spec)]

    def fields(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        spec = dict(mails(want))[resource]
        return {"host": _host(site), "port": str(PORT), "from": spec.from_ or ""}

    def variables(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        fields, prefix = self.fields(want, site, resource), resource.upper().replace("-", "_")
        name, password = Secret(login(resource), "username"), Secret(login(resource), "password")
        in_url = Secret(login(resource), "password_in_url")
        url = joined("smtps://", name, ":", in_url, f"@{_host(site)}:{PORT}")
        return {
            f"{prefix}_URL": url,
            f"{prefix}_FROM": fields["from"],
            "SMTP_URL": url,
            "SMTP_HOST": fields["host"],
            "SMTP_PORT": fields["port"],
            "SMTP_USERNAME": name,
            "SMTP_PASSWORD": password,
            "AWS_DEFAULT_REGION": site.region,
        }

    def access(self, want: Wanted, site: Site, resource: str) -> Sequence[Statement]:
        return [_may_send(resource, dict(mails(want))[resource])]

    def before(self, unit: str, want: Wanted, live: Live) -> None:
        """What is no longer wanted must be deletable; and an app's password before the app."""
        if unit == DATA:
            _mail_live.drop_keys(live, keep=[user(name).id for name, _ in mails(want)])
        if unit == RELEASE:
            self._settle(want, live)

    def after(self, unit: str, want: Wanted, live: Live) -> None:
        if unit == DATA:
            self._settle(want, live)

    def _settle(self, want: Wanted, live: Live) -> None:
        for name, spec in mails(want):
            _mail_live.make_login(name, live)
            _mail_live.write_records(domain(name, spec), live)

    def clear(self, unit: str, want: Wanted, live: Live) -> None:
        if unit == DATA:
            _mail_live.drop_keys(live, keep=())

    def observe(self, want: Wanted, live: Live) -> Mapping[str, ResourceState]:
        return {
            name: _mail_live.state(domain(name, spec), f"{_host(live.site)}:{PORT}", live)
            for name, spec in mails(want)
        }


def mails(want: Wanted) -> Iterator[tuple[str, MailSpec]]:
    """The environment's mail resources, in the manifest's order."""
    for name, spec in want.of_type("mail"):
        if isinstance(spec, MailSpec):
            yield name, spec


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


def _host(site: Site) -> str:
    return f"email-smtp.{site.region}.amazonaws.com"


def _rules(name: str) -> Ref:
    return Ref(DATA, camel(name, "sending-rules"))


def _refuse_others(name: str, spec: MailSpec) -> None:
    others = [one.name for one in spec.providers if one.name != "ses"]
    if others:
        raise Refused(
            f"mail {name}: {' and '.join(others)} is not offered on aws: mail leaves by SES only",
            hint=f"write `resources: {{{name}: {{providers: [ses]}}}}` for this environment",
        )


def _parts(name: str, spec: MailSpec) -> Iterator[AwsPart]:
    _refuse_others(name, spec)
    yield from (part("mail", DATA, one) for one in _sending(name, domain(name, spec)))
    yield from (part("mail", DATA, one) for one in _telling(name))
    yield from (part("mail", DATA, one) for one in _user(name, spec))


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

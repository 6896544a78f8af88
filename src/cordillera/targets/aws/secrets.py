"""Secrets in Secrets Manager. No value is ever in a template.

One that is generated is made by CloudFormation, under the environment's own key. One that somebody sets is
made by `cordillera secrets set`, before or after the first `up`, under the account's `aws/secretsmanager`: it
outlives the environment unless it is given up too, and the environment's key does not.
"""

from collections.abc import Iterator
from typing import Any

from troposphere import Sub, secretsmanager

from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _keys
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._refs import Ref, Secret, camel
from cordillera.targets.aws._site import DATA, RELEASE, STANDBY_APP, Site

OFFER = Offered("in Secrets Manager; generated ones under the environment's own key")
GENERATED_LETTERS = 43


def chosen_name(environment: str, name: str) -> str:
    """What a secret that somebody sets is called."""
    return f"cordillera/{environment}/{name}"


def generated(want: Wanted) -> list[str]:
    """Names of the secrets that make themselves, each once."""
    names = [s.name for spec in want.services.values() for s in spec.secrets if s.generate]
    return list(dict.fromkeys(names))


def value(name: str, want: Wanted, site: Site) -> Secret:
    """A secret of the manifest, as a task receives it."""
    if name in generated(want):
        return Secret(name, generated_ref(name))
    arn = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:"
    return Secret(name, Sub(arn + chosen_name(site.environment, name)))


def generated_ref(name: str) -> Ref:
    """The generated secret of that name."""
    return Ref(DATA, camel(name.lower(), "secret"))


class Secrets(Component):
    """The key of the environment and the secrets that make themselves."""

    name = "secrets"

    def parts(self, want: Wanted, site: Site) -> Parts:
        return [*_keys.key(want, site), *_generated(want, site)]

    def before(self, unit: str, want: Wanted, live: Live) -> None:
        """A value that was set before the secret could make itself takes the generated one's place; one
        that waits for a failover is copied."""
        if unit == STANDBY_APP:
            _copy_chosen(want, live)
        if unit != RELEASE:
            return
        manager = live.client("secretsmanager")
        for name in generated(want):
            early = chosen_name(want.environment, name)
            if _exists(live, early):
                found = manager.get_secret_value(SecretId=early)["SecretString"]
                manager.put_secret_value(
                    SecretId=live.physical(generated_ref(name)), SecretString=found
                )
                delete(manager, early)


def delete(manager: Any, secret: str) -> None:
    """Delete a secret and its copies in other regions for good. Raises what AWS answers."""
    found = manager.describe_secret(SecretId=secret)
    regions = [one["Region"] for one in found.get("ReplicationStatus", ())]
    if regions:
        manager.remove_regions_from_replication(SecretId=secret, RemoveReplicaRegions=regions)
    manager.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)


def _copy_chosen(want: Wanted, live: Live) -> None:
    """Secrets that somebody set are in no template: their copies are asked for here."""
    region, manager = live.site.standby_region, live.client("secretsmanager")
    begin = chosen_name(want.environment, "")
    found = manager.pages(
        "list_secrets", "SecretList", Filters=[{"Key": "name", "Values": [begin]}]
    )
    for name in [str(one["Name"]) for one in found]:
        known = manager.describe_secret(SecretId=name).get("ReplicationStatus", ())
        if region not in [one["Region"] for one in known]:
            manager.replicate_secret_to_regions(
                SecretId=name, AddReplicaRegions=[{"Region": region}]
            )


def _generated(want: Wanted, site: Site) -> Iterator[AwsPart]:
    for name in generated(want):
        made = secretsmanager.Secret(
            generated_ref(name).id,
            Description=f"{name} of {site.environment}",
            KmsKeyId=_keys.KEY,
            GenerateSecretString=secretsmanager.GenerateSecretString(
                PasswordLength=GENERATED_LETTERS, ExcludePunctuation=True
            ),
            DeletionPolicy="RetainExceptOnCreate",
            UpdateReplacePolicy="Retain",
        )
        yield part("secrets", DATA, made, holds_data=True)


def _exists(live: Live, name: str) -> bool:
    found = live.client("secretsmanager").pages(
        "list_secrets", "SecretList", Filters=[{"Key": "name", "Values": [name]}]
    )
    return any(one["Name"] == name for one in found)

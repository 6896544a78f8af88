"""The account's registry of images: copied to the standby region as they are pushed, alike there."""

from typing import Any

from troposphere import Sub

from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused
from cordillera.targets.aws import _images, _switches
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import Parts, Plain, part
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import ACCOUNT, ACCOUNT_STANDBY, STANDBY, Site
from cordillera.targets.aws._switches import Switched

PREFIX = "cordillera"
SWITCH = "ImagesTo"


class Registry(Component):
    """The same in both regions of an account: another environment may have them the other way round."""

    name = "service"
    in_standby = False

    def parts(self, want: Wanted, site: Site) -> Parts:
        units = units_of(site)
        return [part("service", u, one) for u in units for one in (_copies(), _alike())]

    def switch(self, name: str, unit: str, live: Live) -> Switched | None:
        if name != SWITCH:
            return None
        from cordillera.targets.aws._cloudformation import Stacks

        there, stack = "", Stacks(live.site).describe(unit)
        if live.holds(Ref(unit, "ImageCopies")):
            there = stack.parameters.get(_switches.parameter(SWITCH), "") if stack else ""
        wanted = (live.site.standby_region or "") if unit == ACCOUNT else ""
        if there and wanted and there != wanted:
            raise Refused(
                f"the images of this account are copied to {there}, and can be copied to one region only",
                hint=f"name {there} as standby_region, or use another account",
            )
        if wanted and not there and _others(live, unit):
            return Switched(
                "", "images are not copied to the standby region: the registry has other rules"
            )
        return Switched(there or wanted)

    def clear(self, unit: str, want: Wanted, live: Live) -> None:
        """Copies of images are no part of any stack."""
        if unit != STANDBY or live.site.standby_region is None:
            return
        registry = live.client("ecr", live.site.standby_region)
        begin = _images.repository_name("", live.site)
        for one in list(registry.pages("describe_repositories", "repositories")):
            if str(one["repositoryName"]).startswith(begin):
                registry.delete_repository(repositoryName=one["repositoryName"], force=True)


def units_of(site: Site) -> list[str]:
    """The account's stacks that an environment asks for."""
    if site.stands_by:
        return []
    return [ACCOUNT, ACCOUNT_STANDBY] if site.standby_region else [ACCOUNT]


def _others(live: Live, unit: str) -> bool:
    found = live.client("ecr", live.site.region_of(unit)).describe_registry()
    return bool(found["replicationConfiguration"]["rules"])


def _copies() -> Plain:
    """ECR has one such configuration in a region."""
    where = {"Region": _switches.value(SWITCH), "RegistryId": Sub("${AWS::AccountId}")}
    ours = {"Filter": f"{PREFIX}/", "FilterType": "PREFIX_MATCH"}
    rules = [{"Destinations": [where], "RepositoryFilters": [ours]}]
    return Plain(
        "AWS::ECR::ReplicationConfiguration",
        "ImageCopies",
        {"ReplicationConfiguration": {"Rules": rules}},
        {"Condition": SWITCH},
    )


def _alike() -> Plain:
    """What a repository is like that ECR makes for a copy."""
    made: dict[str, Any] = {
        "Prefix": PREFIX,
        "AppliedFor": ["REPLICATION"],
        "Description": "Cordillera: copies of images",
        "ImageTagMutability": "IMMUTABLE",
        "EncryptionConfiguration": {"EncryptionType": "AES256"},
        "LifecyclePolicy": _images.last_images(),
    }
    return Plain("AWS::ECR::RepositoryCreationTemplate", "ImageCopiesAlike", made)

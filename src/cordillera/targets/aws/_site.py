"""Where an environment lives in AWS: its stacks, regions, zones, names and networks. No asking."""

import hashlib
from dataclasses import dataclass, field, replace

from cordillera.components.account import AccountSpec
from cordillera.components.wanted import Wanted
from cordillera.core.errors import ManifestError

ACCOUNT, ACCOUNT_STANDBY = "account", "account-standby"
NETWORK, DATA, FRONT, RELEASE, APP = "network", "data", "front", "release", "app"
EDGE, OPERATIONS = "edge", "operations"
STANDBY, STANDBY_APP = "standby", "standby-app"
UNITS = (
    ACCOUNT,
    ACCOUNT_STANDBY,
    NETWORK,
    DATA,
    FRONT,
    RELEASE,
    APP,
    EDGE,
    OPERATIONS,
    STANDBY,
    STANDBY_APP,
)
"""Every unit is a stack. Their order among each other follows from what refers to what."""

PROTECTED = (NETWORK, DATA, STANDBY)
"""Stacks that nobody deletes by accident in the console."""

EDGE_REGION = "us-east-1"
"""CloudFront takes its certificate and its web ACL from here only."""

ENVIRONMENT_TAG, APP_TAG = "cordillera:environment", "cordillera:app"
STACK_PREFIX = "cordillera"
HASH_LETTERS = 6
ZONE_NAMES = ("a", "b", "c")


@dataclass(frozen=True)
class Zone:
    """A failure domain: the region's availability zone of that index."""

    name: str
    index: int


@dataclass(frozen=True)
class Site:
    """One environment in one account. `standby_region` may take over."""

    app: str
    environment: str
    region: str
    standby_region: str | None = None
    zone_count: int = 2
    account: AccountSpec = field(default_factory=AccountSpec)
    stands_by: bool = False
    """Whether this is the half of the environment that waits in the standby region."""

    @property
    def standby(self) -> "Site | None":
        """The same environment as it waits in its standby region; None without one."""
        if self.standby_region is None:
            return None
        return replace(self, region=self.standby_region, standby_region=None, stands_by=True)

    @property
    def zones(self) -> tuple[Zone, ...]:
        """The zones that hold data and services."""
        return tuple(Zone(name, i) for i, name in enumerate(ZONE_NAMES[: self.zone_count]))

    @property
    def stem(self) -> str:
        """What names of this environment begin with."""
        return f"{STACK_PREFIX}-{self.environment.replace('/', '-')}"

    def stack_name(self, unit: str) -> str:
        """The stack's name. The account's own is shared by its environments."""
        if unit in (ACCOUNT, ACCOUNT_STANDBY):
            return f"{STACK_PREFIX}-account"
        return f"{self.stem}-{unit}"

    def region_of(self, unit: str) -> str:
        """Where that stack lives."""
        if unit == EDGE:
            return EDGE_REGION
        if unit in (STANDBY, STANDBY_APP, ACCOUNT_STANDBY):
            return self.standby_region or self.region
        return self.region

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions it uses, its own first."""
        standby = (self.standby_region,) if self.standby_region else ()
        return tuple(dict.fromkeys((self.region, *standby)))

    def name(self, purpose: str, *, limit: int = 63) -> str:
        """A name of at most `limit` letters that no other environment has. Use it where AWS needs one;
        where it does not, let CloudFormation choose: it can then replace the resource."""
        whole = f"{self.stem}-{purpose}"
        if len(whole) <= limit:
            return whole
        mark = hashlib.sha256(f"{self.environment} {purpose}".encode()).hexdigest()[:HASH_LETTERS]
        return f"{whole[: limit - HASH_LETTERS - 1].rstrip('-')}-{mark}"

    @property
    def tags(self) -> dict[str, str]:
        """Put on every stack, and by CloudFormation on what is in it."""
        return {APP_TAG: self.app, ENVIRONMENT_TAG: self.environment}

    def cidr(self) -> str:
        """The environment's network; its standby has another, so that the two may be joined."""
        number = int(hashlib.sha256(self.environment.encode()).hexdigest()[:8], 16) % 100
        return f"10.{20 + 2 * number + int(self.stands_by)}.0.0/16"

    def subnet(self, kind: str, zone: Zone) -> str:
        """A subnet's network: 4,000 addresses in `public` and `isolated`, 8,000 in `private`."""
        start, step, bits = {
            "public": (0, 16, 20),
            "private": (64, 32, 19),
            "isolated": (192, 16, 20),
        }[kind]
        lead = self.cidr().split(".0.0/")[0]
        return f"{lead}.{start + step * zone.index}.0/{bits}"


def site_of(want: Wanted) -> Site:
    """Where that environment lives. Raises ManifestError without a region."""
    if want.region in ("", "local"):
        raise ManifestError(
            f"{want.environment} has no region",
            hint=f"write `region: eu-central-1` or another under environments.{want.environment}",
        )
    return Site(
        want.app,
        want.environment,
        want.region,
        want.standby_region,
        want.zones,
        want.account,
    )

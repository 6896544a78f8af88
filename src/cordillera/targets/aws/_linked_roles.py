"""Service-linked roles: what AWS's own services act with in an account. A new account has none.

They are the account's, not a region's and not an environment's: made once by the API, in no stack, and
deleted by nobody. A service that makes its own while it makes its first resource is either too late for
itself (ECS, RDS), or does so only for its console (OpenSearch), or only for those who may (ElastiCache, load
balancers, scaling). The others make theirs in time: GuardDuty, AWS Backup, EFS, ECR, CloudTrail.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cordillera.components.protocol import Change, Effect
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live

PATH = "/aws-service-role/"
SETTLES_S = 15.0
"""So long a service may not find a role that was just made."""


@dataclass(frozen=True)
class LinkedRole:
    """The role of a service, as IAM names both."""

    service: str
    name: str

    @property
    def change(self) -> Change:
        """As a plan tells it."""
        why = f"{self.service} has no service-linked role in this account yet"
        return Change("account", self.name, Effect.CREATE, False, certain=True, why=why)

    @property
    def line(self) -> str:
        """What makes it by hand."""
        return f"aws iam create-service-linked-role --aws-service-name {self.service}"

    def arn(self, account: str) -> str:
        """In that account."""
        return f"arn:aws:iam::{account}:role{PATH}{self.service}/{self.name}"


ECS = LinkedRole("ecs.amazonaws.com", "AWSServiceRoleForECS")
BY_TYPE: Mapping[str, LinkedRole] = {
    "AWS::ECS::Cluster": ECS,
    "AWS::ApplicationAutoScaling::ScalableTarget": LinkedRole(
        "ecs.application-autoscaling.amazonaws.com",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": LinkedRole(
        "elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"
    ),
    "AWS::RDS::DBCluster": LinkedRole("rds.amazonaws.com", "AWSServiceRoleForRDS"),
    "AWS::ElastiCache::ReplicationGroup": LinkedRole(
        "elasticache.amazonaws.com", "AWSServiceRoleForElastiCache"
    ),
    "AWS::OpenSearchService::Domain": LinkedRole(
        "opensearchservice.amazonaws.com", "AWSServiceRoleForAmazonOpenSearchService"
    ),
}
"""Type of resource -> the role that must be there before it. Scaling is of services of ECS only."""


def needed(types: Iterable[str]) -> Iterator[LinkedRole]:
    """The roles that these types need, in the table's order. Pure."""
    there = set(types)
    return (role for kind, role in BY_TYPE.items() if kind in there)


def missing(types: Iterable[str], live: Live) -> tuple[LinkedRole, ...]:
    """Those of them that the account has not. Raises what asking leads to."""
    found = live.client("iam").pages("list_roles", "Roles", PathPrefix=PATH)
    there = {str(one["Path"]).removeprefix(PATH).rstrip("/") for one in found}
    return tuple(role for role in needed(types) if role.service not in there)


def make(roles: Iterable[LinkedRole], live: Live) -> None:
    """Make them, and wait until their services find them. May be called twice."""
    made = [role for role in roles if _made(role, live)]
    if made:
        time.sleep(SETTLES_S)


def _made(role: LinkedRole, live: Live) -> bool:
    """False where somebody else was faster."""
    try:
        live.client("iam").create_service_linked_role(AWSServiceName=role.service)
    except AwsError as e:
        if "has been taken in this account" in str(e) or e.code == "EntityAlreadyExists":
            return False
        raise
    return True

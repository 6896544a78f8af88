"""Search: OpenSearch over three zones where the region has them, encrypted, in the isolated subnets."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from troposphere import Sub, logs
from troposphere import opensearchservice as opensearch

from cordillera.components.base import variable_prefix
from cordillera.components.search import SearchSpec
from cordillera.components.state import ResourceState
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused
from cordillera.targets.aws import _groups, _keys, _passwords, _search_live, network
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import AwsPart, Parts, part
from cordillera.targets.aws._policy import document
from cordillera.targets.aws._refs import Ref, Value, camel, joined, text
from cordillera.targets.aws._site import DATA, ZONE_NAMES, Site, Zone

OFFER = Offered(
    "OpenSearch 2; hourly snapshots stay with the domain; never run against the real service"
)

USER = "app"
VERSION = "OpenSearch_2.19"
TWO_ZONES = frozenset({"us-west-1"})
"""Regions in which an account has two zones."""
MANAGER, MANAGERS = "t3.small.search", 3
GIB = 2**30
NODES: tuple[tuple[str, int], ...] = (
    ("t3.small.search", 2),
    ("t3.medium.search", 4),
    ("m7g.large.search", 8),
    ("r7g.large.search", 16),
    ("r7g.xlarge.search", 32),
    ("r7g.2xlarge.search", 64),
    ("r7g.4xlarge.search", 128),
)
"""Kinds of server and their memory in GiB."""
DISK_GB, DISK_PER_GIB = 10, 10
LOG_DAYS = 30
NAME_LETTERS = 28
OURS = "arn:${AWS::Partition}:es:${AWS::Region}:${AWS::AccountId}:domain/"
LOG_POLICY = "SearchLogPolicy"


def node(name: str, spec: SearchSpec) -> tuple[str, int]:
    """(the smallest server with that memory, its memory in GiB). Raises Refused beyond the largest."""
    for kind, gib in NODES:
        if gib * GIB >= spec.memory:
            return kind, gib
    raise Refused(
        f"search {name} asks for {spec.memory // GIB} G a server, and the largest has {NODES[-1][1]} G",
        hint="divide it into several",
    )


def zones(site: Site) -> tuple[Zone, ...]:
    """Three where the region has them, whatever the environment has: two cannot vote."""
    if site.region in TWO_ZONES:
        return site.zones[:2]
    return tuple(Zone(name, index) for index, name in enumerate(ZONE_NAMES))


def domain(resource: str) -> Ref:
    """The OpenSearch domain of a search resource."""
    return Ref(DATA, camel(resource, "domain"))


class Search(Component):
    """A domain per search resource."""

    name = "search"
    in_standby = False

    def parts(self, want: Wanted, site: Site) -> Parts:
        made = [one for name, spec in searches(want) for one in _parts(name, spec, site)]
        if made:
            more = [zone for zone in zones(site) if zone not in site.zones]
            made += [one for zone in more for one in network.isolated(zone, site)]
            made.append(part("search", DATA, _log_policy(want, site)))
        return made

    def fields(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        host = domain(resource).get("DomainEndpoint")
        password = _passwords.of(resource, _secret(resource))
        return {
            "host": host,
            "port": "443",
            "username": USER,
            "password": password,
            "url": joined(f"https://{USER}:", password, "@", host, ":443"),
        }

    def variables(self, want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
        url = self.fields(want, site, resource)["url"]
        found = {f"{variable_prefix(resource)}_URL": url}
        if resource == next(name for name, _ in searches(want)):
            found["OPENSEARCH_URL"] = url
        return found

    def observe(self, want: Wanted, live: Live) -> Mapping[str, ResourceState]:
        return {
            name: _search_live.state(live.physical(domain(name)), live)
            for name, _ in searches(want)
        }


def searches(want: Wanted) -> Iterator[tuple[str, SearchSpec]]:
    """The environment's search resources, in the manifest's order."""
    for name, spec in want.of_type("search"):
        if isinstance(spec, SearchSpec):
            yield name, spec


def _secret(name: str) -> Ref:
    return Ref(DATA, camel(name, "search-password"))


def _log(name: str) -> Ref:
    return Ref(DATA, camel(name, "search-log"))


def _parts(name: str, spec: SearchSpec, site: Site) -> Iterator[AwsPart]:
    what = f"The password of search {name} of {site.environment}"
    yield _passwords.secret("search", _secret(name), what, USER, punctuation=True)
    group = logs.LogGroup(_log(name).id, RetentionInDays=LOG_DAYS, KmsKeyId=_keys.KEY.get("Arn"))
    yield part("search", DATA, group)
    yield part("search", DATA, _domain(name, spec, site), holds_data=True)


def _domain(name: str, spec: SearchSpec, site: Site) -> Any:
    kind, gib = node(name, spec)
    return opensearch.Domain(
        domain(name).id,
        DomainName=site.name(name, limit=NAME_LETTERS),  # its policy must say its name
        EngineVersion=VERSION,
        ClusterConfig=_servers(kind, len(zones(site))),
        EBSOptions=opensearch.EBSOptions(
            EBSEnabled=True, VolumeType="gp3", VolumeSize=max(DISK_GB, gib * DISK_PER_GIB)
        ),
        VPCOptions=opensearch.VPCOptions(
            SubnetIds=[network.subnet("isolated", zone) for zone in zones(site)],
            SecurityGroupIds=[_groups.of_resource(name)],
        ),
        EncryptionAtRestOptions=opensearch.EncryptionAtRestOptions(
            Enabled=True, KmsKeyId=_keys.KEY
        ),
        NodeToNodeEncryptionOptions=opensearch.NodeToNodeEncryptionOptions(Enabled=True),
        DomainEndpointOptions=opensearch.DomainEndpointOptions(
            EnforceHTTPS=True, TLSSecurityPolicy="Policy-Min-TLS-1-2-PFS-2023-10"
        ),
        AdvancedSecurityOptions=opensearch.AdvancedSecurityOptionsInput(
            Enabled=True,
            InternalUserDatabaseEnabled=True,
            MasterUserOptions=opensearch.MasterUserOptions(
                MasterUserName=USER, MasterUserPassword=_passwords.resolved(_secret(name))
            ),
        ),
        # Whoever the security group lets in must still know the password.
        AccessPolicies=document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "es:ESHttp*",
                "Resource": Sub(f"{OURS}{site.name(name, limit=NAME_LETTERS)}/*"),
            }
        ),
        LogPublishingOptions={
            what: opensearch.LogPublishingOption(
                Enabled=True, CloudWatchLogsLogGroupArn=_log(name).get("Arn")
            )
            for what in ("ES_APPLICATION_LOGS", "AUDIT_LOGS")
        },
        SoftwareUpdateOptions=opensearch.SoftwareUpdateOptions(AutoSoftwareUpdateEnabled=True),
        DependsOn=LOG_POLICY,
        # An index is made again out of the data it was made from; a domain that stayed would cost on.
        DeletionPolicy="Delete",
        UpdateReplacePolicy="Delete",
    )


def _servers(kind: str, zone_count: int) -> Any:
    """A server in each zone. Two cannot outvote each other: then three small managers do."""
    more: dict[str, Any] = {"DedicatedMasterEnabled": False}
    if zone_count < len(ZONE_NAMES):
        more = {
            "DedicatedMasterEnabled": True,
            "DedicatedMasterType": MANAGER,
            "DedicatedMasterCount": MANAGERS,
        }
    return opensearch.ClusterConfig(
        InstanceType=kind,
        InstanceCount=zone_count,
        ZoneAwarenessEnabled=True,
        ZoneAwarenessConfig=opensearch.ZoneAwarenessConfig(AvailabilityZoneCount=zone_count),
        **more,
    )


def _log_policy(want: Wanted, site: Site) -> Any:
    """Lets OpenSearch write. The policy is a text to CloudFormation, so it is put together as one."""
    head, tail = json.dumps(
        document(
            {
                "Effect": "Allow",
                "Principal": {"Service": "es.amazonaws.com"},
                "Action": ["logs:PutLogEvents", "logs:CreateLogStream"],
                "Resource": "GROUPS",
            }
        )
    ).split('"GROUPS"')
    groups = [piece for name, _ in searches(want) for piece in ('", "', _log(name).get("Arn"))][1:]
    return logs.ResourcePolicy(
        LOG_POLICY,
        PolicyName=site.name("search-logs", limit=250),
        PolicyDocument=text(head, '["', *groups, '"]', tail),
    )

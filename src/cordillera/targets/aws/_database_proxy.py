"""A proxy before a database: it keeps connections, and holds them while another server becomes the writer."""

from collections.abc import Iterator

from troposphere import iam, rds

from cordillera.components.database import DatabaseSpec
from cordillera.targets.aws import _groups, _keys, network
from cordillera.targets.aws._database_ids import cluster, user_secret
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._policy import allow, document, trust
from cordillera.targets.aws._refs import Ref, Value, camel
from cordillera.targets.aws._site import DATA, Site

IDLE_S = 1800


def endpoints(name: str) -> tuple[Value, Value]:
    """(host of the writer, host of the reader)."""
    return _proxy(name).get("Endpoint"), Ref(DATA, camel(name, "proxy-reader")).get("Endpoint")


def parts(name: str, spec: DatabaseSpec, site: Site) -> Iterator[AwsPart]:
    """Role, proxy, its target and its endpoint for reading."""
    role = Ref(DATA, camel(name, "proxy-role"))
    made = [
        iam.Role(
            role.id,
            AssumeRolePolicyDocument=trust("rds.amazonaws.com"),
            Policies=[
                iam.Policy(
                    PolicyName="log-in",
                    PolicyDocument=document(
                        allow(["secretsmanager:GetSecretValue"], [user_secret(name)]),
                        allow(["kms:Decrypt"], [_keys.KEY.get("Arn")]),
                    ),
                )
            ],
        ),
        rds.DBProxy(
            _proxy(name).id,
            DBProxyName=site.name(f"{name}-proxy", limit=60),
            EngineFamily="MYSQL",
            RoleArn=role.get("Arn"),
            RequireTLS=spec.require_tls,
            IdleClientTimeout=IDLE_S,
            VpcSubnetIds=network.subnets("isolated", site),
            VpcSecurityGroupIds=[_groups.of_proxy(name)],
            Auth=[
                rds.AuthFormat(
                    AuthScheme="SECRETS", IAMAuth="DISABLED", SecretArn=user_secret(name)
                )
            ],
        ),
        rds.DBProxyTargetGroup(
            camel(name, "proxy-target"),
            DBProxyName=_proxy(name),
            TargetGroupName="default",
            DBClusterIdentifiers=[cluster(name)],
            DependsOn=camel(name, "server", site.zones[0].name),
        ),
        rds.DBProxyEndpoint(
            camel(name, "proxy-reader"),
            DBProxyEndpointName=site.name(f"{name}-reader", limit=60),
            DBProxyName=_proxy(name),
            TargetRole="READ_ONLY",
            VpcSubnetIds=network.subnets("isolated", site),
            VpcSecurityGroupIds=[_groups.of_proxy(name)],
        ),
    ]
    return (part("database", DATA, one) for one in made)


def _proxy(name: str) -> Ref:
    return Ref(DATA, camel(name, "proxy"))

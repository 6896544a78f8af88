"""Ways to services of AWS that do not lead through the internet."""

from collections.abc import Iterator

from troposphere import Sub, Tags, ec2

from cordillera.components.wanted import Wanted
from cordillera.targets.aws._groups import ENDPOINTS
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import NETWORK, Site

VPC = Ref(NETWORK, "Vpc")


def endpoints(want: Wanted, site: Site) -> Iterator[AwsPart]:
    """The free one to S3 always; one with an address in each zone for each that is asked for."""
    tables = [Ref(NETWORK, f"PrivateRoutes{zone.name.upper()}") for zone in site.zones]
    yield part(
        "network",
        NETWORK,
        ec2.VPCEndpoint(
            "S3Endpoint",
            VpcId=VPC,
            ServiceName=Sub("com.amazonaws.${AWS::Region}.s3"),
            VpcEndpointType="Gateway",
            RouteTableIds=[Ref(NETWORK, "PublicRoutes"), Ref(NETWORK, "IsolatedRoutes"), *tables],
        ),
    )
    for name in want.network.endpoints:
        yield part("network", NETWORK, _interface(name, site))


def _interface(name: str, site: Site) -> ec2.VPCEndpoint:
    return ec2.VPCEndpoint(
        camel("endpoint", name),
        VpcId=VPC,
        ServiceName=Sub(f"com.amazonaws.${{AWS::Region}}.{name.replace('ecr-', 'ecr.')}"),
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
        SubnetIds=[Ref(NETWORK, camel("isolated-subnet", zone.name)) for zone in site.zones],
        SecurityGroupIds=[Ref(NETWORK, ENDPOINTS)],
        Tags=Tags(Name=f"{site.environment} {name}"),
    )

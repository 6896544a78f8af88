"""Certificates from ACM for the manifest's domains; private keys never leave it."""

from typing import Any

from troposphere import certificatemanager

from cordillera.components.protocol import Progress
from cordillera.components.target import Offered
from cordillera.components.wanted import Wanted
from cordillera.targets.aws import _certificate_live
from cordillera.targets.aws._component import Component
from cordillera.targets.aws._live import Live
from cordillera.targets.aws._parts import Parts, part
from cordillera.targets.aws._public import behind_edge
from cordillera.targets.aws._refs import Ref
from cordillera.targets.aws._site import EDGE, EDGE_REGION, FRONT, STANDBY_APP, Site

OFFER = Offered("from ACM, validated by DNS; needs a domain")

CERTIFICATE = Ref(FRONT, "Certificate")
EDGE_CERTIFICATE = Ref(EDGE, "EdgeCertificate")


def certificate(want: Wanted) -> Ref | None:
    """The region's certificate; None without a domain."""
    return CERTIFICATE if want.edge.domains else None


def at_edge(want: Wanted, site: Site) -> Ref | None:
    """CloudFront's certificate, which lies in us-east-1; None without a domain."""
    if not want.edge.domains:
        return None
    return CERTIFICATE if site.region == EDGE_REGION else EDGE_CERTIFICATE


class Certificate(Component):
    """One certificate for all domains in each region that needs it, renewed by ACM itself."""

    name = "certificate"

    def parts(self, want: Wanted, site: Site) -> Parts:
        if not want.edge.domains:
            return ()
        made = [part("certificate", FRONT, issued(CERTIFICATE.id, want))]
        if behind_edge(want) and at_edge(want, site) == EDGE_CERTIFICATE:
            made.append(part("certificate", EDGE, issued(EDGE_CERTIFICATE.id, want)))
        return made

    def meanwhile(self, unit: str, want: Wanted, live: Live) -> Progress | None:
        """What proves whose the domains are, written or told."""
        found = made_in(unit, want, live.site)
        return _certificate_live.settle(found, want.edge.domains[0], live) if found else None


def made_in(unit: str, want: Wanted, site: Site) -> Ref | None:
    """The certificate that a stack holds; None where it holds none."""
    edge = at_edge(want, site)
    if edge is None:
        return None
    made = {FRONT: CERTIFICATE, STANDBY_APP: Ref(STANDBY_APP, CERTIFICATE.id)}
    if edge.unit == EDGE and behind_edge(want):
        made[EDGE] = edge
    return made.get(unit)


def issued(id: str, want: Wanted) -> Any:
    """A certificate for all domains of an environment."""
    first, *others = want.edge.domains
    more = {"SubjectAlternativeNames": others} if others else {}
    return certificatemanager.Certificate(
        id, DomainName=first, ValidationMethod="DNS", KeyAlgorithm="EC_prime256v1", **more
    )

"""The components that the manifest's `resources` may ask for, and what an app learns of them."""

from collections.abc import Iterator, Mapping
from functools import cache as remembered

from cordillera.components.wanted import Wanted
from cordillera.targets.local import cache, database, mail, objects, queue, search
from cordillera.targets.local._component import Component
from cordillera.targets.local._parts import Endpoint
from cordillera.targets.local._site import Site, Zone


@remembered
def by_type() -> Mapping[str, Component]:
    """Resource type -> component."""
    made = (
        database.Database(),
        cache.Cache(),
        search.Search(),
        objects.Objects(),
        queue.Queue(),
        mail.Mail(),
    )
    return {component.name: component for component in made}


def variables(want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
    """What an app that uses `resource` receives in `zone`."""
    return by_type()[want.resources[resource].type].variables(want, site, resource, zone)


def fields(want: Wanted, site: Site, resource: str, zone: Zone) -> Mapping[str, str]:
    """What `${resources.NAME.FIELD}` may ask."""
    return by_type()[want.resources[resource].type].fields(want, site, resource, zone)


def endpoints(want: Wanted, site: Site) -> Iterator[Endpoint]:
    """The stable addresses that every zone offers."""
    for component in by_type().values():
        yield from component.endpoints(want, site)

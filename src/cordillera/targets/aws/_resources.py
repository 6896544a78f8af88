"""The components that the manifest's `resources` may ask for, and what an app learns of them."""

from collections.abc import Mapping, Sequence
from functools import cache as remembered

from cordillera.components.wanted import Wanted
from cordillera.targets.aws import cache, database, mail, objects, queue, search
from cordillera.targets.aws._component import Component, Statement
from cordillera.targets.aws._refs import Value
from cordillera.targets.aws._site import Site


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


def of(want: Wanted, resource: str) -> Component:
    """The component of a resource."""
    return by_type()[want.resources[resource].type]


def variables(want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
    """What an app that uses `resource` receives."""
    return of(want, resource).variables(want, site, resource)


def fields(want: Wanted, site: Site, resource: str) -> Mapping[str, Value]:
    """What `${resources.NAME.FIELD}` may ask."""
    return of(want, resource).fields(want, site, resource)


def access(want: Wanted, site: Site, resource: str) -> Sequence[Statement]:
    """What the role of a service that uses `resource` may do with it."""
    return of(want, resource).access(want, site, resource)

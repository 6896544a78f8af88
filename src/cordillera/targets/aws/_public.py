"""What the public reaches: the one public service, and objects that anybody may read."""

from cordillera.components.objects import ObjectsSpec
from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused
from cordillera.targets.aws._refs import Ref, camel
from cordillera.targets.aws._site import DATA, EDGE

DISTRIBUTION = Ref(EDGE, "Distribution")


def public_service(want: Wanted) -> str | None:
    """Its name; None when all are internal. Raises Refused for more than one."""
    names = [name for name, spec in want.services.items() if spec.public]
    if len(names) > 1:
        raise Refused(
            f"{' and '.join(names)} are both public, and one is offered on `aws` yet",
            hint="keep `public: true` on one of them and let it pass requests on",
        )
    return names[0] if names else None


def behind_edge(want: Wanted) -> bool:
    """Whether visitors come through CloudFront."""
    return public_service(want) is not None and not want.network.internal


def bucket(resource: str) -> Ref:
    """The bucket of a resource of the type `objects`, which lets CloudFront of this account read."""
    return Ref(DATA, camel(resource, "bucket"))


def public_objects(want: Wanted) -> list[tuple[str, str]]:
    """(resource, prefix) of objects that anybody may read, at `/PREFIX` of the published address."""
    return [
        (name, prefix)
        for name, spec in want.of_type("objects")
        if isinstance(spec, ObjectsSpec)
        for prefix in spec.public
    ]

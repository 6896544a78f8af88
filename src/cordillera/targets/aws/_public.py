"""Which service the published address leads to."""

from cordillera.components.wanted import Wanted
from cordillera.core.errors import Refused


def public_service(want: Wanted) -> str | None:
    """Its name; None when all are internal. Raises Refused for more than one."""
    names = [name for name, spec in want.services.items() if spec.public]
    if len(names) > 1:
        raise Refused(
            f"{' and '.join(names)} are both public, and one is offered on `aws` yet",
            hint="keep `public: true` on one of them and let it pass requests on",
        )
    return names[0] if names else None

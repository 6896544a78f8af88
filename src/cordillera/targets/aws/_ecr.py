"""Images in registries of ECR: what an image's name says of them. Pure."""

import re
from dataclasses import dataclass

NAME = re.compile(
    r"(?P<registry>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.]+/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>\w+:\w+))?"
)
LATEST = "latest"


@dataclass(frozen=True)
class EcrImage:
    """An image of a registry: by its tag, or by its digest, which then decides."""

    registry: str
    region: str
    repository: str
    tag: str = LATEST
    digest: str = ""

    @property
    def id(self) -> dict[str, str]:
        """As ECR's own calls name it."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag}


def parsed(image: str) -> EcrImage | None:
    """What the name of an image in ECR says; None for one that lies elsewhere."""
    found = NAME.fullmatch(image)
    if found is None:
        return None
    return EcrImage(
        found["registry"],
        found["region"],
        found["repository"],
        found["tag"] or LATEST,
        found["digest"] or "",
    )

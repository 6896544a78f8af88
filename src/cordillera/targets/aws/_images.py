"""Where a service's image lies, and the repository of those that we build."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

from troposphere import ecr

from cordillera.components.service import ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.core import folder
from cordillera.core.errors import ManifestError
from cordillera.targets.aws import _keys, _mail_relay
from cordillera.targets.aws._parts import AwsPart, part
from cordillera.targets.aws._refs import Ref, Text, camel, text
from cordillera.targets.aws._site import DATA, Site

KEPT_IMAGES = 30
ID_LETTERS = 10


def repository(name: str) -> Ref:
    """The repository of a service's images."""
    return Ref(DATA, camel(name, "repository"))


def repository_name(name: str, site: Site) -> str:
    """What that repository is called."""
    return f"cordillera/{site.environment}/{name}"


def image(name: str, want: Wanted) -> Text:
    """The image that a service's copies run: the manifest's own, or the one pushed for this release."""
    spec = want.services[name]
    if spec.image:
        return spec.image
    made: Text = text(repository(name).get("RepositoryUri"), f":{want.releases[name]}")
    return made


def with_releases(want: Wanted) -> Wanted:
    """The same, with each service's release named after what its folder holds now."""
    want = _mail_relay.with_relays(want)
    if want.releases:
        return want
    made = {name: _identity(spec, want) for name, spec in want.services.items()}
    return replace(want, releases=made)


def repositories(want: Wanted, site: Site) -> Iterator[AwsPart]:
    """One for each service whose image we build."""
    for name, spec in want.services.items():
        if not spec.image:
            yield part("service", DATA, _repository(name, site))


def _repository(name: str, site: Site) -> ecr.Repository:
    return ecr.Repository(
        repository(name).id,
        RepositoryName=repository_name(name, site),
        ImageTagMutability="IMMUTABLE",
        ImageScanningConfiguration=ecr.ImageScanningConfiguration(ScanOnPush=True),
        EncryptionConfiguration=ecr.EncryptionConfiguration(
            EncryptionType="KMS", KmsKey=_keys.KEY.get("Arn")
        ),
        EmptyOnDelete=True,
        LifecyclePolicy=ecr.LifecyclePolicy(LifecyclePolicyText=last_images()),
    )


def last_images() -> str:
    """The lifecycle policy of a repository: how many images are kept."""
    rule = {
        "rulePriority": 1,
        "selection": {
            "tagStatus": "any",
            "countType": "imageCountMoreThan",
            "countNumber": KEPT_IMAGES,
        },
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]}, sort_keys=True)


def _identity(spec: ServiceSpec, want: Wanted) -> str:
    if spec.image:
        return hashlib.sha256(spec.image.encode()).hexdigest()[:ID_LETTERS]
    build = spec.build
    place = (want.folder / (build.context if build else ".")).resolve()
    if not place.is_dir():
        raise ManifestError(
            f"build.context {place} is not a folder", hint="name the folder of the app"
        )
    how = f"{build.dockerfile or ''}\n{build.run or ''}\n" if build else "\n\n"
    digest = hashlib.sha256(how.encode())
    folder.feed(digest, place)
    return digest.hexdigest()[:ID_LETTERS]

"""Images of the app are built by a container engine and pushed, once for each release."""

import base64
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from cordillera.components.service import ServiceSpec
from cordillera.components.wanted import Wanted
from cordillera.core import folder, process
from cordillera.core.errors import CordilleraError, NotReady, Refused
from cordillera.targets.aws import _images
from cordillera.targets.aws._client import AwsError
from cordillera.targets.aws._live import Live

ENGINES = ("docker", "podman")
ANSWER_WITHIN_S, BUILD_WITHIN_S = 20.0, 1800.0
ABSENT = ("ImageNotFoundException", "RepositoryNotFoundException", "404")
PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


@cache
def engine() -> str | None:
    """The first container engine that answers; None when there is none."""
    for name in ENGINES:
        found = shutil.which(name)
        with suppress(CordilleraError):
            if found:
                process.run([found, "info"], timeout_s=ANSWER_WITHIN_S)
                return found
    return None


def push(name: str, want: Wanted, live: Live) -> None:
    """Build a service's image and push it, unless its release is there. May be called twice."""
    if there(name, want, live):
        return
    refuse_unless_possible(name, want)
    registry = _log_in(live)
    image = f"{live.output(_images.repository(name).get('RepositoryUri'))}:{want.releases[name]}"
    build(want.services[name], want.folder, image)
    tls = [] if registry.startswith("https://") else _without_tls()
    try:
        _ask("push", *tls, image)
    except CordilleraError as e:
        if "immutable" not in str(e):  # somebody else has just pushed the same release
            raise
    finally:
        with suppress(CordilleraError):
            _ask("image", "rm", "--force", image)


def there(name: str, want: Wanted, live: Live) -> bool:
    """Whether the repository has the image of this release."""
    repository = _images.repository_name(name, live.site)
    try:
        found = live.client("ecr").describe_images(
            repositoryName=repository, imageIds=[{"imageTag": want.releases[name]}]
        )
    except AwsError as e:
        if e.code in ABSENT:
            return False
        raise
    return bool(found["imageDetails"])


def refuse_unless_possible(name: str, want: Wanted) -> None:
    """Raises Refused where the image of a service can be neither found nor built."""
    spec = want.services[name]
    if engine() is None:
        raise Refused(
            f"the image of service {name} must be built, and neither Docker nor Podman answers here",
            hint="start one, or build it elsewhere and name it: `image:`",
        )
    if not (spec.build and spec.build.dockerfile):
        raise Refused(
            f"service {name} has no Dockerfile, and aws runs images only",
            hint="write one and name it: `build: {dockerfile: Dockerfile}`",
        )


def build(spec: ServiceSpec, app: Path, image: str) -> None:
    """Build an image of what a release consists of. Raises CommandFailed with the engine's last line."""
    assert spec.build is not None and spec.build.dockerfile is not None
    source = (app / spec.build.context).resolve()
    with tempfile.TemporaryDirectory(prefix="cordillera-build-") as place:
        for path in folder.contents(source):
            copy = Path(place) / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy, follow_symlinks=False)
        dockerfile = str(Path(place) / spec.build.dockerfile)
        platform = ["--platform", PLATFORMS[spec.architecture]]
        _ask("build", "--quiet", *platform, "--file", dockerfile, "--tag", image, place)


def _log_in(live: Live) -> str:
    """Let the engine into the registry; the password goes in by standard input."""
    token = live.client("ecr").get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
    registry = str(token["proxyEndpoint"])
    host = registry.split("://")[-1]
    tls = [] if registry.startswith("https://") else _without_tls()
    process.run(
        [engine() or "", "login", *tls, "--username", user, "--password-stdin", host],
        timeout_s=ANSWER_WITHIN_S,
        stdin=password,
    )
    return registry


def _without_tls() -> list[str]:
    """Registries without TLS are emulators only; Docker takes those on loopback by itself."""
    return ["--tls-verify=false"] if Path(engine() or "").name == "podman" else []


def _ask(*words: str) -> str:
    try:
        return process.run([engine() or "", *words], timeout_s=BUILD_WITHIN_S)
    except NotReady as e:
        raise CordilleraError(
            f"the container engine has not finished `{words[0]}` in {BUILD_WITHIN_S:.0f} s"
        ) from e

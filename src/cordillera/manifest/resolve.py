"""One environment of a manifest, overlays applied."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cordillera.components.wanted import Wanted
from cordillera.core.errors import ManifestError
from cordillera.manifest import problems
from cordillera.manifest.model import OVERLAYS, App, EnvironmentSpec, Manifest


def wanted(manifest: Manifest, environment: str, folder: Path) -> Wanted:
    """What a target is asked for. Raises ManifestError when there is no such environment."""
    if environment not in manifest.environments:
        raise ManifestError(
            f"the manifest has no environment called {environment}",
            hint=problems.did_you_mean(environment, manifest.environments)
            or f"add one: cordillera env create {environment}",
        )
    spec = manifest.environments[environment]
    app = App.model_validate(merged(manifest, environment))
    return _joined(app, environment, spec, folder)


def base(manifest: Manifest, folder: Path) -> Wanted:
    """The app as if one plain environment were written."""
    return _joined(manifest, "app/plain", EnvironmentSpec(), folder)


def merged(manifest: Manifest, environment: str) -> dict[str, Any]:
    """The app's keys with the environment's laid over them, as they would be written."""
    spec = manifest.environments[environment]
    plain = manifest.model_dump(by_alias=True, exclude={"environments"}, exclude_unset=True)
    overlay = {key: value for key in OVERLAYS if (value := getattr(spec, key))}
    return _laid_over(plain, _widened(overlay))


def _joined(app: App, environment: str, spec: EnvironmentSpec, folder: Path) -> Wanted:
    return Wanted(
        app=app.app,
        environment=environment,
        folder=folder,
        target=spec.target,
        rehearsal=spec.rehearsal,
        zones=spec.zones,
        region=spec.region,
        standby_region=spec.standby_region,
        services=app.services,
        resources=app.resources,
        account=spec.account,
        network=app.network,
        edge=app.edge,
        watch=app.watch,
        recovery=app.recovery,
    )


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key; anything else is replaced."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = (
            _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
        )
    return result


def _widened(overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Shorthands as mappings, so that `scale: 4` replaces the whole of a longer `scale`."""
    services = {
        name: {
            **keys,
            **(
                {"scale": {"min": keys["scale"], "max": keys["scale"]}}
                if isinstance(keys.get("scale"), int)
                else {}
            ),
            **({"health": {"path": keys["health"]}} if isinstance(keys.get("health"), str) else {}),
        }
        for name, keys in (overlay.get("services") or {}).items()
    }
    return {**overlay, **({"services": services} if services else {})}

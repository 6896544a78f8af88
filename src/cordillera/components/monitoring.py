"""Monitoring: what the manifest may ask to be watched."""

from pydantic import Field

from cordillera.components.base import Section
from cordillera.core.units import Seconds


class ApdexSpec(Section):
    """The Apdex thresholds T and the score below which somebody is told."""

    server: Seconds = Field(default=0.5, gt=0)
    """T of the server's answers."""

    browser: Seconds = Field(default=7.0, gt=0)
    """T of pages in browsers."""

    alert_below: float = Field(default=0.85, ge=0, le=1)
    """Score that alerts."""


class UptimeSpec(Section):
    """Checks from many places."""

    every: Seconds = Field(default=30.0, ge=1)
    """Time between checks."""

    path: str = Field(default="/", pattern=r"^/")
    """What is asked."""

    confirm: int = Field(default=2, ge=1, le=10)
    """Failed checks in a row that count as down."""


class AlarmSpec(Section):
    """An alarm on one of the app's own metrics."""

    metric: str
    """The metric's name."""

    above: float | None = None
    """Alarm above this value."""

    below: float | None = None
    """Alarm below this value."""

    for_: Seconds = Field(default=300.0, ge=0, alias="for")
    """How long it must last."""


class WatchSpec(Section):
    """What is watched, and when somebody is told. Offered on `aws`, not on `local` yet."""

    apdex: ApdexSpec = ApdexSpec.model_construct()
    """Satisfaction of users."""

    uptime: UptimeSpec = UptimeSpec.model_construct()
    """Checks from outside."""

    alarms: dict[str, AlarmSpec] = {}
    """The app's own alarms."""

    webhook: str | None = Field(default=None, pattern=r"^https://[^\s\"]+$")
    """Where alarms are sent, by HTTPS."""

    budget: float | None = Field(default=None, gt=0)
    """Dollars a month; somebody is told at 80 %, and when the forecast is above it."""

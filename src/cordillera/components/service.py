"""A service: what the manifest may ask of the app's own processes."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from cordillera.components.base import Name, Section, VariableName
from cordillera.core.units import Bytes, Percent, Seconds

COPIES_MAX = 100


def _text(value: object) -> object:
    """YAML reads `DEBUG: 1` as a number and `true` as a truth; a variable is text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, BeforeValidator(_text, json_schema_input_type=str | int | float | bool)]


class BuildSpec(Section):
    """How a release is made of the app's folder."""

    context: str = "."
    """The folder, seen from the manifest."""

    dockerfile: str | None = None
    """A Dockerfile in it; needs a container engine."""

    run: str | None = None
    """Without a container engine: the command run once in an immutable copy of the folder."""


class HealthSpec(Section):
    """How a copy is asked whether it is well. A plain text is the path."""

    path: str = Field(default="/", pattern=r"^/\S*$")
    """Asked by GET; any status below 400 is well."""

    every: Seconds = Field(default=2.0, ge=0.1)
    """Time between two questions."""

    timeout: Seconds = Field(default=1.0, gt=0)
    """A slower answer counts as none: the copy gets no requests until it is quick again."""

    start: Seconds = Field(default=60.0, ge=1)
    """How long a new copy may take to its first good answer, before `up` gives up and says why."""


class TargetSpec(Section):
    """The load that `scale` steers for."""

    cpu: Percent | None = None
    """Mean share of the copies' CPU limit."""

    memory: Percent | None = None
    """Mean share of the copies' memory limit."""

    requests: float | None = Field(default=None, gt=0)
    """Requests a second and copy."""

    queue: dict[Name, int] = Field(default_factory=dict)
    """Queue resource -> messages waiting per copy."""


class ScaleSpec(Section):
    """How many copies run: `min` to `max`. A plain number is both."""

    min: int = Field(default=2, ge=1, le=COPIES_MAX)
    """Copies that always run, spread over the zones."""

    max: int = Field(default=0, ge=0, le=COPIES_MAX)
    """Copies at the highest load; 0 is as many as `min`."""

    agreed_max: int | None = Field(default=None, ge=1, le=COPIES_MAX)
    """Copies above this number are counted per day, for the bill."""

    target: TargetSpec | None = None
    """What decides between `min` and `max`."""

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.max and self.min > self.max:
            raise ValueError(f"min ({self.min}) is greater than max ({self.max})")
        return self


class SecretSpec(Section):
    """A secret that a service receives as a variable. A plain text is the name."""

    name: VariableName
    """The variable's name."""

    generate: bool = False
    """Make a random value if nobody set one."""


def _shorthand(key: str, section: type[Section]) -> Any:
    """A validator that reads a plain text as a section with one key."""

    def widen(value: object) -> object:
        return value if isinstance(value, dict | Section) or value is None else {key: value}

    return BeforeValidator(widen, json_schema_input_type=str | section)


Copies = Annotated[int, Field(ge=1, le=COPIES_MAX)]


def _copies(value: object) -> object:
    plain = isinstance(value, int) and not isinstance(value, bool)
    return {"min": value, "max": value} if plain else value


class ServiceSpec(Section):
    """Processes of the app, all alike: a web server, a worker."""

    image: str | None = None
    """A container image. Instead of `build`; needs a container engine."""

    build: BuildSpec | None = None
    """How the app's folder becomes a release. Without it the folder itself is the release."""

    command: str = ""
    """What each copy runs, in a shell; `$PORT` is where it must listen."""

    release: str | None = None
    """Run once for each release, before it gets traffic: migrations and the like."""

    port: int = Field(default=8000, ge=1, le=65535)
    """What `$PORT` is on aws, kubernetes and swarm; `local` chooses one for each copy."""

    public: bool = False
    """True: the published address leads here. False: reached from the environment's services only."""

    health: Annotated[HealthSpec | None, _shorthand("path", HealthSpec)] = None
    """How copies are asked whether they are well. Without it a service that is not public has no port."""

    resources: list[Name] = []
    """Names of the resources it uses: each adds its variables."""

    scale: Annotated[
        ScaleSpec, BeforeValidator(_copies, json_schema_input_type=Copies | ScaleSpec)
    ] = ScaleSpec.model_construct()
    """How many copies run."""

    cpu: float = Field(default=0.5, gt=0, le=64)
    """Cores each copy may use at most."""

    memory: Bytes = Field(default=512 * 2**20, ge=2**20)
    """Memory each copy may use; above it the copy is ended and started again."""

    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """The processor that its copies run on, where the target has both; arm64 is cheaper on aws."""

    spot: bool = False
    """True: all copies but the first may be taken away with two minutes' notice, where the target
    has such capacity: much cheaper, and right for what no visitor waits for."""

    secrets: list[Annotated[SecretSpec, _shorthand("name", SecretSpec)]] = []
    """Secrets it receives as variables. Set them with `cordillera secrets set`."""

    environment: dict[VariableName, Text] = {}
    """Further variables; may refer to `${resources.db.host}`, `${services.api.url}`, `${environment.X}`."""

    stop_grace: Seconds = Field(default=10.0, ge=0, le=3600)
    """Time from SIGTERM to SIGKILL."""

    @model_validator(mode="after")
    def _runs_something(self) -> Self:
        if self.image and self.build:
            raise ValueError("image and build exclude each other")
        if not self.image and not self.command and not (self.build and self.build.dockerfile):
            raise ValueError("command is missing: what should each copy run?")
        return self

"""Mail: what the manifest may ask, what every target must do."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from cordillera.components.base import Name, Section, VariableName
from cordillera.core.units import Rate


class ProviderSpec(Section):
    """A mail provider's SMTP server. A plain text is the name of a known one."""

    name: Name
    """`ses` and `sendgrid` are known; any other needs a host."""

    host: str | None = None
    """Its SMTP server."""

    port: int = Field(default=587, ge=1, le=65535)
    """Its port for submission."""

    username: str | None = None
    """User to log in as."""

    password: VariableName | None = None
    """Name of the secret that holds the password."""

    tls: bool = True
    """Refuse to send without TLS."""


class StreamSpec(Section):
    """Mails of one kind."""

    rate: Rate | None = None
    """How many may leave, such as 10/s or 600/m; without it as many as the provider takes."""


class StreamsSpec(Section):
    """Two kinds of mail that never wait for each other."""

    transactional: StreamSpec = StreamSpec.model_construct()
    """Mails that somebody waits for: a new password, an order."""

    bulk: StreamSpec = StreamSpec.model_construct(rate=10.0)
    """Newsletters: mails with the header `X-Cordillera-Stream: bulk`."""


def _provider(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


Provider = Annotated[
    ProviderSpec, BeforeValidator(_provider, json_schema_input_type=str | ProviderSpec)
]


class MailSpec(Section):
    """Outgoing mail: a durable queue in each zone and providers in order."""

    type: Literal["mail"]
    """Says that this resource is mail."""

    from_: str | None = Field(default=None, alias="from")
    """The sender's address that the app should use."""

    providers: list[Provider] = []
    """In order: the next one takes over while one does not take mail."""

    capture: bool = True
    """On `local`: keep every mail and send none. `cordillera mail` shows them."""

    streams: StreamsSpec = StreamsSpec.model_construct()
    """Rates of each kind of mail."""

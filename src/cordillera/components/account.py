"""The account an environment lives in, where its target has accounts."""

from pydantic import Field

from cordillera.components.base import Section


class AccountSpec(Section):
    """Whose account, and how we get in. Without any of it: as the SDK finds its credentials."""

    id: str | None = Field(default=None, pattern=r"^\d{12}$")
    """The account's number: `up` is refused in any other."""

    profile: str | None = None
    """A profile of the SDK's configuration."""

    role: str | None = Field(default=None, pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")
    """A role to take on, in the customer's account: `cordillera aws role` prints a template of one."""

    external_id: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_+=,.@:/-]+$", min_length=2, max_length=1224
    )
    """What the customer's role asks for besides."""

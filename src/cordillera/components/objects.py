"""Objects: what the manifest may ask, what every target must do."""

from typing import Annotated, Literal

from pydantic import Field

from cordillera.components.base import Section

Prefix = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*/$")]


class ObjectsSpec(Section):
    """An S3-compatible bucket with a copy in each zone."""

    type: Literal["objects"]
    """Says that this resource is a bucket."""

    public: list[Prefix] = []
    """Prefixes that anybody may read, such as `media/`; the rest is private."""

"""What every section of the manifest is: frozen, unknown keys forbidden, documented by its docstrings."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
"""Lower-case letters, digits and dashes, beginning with a letter."""

VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""As environment variables are named."""


class Section(BaseModel):
    """Frozen; unknown keys are refused; a field's docstring is its page in the reference.

    Commands are short: docstrings are read by whoever asks (`manifest.meanings`), validators are built when
    something is validated. So a section that is a default is written `XSpec.model_construct()`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        defer_build=True,
    )


def variable_prefix(name: str) -> str:
    """How variables begin that tell of a resource or a provider: `news-db` becomes NEWS_DB."""
    return name.upper().replace("-", "_")

"""Backup and recovery: what the manifest may promise."""

from pydantic import Field

from cordillera.components.base import Section
from cordillera.core.units import Seconds


class RecoverySpec(Section):
    """How soon, and with how little lost, an environment must be back."""

    rto: Seconds = Field(default=900.0, gt=0)
    """Recovery time objective."""

    rpo: Seconds = Field(default=300.0, ge=0)
    """Recovery point objective."""

    tolerate: Seconds = Field(default=600.0, ge=0)
    """How long a lost region is waited for before a person is asked to decide."""

"""`up` against an emulator, as the command does it."""

from cordillera.components.protocol import Place, Plan
from cordillera.components.wanted import Wanted
from cordillera.core.clock import SystemClock
from cordillera.operations import provision
from cordillera.targets.aws._engine import AwsEngine


def up(want: Wanted, token: str = "up-1") -> Plan:
    """What was planned, and carried out."""
    engine = AwsEngine()
    plan = engine.plan(want, Place(want.environment, want.region))
    provision.apply(engine, plan, lambda _: None, clock=SystemClock(), token=token)
    return plan

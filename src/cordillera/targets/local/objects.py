"""Stub."""
from cordillera.targets.local._component import Component


class Objects(Component):
    name = "objects"

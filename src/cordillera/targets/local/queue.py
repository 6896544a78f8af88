"""Stub."""
from cordillera.targets.local._component import Component


class Queue(Component):
    name = "queue"

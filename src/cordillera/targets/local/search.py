"""Stub."""
from cordillera.targets.local._component import Component


class Search(Component):
    name = "search"

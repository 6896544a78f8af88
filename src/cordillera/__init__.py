"""Cordillera: a managed cloud that a small team owns."""

__version__ = "0.1.0"

"""The target `local`: real servers as supervised processes on one Linux machine."""

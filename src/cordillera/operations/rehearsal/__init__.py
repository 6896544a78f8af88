"""Rehearsals: losing things under load, with a record of our own of what was acknowledged."""

"""WHAT an environment is made of: one file per component."""

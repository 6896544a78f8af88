"""The content cache at the edge: paths are named in edge.cache."""

"""The picture of a run: a graph in time of what was observed, in the user's project and in the tenant project."""

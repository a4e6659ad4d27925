"""Leave now, pay later: what becomes of a stay's debt that nobody paid in time, and how it is asked for."""

"""The grid of a sweep: its cells, which of them a condition leaves, and in which order."""

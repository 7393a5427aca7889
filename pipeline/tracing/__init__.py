"""Tracing a boundary: which cells of a dense map have to be trained to know where it runs."""

"""Measurements of a network before, during and after its training."""

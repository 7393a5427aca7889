"""Activations and the elementary functions that they are made of, compiled; subnormal numbers."""

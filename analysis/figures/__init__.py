"""Figures: a file for each that the command line knows, and what they share."""

"""The atlas of a running sweep, served on this machine."""

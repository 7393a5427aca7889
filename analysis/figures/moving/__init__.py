"""Pictures of several frames: maps that move, and sequences of zooms."""

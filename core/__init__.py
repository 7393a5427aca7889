"""The NumPy trainer and the physics: no files, no Ray, no tables."""

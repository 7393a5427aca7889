"""What is measured of a network before, during and after its training."""

"""Gradient descent on one network, compiled by Numba: products, passes, losses, norms, the loop."""

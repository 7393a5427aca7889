"""The theory of infinitely wide networks."""

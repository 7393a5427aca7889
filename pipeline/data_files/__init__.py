"""A user's own data file as a data set: read as its owner means it, or refused with a remedy."""

"""How people write YAML, axes, names and durations, and what they may have meant."""

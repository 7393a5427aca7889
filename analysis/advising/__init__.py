"""Where to start: init scales and learning rates that suit a network."""

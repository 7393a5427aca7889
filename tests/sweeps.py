"""Sweep files of which several tests train the trials."""

# A map of 1,250 cells, whose boundary is traced in rounds.
DENSE = """
name: edge
dataset: digits
examples: 24
depth: [2, 3]
width: 6
activation: tanh
init_scale: {geomspace: [0.1, 30, 25]}
learning_rate: {geomspace: [1.0e-3, 1000, 25]}
steps: 6
measure: []
"""
TRACED = DENSE + "trace: {axes: [init_scale, learning_rate], of: diverged}\n"

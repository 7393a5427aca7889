"""How a step is taken: optimizers, schedules, and what each layer takes of the learning rate."""

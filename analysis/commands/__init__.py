"""The commands that read a store; the phasesweep command mounts them."""

"""The argument about gradients: its claims, and the rules that judge them from measured rows."""

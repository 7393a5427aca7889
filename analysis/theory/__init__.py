"""What infinite width predicts for the networks of a store's rows."""

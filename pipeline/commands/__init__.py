"""What the command line asks and says: options, forecasts, progress, a store's status."""

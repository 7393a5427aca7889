"""The atlas: a store as one HTML page that works offline."""

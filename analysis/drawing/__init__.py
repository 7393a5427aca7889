"""What figures share: pages and panels, cells of a map, lines, marks, log-scaled axes."""

"""The sweep file: its fields, how they combine, and whether they fit the data."""

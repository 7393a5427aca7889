"""A store's rows: as DataFrames, as DuckDB views, by SQL, and what their columns mean."""

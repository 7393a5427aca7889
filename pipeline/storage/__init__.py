"""The Parquet store: files, locks, commits, schemas, verification, compaction."""

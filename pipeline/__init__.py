"""phasesweep's pipeline: sweep file, plan, executors, one writer, a Parquet store."""

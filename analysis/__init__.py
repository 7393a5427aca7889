"""From a store to tables and figures; needs the Parquet files alone, no pipeline, no Ray."""

"""
The same question to pandas, DuckDB and Polars
==============================================

A store is a folder of Parquet files, so you can query it without phasesweep. What share of the runs
trained?
"""

import os

import pandas as pd
from matplotlib.figure import Figure

store = os.environ.get("PHASESWEEP_STORE", "demo/quickstart")

runs = pd.read_parquet(f"{store}/runs", columns=["activation", "depth", "outcome"])
runs["trained"] = runs["outcome"] == "trained"
shares = runs.groupby(["activation", "depth"])["trained"].mean().unstack("activation")
figure = Figure(figsize=(6, 3), layout="constrained")
shares.plot.bar(ax=figure.subplots(), ylabel="share that trained", rot=0)
shares

# %%
# DuckDB reads only the columns that the query names.

import duckdb

duckdb.sql(
    f"""
    select activation, depth, avg((outcome = 'trained')::int) as trained
    from '{store}/runs/*.parquet'
    group by all order by all
    """
).df()

# %%
# Polars plans the whole query before it reads anything.

import polars as pl

(
    pl.scan_parquet(f"{store}/runs/*.parquet")
    .group_by("activation", "depth")
    .agg(trained=(pl.col("outcome") == "trained").mean())
    .sort("activation", "depth")
    .collect()
    .to_pandas()
)

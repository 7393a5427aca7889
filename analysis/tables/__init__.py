"""From rows to tables: functions of DataFrames that return DataFrames."""

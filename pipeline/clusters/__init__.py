"""A Ray cluster: joining it, equal versions, and batches whose node or worker died."""

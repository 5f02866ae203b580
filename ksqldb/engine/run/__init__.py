"""Running compiled queries: operators over batches of records, their state, and what readers of a query see."""

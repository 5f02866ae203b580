"""The embedded ksqlDB-compatible engine: parse -> analyse -> plan -> compile -> run, and its REST server."""

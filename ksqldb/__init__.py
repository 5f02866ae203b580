"""ksqlDB: an async client, the rule files and an embedded engine."""

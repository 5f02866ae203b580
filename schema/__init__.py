"""Data contracts: Kafka topics, events of the log, PostgreSQL migrations."""

"""The embedded stack: PostgreSQL, a Kafka-protocol broker and the ksqlDB engine, reached by their addresses only."""

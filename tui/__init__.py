"""The control center: a Textual application over the log, ksqlDB and Kafka."""

"""Detection, event log, Kafka inlet, workers and the embedded stack."""

"""Kafka at the edge: the fenced inlet, the producer, topics and lag."""

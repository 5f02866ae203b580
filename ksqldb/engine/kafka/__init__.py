"""The engine's edge to Kafka: topics (`cluster`), one shared reader for all persistent queries (`feed`), a reader for
each transient query (`reader`), sinks (`output`), and the persistent queries at work with their snapshots (`running`)."""

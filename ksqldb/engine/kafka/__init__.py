"""The engine's Kafka side: topics read once and shared by queries, results written, state kept across restarts."""

"""Judges the engine by ksqlDB's own functional test cases. ``python -m ksqldb.conformance PATH... [--json]``."""

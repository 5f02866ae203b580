"""A single-node Kafka broker: batches are opaque, logs are segment files, groups and idempotent producers are kept.

It speaks the Kafka wire protocol (the versions of `api.py`), so that clients and the engine know a bootstrap address
and nothing else. It is for one machine: one node, no replication, no transactions, no log compaction, no TLS; it relies
on the operating system to write pages back: a killed process loses nothing, a power cut may lose the last seconds.
"""

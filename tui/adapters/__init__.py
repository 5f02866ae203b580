"""The real ports: PostgreSQL, ksqlDB, Kafka, the stack.

Nothing heavy is imported here before ``Connections.open``: the first paint does not wait for drivers.
"""

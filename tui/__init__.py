"""The control center: a Textual app over the event log, ksqlDB and Kafka."""

from tui.terminal import environment

environment.set_defaults()

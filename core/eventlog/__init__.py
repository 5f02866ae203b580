"""The append-only event log in PostgreSQL: append, read, subscribe, seal, verify."""

from core.eventlog.log import EventLog
from core.eventlog.record import Appended, Conflict, Duplicate, Item, Meta, Recorded, Verdict, caused_by

__all__ = ["Appended", "Conflict", "Duplicate", "EventLog", "Item", "Meta", "Recorded", "Verdict", "caused_by"]

"""Migrations: NNNN_name.sql, forward only, applied in order of their names by core.eventlog.migrate."""

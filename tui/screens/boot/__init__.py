"""The start: one line per service, with what it does and how long it takes."""

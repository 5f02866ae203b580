"""Screen 8: the event log as it grows, one event with its chain, projections, seals."""

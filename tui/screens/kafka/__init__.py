"""Screen 7: topics and their messages, groups with their lag, dead letters."""

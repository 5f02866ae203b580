"""Screen 4: launch traffic and attacks, see what was caught."""

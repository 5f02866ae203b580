"""Screen 5: accounts by risk, the timeline of one, as it stood at any time, blocks and lists."""

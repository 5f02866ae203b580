"""Screen 2: alerts, and the whole story of one."""

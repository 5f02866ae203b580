"""Screen 9: services, workers and their tasks, logs, stalls of the loop, crash reports."""

"""Names of the tasks that a worker process can run."""

TASKS = ("producer", "consumer", "scenario", "projector", "rules")

"""Names of the tasks that a worker process can run."""

TASKS = ("producer", "consumer", "scenario", "projector", "rules", "clerk")


class UnknownTask(ValueError):
    """No worker task has that name; the text names those there are."""

"""Workers: producer, consumer, scenario and projector, each a task of one process, restartable on its own."""

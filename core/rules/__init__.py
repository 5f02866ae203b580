"""Detection rules as people see them: the catalogue, switching them, backtests, and how they do on what is known."""

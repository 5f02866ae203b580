"""From a checked query to its steps: what is read, how it is keyed, joined, grouped and projected."""

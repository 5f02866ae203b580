"""Life-like payments, labelled fraud to throw among them, and the score of what was caught."""

"""What can be wrong with the embedded stack, as one sentence that says what to do."""


class StackError(Exception):
    """The stack cannot do what was asked; the text says what failed, where, and what to do."""

"""The screens, a package each with its style sheet beside it; ``base`` is the frame they share."""

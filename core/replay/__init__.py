"""Replay of a labelled file through the whole pipeline, and the score of what was found."""

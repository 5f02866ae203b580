"""Tests of the terminal layer."""

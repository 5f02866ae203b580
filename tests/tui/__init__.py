"""Tests of the control center."""

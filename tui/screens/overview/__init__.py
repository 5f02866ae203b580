"""Screen 1: how it goes, and the live alert feed."""

"""Screen 3: statements and live push queries."""

"""Mapping files of known data sets, one TOML each."""

"""Measurements: ``python -m bench``. Compare figures of one run only."""

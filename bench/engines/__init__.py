"""The neural engines against their libraries' own calls: ``python -m bench.engines``."""

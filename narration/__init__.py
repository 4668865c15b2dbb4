"""Narration for Django: every lesson spoken, and one edited sentence costs one sentence.

Nothing here imports Django: engine processes import this package where there may be none.
"""

__version__ = "0.1.0"

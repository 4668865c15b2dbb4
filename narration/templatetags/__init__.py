"""Template tags; load them with ``{% load narration_tags %}``."""

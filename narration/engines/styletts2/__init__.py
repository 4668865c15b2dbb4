"""StyleTTS2 as an engine: English speech on a GPU, in voices it was shown or that belong to nobody.

Importing this package loads none of the neural libraries; starting the engine does.
"""

from narration.engines.styletts2.engine import StyleTTS2Engine

__all__ = ["StyleTTS2Engine"]

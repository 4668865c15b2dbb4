"""Engines of other languages than the dummy's."""

from narration.engines.base import EngineVoice
from narration.engines.dummy import DummyEngine


class AmericanEngine(DummyEngine):
    """Imitates voices, in American English only, and has many of its own."""

    name = "american"
    languages = ("en-US",)
    voices = tuple(EngineVoice(f"speaker-{number}", ("en-US",)) for number in range(1, 20))

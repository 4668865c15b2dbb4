"""The embedded default: espeak-ng from the ``espeakng-loader`` package.

espeak-ng is GPLv3. Only this package touches it, only in the engine's own process.
"""

from narration.engines.espeak.engine import EspeakEngine

__all__ = ["EspeakEngine"]

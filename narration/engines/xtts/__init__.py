"""XTTS v2 through the package ``coqui-tts``: many voices, seventeen languages, cloning.

Importing this room loads none of its libraries; only this room knows them.
"""

from narration.engines.xtts.engine import XttsEngine

__all__ = ["XttsEngine"]

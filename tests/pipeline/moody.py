"""An engine whose attempts go as a test wants them to."""

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from narration.engines.dummy import DummyEngine
from narration.exceptions import EngineError
from narration.values import Waveform


class MoodyEngine(DummyEngine):
    """Option ``moods``: for a piece of text, how its attempts go, the last one for all others.

    "silent" and "quiet" are bad and worse than "clipped"; "limit" is bad by the engine's own word;
    "fine", "fail", "crash" and "slow" (a second, then silent) are what they say. Every attempt is
    a line of the file ``diary``.
    """

    @classmethod
    def describe(cls, options):
        known = {key: options[key] for key in options if key not in ("moods", "diary")}
        return super().describe(known)

    def speak(self, utterance):
        moods = self.options.get("moods", {})
        mood = next((m for piece, m in moods.items() if piece in utterance.text), ["fine"])
        mood = mood[min(utterance.attempt, len(mood) - 1)]
        with Path(self.options["diary"]).open("a") as diary:
            diary.write(f"{utterance.text}|{utterance.attempt}|{mood}\n")
        if mood == "crash":
            os._exit(7)
        if mood == "fail":
            raise EngineError("not in the mood", code="asked_to_fail")
        time.sleep(1.0 if mood == "slow" else 0.005)
        result = super().speak(utterance)
        return replace(
            result,
            waveform=Waveform(_spoil(result.waveform.samples, mood), self.sample_rate),
            evidence={"hit_limit": mood == "limit"},
            device="moody:1",
        )


class TakelessEngine(MoodyEngine):
    """As above, but it says a text in one way only."""

    supports_takes = False


def _spoil(samples, mood):
    if mood in ("silent", "slow"):
        return samples * np.float32(0)
    if mood == "quiet":
        return samples * np.float32(0.004)
    if mood == "clipped":
        return np.clip(samples * np.float32(20), -1, 1)
    return samples

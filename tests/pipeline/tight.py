"""An engine on a card whose memory runs out, going the way of the neural engines."""

from dataclasses import replace
from pathlib import Path

from narration.engines.dummy import DummyEngine
from narration.engines.neural.ladder import speak_within_memory


class TightEngine(DummyEngine):
    """Option ``room``: a file that tells how many characters the card has memory for now, none
    for any. ``allow_cpu``: the processor stands in.
    """

    @classmethod
    def describe(cls, options):
        own = ("room", "allow_cpu")
        return super().describe({key: options[key] for key in options if key not in own})

    def speak(self, utterance):
        may_leave = self.options.get("allow_cpu")
        say = super().speak
        return speak_within_memory(
            utterance, self._speak_on_card, speak_on_cpu=say if may_leave else None
        )

    def _speak_on_card(self, utterance):
        room = Path(self.options["room"])
        if room.exists() and len(utterance.text) > int(room.read_text()):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.50 GiB.")
        return replace(super().speak(utterance), device="card:1")

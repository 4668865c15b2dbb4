"""The dummy engine, writing down what it has spoken."""

import hashlib
import os

from narration.engines.dummy import DummyEngine


class TellingDummy(DummyEngine):
    """Tones that add a line to the file ``log`` for each utterance."""

    def __init__(self, options=None):
        given = dict(options or {})
        self._log = given.pop("log", "")
        super().__init__(given)

    @classmethod
    def describe(cls, options):
        return super().describe({key: options[key] for key in options if key != "log"})

    def speak(self, utterance):
        result = super().speak(utterance)
        line = hashlib.sha256(utterance.text.encode()).hexdigest()
        descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{line}\n".encode())
        os.close(descriptor)
        return result

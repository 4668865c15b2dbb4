"""Engines with manners that only tests want."""

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

from narration.engines.base import Begun, Finished, attempt
from narration.engines.dummy import DummyEngine
from narration.engines.espeak import EspeakEngine
from narration.engines.models import ModelSpec
from narration.exceptions import EngineError
from narration.values import Terms


class ChattyEngine(DummyEngine):
    """Prints from Python, from C and straight to fd 1, as libraries do."""

    def load(self):
        self._chatter()

    def speak(self, utterance):
        self._chatter()
        return super().speak(utterance)

    def _chatter(self):
        print('{"type": "ready", "bytes": 3}', flush=True)
        sys.__stdout__.write("old stdout\n")
        sys.__stdout__.flush()
        os.write(1, b'{"type": "result"}\n' * 50)
        libc = ctypes.CDLL(None)
        libc.printf(b"from C\n")
        libc.fflush(None)


class TellTaleEngine(DummyEngine):
    """Prints every text it is given to standard error, as libraries do."""

    def submit(self, utterance_id, utterance, priority=0):
        print(f"> Text splitted to sentences: {utterance.text}", file=sys.stderr, flush=True)
        super().submit(utterance_id, utterance, priority)


class ImpostorEngine(DummyEngine):
    """Loads another model than it was described with."""

    def get_model_fingerprint(self):
        return "another"


class BrokenEngine(DummyEngine):
    """Cannot be loaded."""

    def load(self):
        raise EngineError("no weights here", code="weights_missing")


class DyingEngine(DummyEngine):
    """Dies while loading, every time."""

    def load(self):
        print("about to die", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


class BuggyEngine(DummyEngine):
    """Raises what no engine should."""

    def speak(self, utterance):
        if "bug" in utterance.text:
            raise ZeroDivisionError("oops")
        return super().speak(utterance)


class BatchingEngine(DummyEngine):
    """Speaks three at once, a word a step: short ones overtake, a free slot is refilled at once.

    A text with "poison" takes the process down with all its neighbours.
    """

    slots = 3

    @classmethod
    def describe(cls, options):
        return super().describe({**options, "slots": 3})

    def step(self):
        while self._waiting and len(self._in_hand) < 3:
            name, utterance = self.pop_waiting()
            self._in_hand.append([name, utterance, len(utterance.text.split())])
            yield Begun(name)
        time.sleep(0.01)
        for slot in list(self._in_hand):
            slot[2] -= 1
            if "poison" in slot[1].text:
                os._exit(9)
            if slot[2] <= 0:
                self._in_hand.remove(slot)
                yield Finished(slot[0], attempt(self, slot[1]))


class FragileEspeakEngine(EspeakEngine):
    """espeak whose forked children crash or hang on request."""

    name = "fragile"

    def _speak_here(self, utterance):
        if "segfault" in utterance.text:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "hang" in utterance.text:
            time.sleep(60)
        return super()._speak_here(utterance)


class TellingEngine(DummyEngine):
    """Writes each utterance it has spoken to the file ``log``, a line each; may kill its parent."""

    @classmethod
    def describe(cls, options):
        own = {"log", "kill_parent_on"}
        return super().describe({k: v for k, v in options.items() if k not in own})

    def speak(self, utterance):
        if self._is_asked("kill_parent_on", utterance.text):
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        result = super().speak(utterance)
        descriptor = os.open(self.options["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{utterance.text}\n".encode())  # one write: lines never mix
        os.close(descriptor)
        return result


class CardEngine(TellingEngine):
    """Pretends to be on a card: heavy, slow to load (``load_ms``), with memory to measure.

    ``faults`` is a file of JSON lines, each ``{"code", "on", "times"}``: so often (-1: always) an
    utterance with that text in it, or the loading ("on": "load"), ends so.
    """

    model = ModelSpec("card", "Card", Terms("none", "", ""), ())
    own = frozenset({"device", "faults", "load_ms"})

    @classmethod
    def describe(cls, options):
        return super().describe({k: v for k, v in options.items() if k not in cls.own})

    def load(self):
        self._meet_fault("load")
        time.sleep(self.options.get("load_ms", 0) / 1000)
        self._is_loaded = True

    def measure(self):
        taken = 3_000_000_000 if getattr(self, "_is_loaded", False) else 0
        return {
            "device": f"{self.options.get('device', 'cuda')} (Pretended)",
            "memory": 1_000_000_000 + taken,
            "memory_total": 8_000_000_000,
        }

    def speak(self, utterance):
        self._meet_fault(utterance.text)
        return super().speak(utterance)

    def _meet_fault(self, text):
        path = Path(self.options.get("faults") or "/nowhere")
        if not path.exists():
            return
        faults = [json.loads(line) for line in path.read_text().splitlines()]
        for fault in faults:
            is_meant = (fault["on"] == "load") == (text == "load") and fault["on"] in text
            if fault["times"] and is_meant:
                fault["times"] -= 1
                path.write_text("\n".join(map(json.dumps, faults)))
                raise EngineError(
                    "The card has 0.2 GB free of 8.0 GB.",
                    code=fault["code"],
                    is_permanent=fault.get("permanent", False),
                )

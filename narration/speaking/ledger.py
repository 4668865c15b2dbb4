"""Who waits for what: every submitted utterance until its outcome is delivered. No I/O here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from narration.engines.base import EXPRESS_PRIORITY, EXPRESS_SLOTS
from narration.exceptions import EngineError
from narration.values import EngineConfig, EngineResult, Latents, Utterance

Outcome = EngineResult | EngineError
Answer = Outcome | Latents
Deliver = Callable[[str, Answer], None]


#: Seconds to compute a voice's latents: some for the process to get going, some per recording.
CLONE_BASE_S = 120.0
CLONE_PER_RECORDING_S = 60.0


@dataclass(frozen=True, slots=True)
class Recordings:
    """What to clone: paths of .npy files with mono float32 samples, and the sample rate of each."""

    files: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Entry:
    """Work that was submitted. ``deliver`` is None once nobody waits for it."""

    id: str
    work: Utterance | Recordings
    priority: int
    deliver: Deliver | None
    is_sent: bool = False
    is_suspect: bool = False
    begun_at: float | None = None


class Ledger:
    """Entries in order of arrival. ``window`` is how many the process holds at most.

    Few in the process means: an urgent one overtakes here, a crash touches few, and the pipe to
    the process never fills.
    """

    def __init__(self, config: EngineConfig, window: int):
        self._config = config
        self._window = window
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """Take in a new one."""
        self._entries[entry.id] = entry

    def choose_next(self) -> Entry | None:
        """The one to send now, marked sent; None when the process has enough.

        After a crash with several in hand each of them is tried alone, so that the guilty one is
        known and its neighbours do not pay twice.
        """
        sent = [entry for entry in self._entries.values() if entry.is_sent]
        waiting = [entry for entry in self._entries.values() if not entry.is_sent]
        suspects = [entry for entry in waiting if entry.is_suspect]
        if not waiting or any(entry.is_suspect for entry in sent) or (suspects and sent):
            return None
        chosen = min(suspects or waiting, key=lambda entry: entry.priority)
        is_express = chosen.priority <= EXPRESS_PRIORITY
        if len(sent) >= self._window + (EXPRESS_SLOTS if is_express else 0):
            return None
        chosen.is_sent = True
        return chosen

    def begin(self, utterance_id: str, now: float) -> None:
        """The engine has it in hand."""
        if entry := self._entries.get(utterance_id):
            entry.begun_at = now

    def pop(self, utterance_id: str) -> Entry | None:
        """Strike it off; None when it is unknown."""
        return self._entries.pop(utterance_id, None)

    def cancel(self, utterance_id: str) -> bool:
        """Nobody waits for it any more; True when the process must be told."""
        entry = self._entries.get(utterance_id)
        if entry is None:
            return False
        entry.deliver = None
        if not entry.is_sent:
            del self._entries[utterance_id]
        return entry.is_sent

    def get_in_hand(self) -> list[Entry]:
        """Those the engine is speaking now."""
        return [entry for entry in self._entries.values() if entry.begun_at is not None]

    def has_sent(self) -> bool:
        """Whether the process owes us anything."""
        return any(entry.is_sent for entry in self._entries.values())

    def find_overdue(self, now: float) -> Entry | None:
        """One that has been in hand past its deadline."""
        for entry in self.get_in_hand():
            assert entry.begun_at is not None  # noqa: S101
            if now > entry.begun_at + self._get_deadline(entry):
                return entry
        return None

    def recall(self, culprit: Entry | None) -> list[Entry]:
        """After the process's death: strike off and return the guilty, make the rest wait again.

        Guilty is the culprit if known, else the only one in hand. Several in hand become suspects.
        """
        in_hand = self.get_in_hand()
        guilty = [culprit] if culprit else in_hand if len(in_hand) == 1 else []
        for entry in guilty:
            del self._entries[entry.id]
        for entry in list(self._entries.values()):
            entry.is_suspect |= entry in in_hand and culprit is None
            entry.is_sent, entry.begun_at = False, None
            if entry.deliver is None:
                del self._entries[entry.id]
        return guilty

    def pop_all(self) -> list[Entry]:
        """Strike off everything."""
        entries = list(self._entries.values())
        self._entries.clear()
        return entries

    def _get_deadline(self, entry: Entry) -> float:
        if isinstance(entry.work, Recordings):
            return CLONE_BASE_S + CLONE_PER_RECORDING_S * len(entry.work.files)
        config = self._config
        return config.deadline_base_s + config.deadline_per_character_s * len(entry.work.text)

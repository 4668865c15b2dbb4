"""Room on a device: which heavy engines are loaded there, who waits for room, who goes.

The engines of one Python process only; a card that several workers share is theirs to share.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from narration.exceptions import EngineError
from narration.speaking.client import EngineProcess
from narration.values import EngineConfig

logger = logging.getLogger(__name__)

#: How often who waits for room is asked whether to go on waiting, in seconds.
ASK_SECONDS = 1.0
#: The device of an engine whose options name none.
DEVICE = "cuda"

Ticket = tuple[int, str]


def get_device(config: EngineConfig) -> str:
    """What an engine competes for with other heavy ones: the same name for the same card."""
    return str(config.options.get("device") or DEVICE).removesuffix(":0")


@dataclass(slots=True)
class WarmEngine:
    """An alias in this Python process; it outlives the engine processes it has had.

    ``is_resident``: it takes up room on its device, or is about to. ``is_leaving``: it is being
    put out. ``failure`` is why it could not be loaded the last time.
    """

    process: EngineProcess
    is_heavy: bool
    uses: int = 0
    is_resident: bool = False
    is_leaving: bool = False
    idle_since: float = field(default_factory=time.monotonic)
    failure: EngineError | None = None
    #: Of the last use: its seconds of work for a second of sound.
    real_time_factor: float | None = None

    @property
    def alias(self) -> str:
        """Its name in the settings."""
        return self.process.config.alias

    @property
    def device(self) -> str:
        """What it competes for."""
        return get_device(self.process.config)

    @property
    def may_go(self) -> bool:
        """Whether it is loaded and nobody would miss it now."""
        in_use = self.uses or self.process.is_speaking
        return self.is_resident and not self.is_leaving and not in_use


class Room:
    """Who is in, who waits, who is put out. Thread-safe; a fork makes a new one.

    ``get_limit`` is how many heavy engines a device holds, ``get_idle_seconds`` how long one may
    stay without use (0: for ever); ``tell`` hears of each that was put out.
    """

    def __init__(
        self,
        get_limit: Callable[[], int],
        get_idle_seconds: Callable[[], float],
        tell: Callable[[WarmEngine], None],
    ):
        self._get_limit, self._get_idle_seconds, self._tell = get_limit, get_idle_seconds, tell
        self.changed = threading.Condition()
        self.engines: dict[str, WarmEngine] = {}
        # Who came first is served first, on each device.
        self._line: list[Ticket] = []
        self._tickets = itertools.count()
        self._janitor: threading.Thread | None = None

    def enter(self, entry: WarmEngine, wait: Callable[[], None], *, is_patient: bool) -> None:
        """Count one more user once it has its room; whoever had to go for it is gone by then.

        Who is not patient gets ``engine_busy`` instead of waiting for other users.
        """
        if not entry.is_heavy:
            with self.changed:
                entry.uses += 1
            return
        ticket = (next(self._tickets), entry.device)
        with self.changed:
            self._line.append(ticket)
        try:
            while (victims := self._try_enter(entry, ticket, is_patient=is_patient)) is None:
                wait()
        finally:
            with self.changed:
                self._line.remove(ticket)
                self.changed.notify_all()
        self._put_out(victims)

    def leave(self, entry: WarmEngine) -> None:
        """One user less."""
        with self.changed:
            entry.uses -= 1
            entry.idle_since = time.monotonic()
        self.settle(entry)
        if entry.is_heavy and self._get_idle_seconds() > 0:
            self._wake_janitor()

    def settle(self, entry: WarmEngine) -> None:
        """One that nobody uses and that is not loaded gives its room back."""
        with self.changed:
            if not entry.uses and not entry.is_leaving and not entry.process.is_usable:
                entry.is_resident = False
            self.changed.notify_all()

    def take(self, entry: WarmEngine) -> None:
        """For who holds nothing: put out whom it may, and be loaded beside the others."""
        with self.changed:
            victims = self._admit(entry) or []
            entry.is_resident = True
        self._put_out(victims)

    def find_victims(self, device: str) -> list[WarmEngine] | None:
        """The longest unused of a device, as many as must go for one more; None where too few may.

        Call it with ``changed`` held.
        """
        there = [e for e in self.engines.values() if e.is_resident and e.device == device]
        excess = len(there) + 1 - self._get_limit()
        idle = sorted((each for each in there if each.may_go), key=lambda each: each.idle_since)
        return None if len(idle) < excess else idle[: max(0, excess)]

    def _try_enter(
        self, entry: WarmEngine, ticket: Ticket, *, is_patient: bool
    ) -> list[WarmEngine] | None:
        """Whom to put out for it, once it is in; None after a while of waiting."""
        with self.changed:
            if not is_patient or ticket == min(t for t in self._line if t[1] == ticket[1]):
                victims = self._admit(entry)
                if victims is not None:
                    entry.uses += 1
                    return victims
                if not is_patient and not self._is_somebody_leaving(entry.device):
                    raise _build_busy_error(entry)
            self.changed.wait(ASK_SECONDS)
        return None

    def _admit(self, entry: WarmEngine) -> list[WarmEngine] | None:
        """Mark it resident and those leaving that must; None where there is no room."""
        if entry.is_leaving:
            return None
        if entry.is_resident:
            return []
        victims = self.find_victims(entry.device)
        for victim in victims or ():
            victim.is_leaving = True
        if victims is not None:
            entry.is_resident = True
        return victims

    def _put_out(self, victims: Sequence[WarmEngine]) -> None:
        """End their processes; their room is free only then."""
        for victim in victims:
            logger.info("Engine %s is unloaded.", victim.alias)
            victim.process.close()
            with self.changed:
                victim.is_leaving = victim.is_resident = False
                self.changed.notify_all()
            self._tell(victim)

    def _is_somebody_leaving(self, device: str) -> bool:
        return any(e.is_leaving and e.device == device for e in self.engines.values())

    def _wake_janitor(self) -> None:
        """A thread that puts out who was idle for too long, and ends when nobody is left."""
        with self.changed:
            if self._janitor is None:
                self._janitor = threading.Thread(
                    target=self._put_out_the_idle, daemon=True, name="narration-idle-engines"
                )
                self._janitor.start()

    def _put_out_the_idle(self) -> None:
        while True:
            with self.changed:
                if not any(each.is_resident for each in self.engines.values()):
                    self._janitor = None
                    return
                victims = self._choose_idle()
            self._put_out(victims)

    def _choose_idle(self) -> list[WarmEngine]:
        """Those that must go now, marked leaving; else wait until one may have to."""
        seconds, now = self._get_idle_seconds(), time.monotonic()
        if seconds <= 0:
            self.changed.wait()
            return []
        left = {e.alias: e.idle_since + seconds - now for e in self.engines.values() if e.may_go}
        victims = [self.engines[alias] for alias, rest in left.items() if rest <= 0]
        for victim in victims:
            victim.is_leaving = True
        if not victims:
            # Who is in use now is looked at again when it is left.
            self.changed.wait(min(left.values(), default=seconds))
        return victims


def _build_busy_error(entry: WarmEngine) -> EngineError:
    return EngineError(
        f"There is no room for {entry.alias} on {entry.device} before the running job has ended; "
        "WARM_ENGINES says how many engines are loaded side by side.",
        code="engine_busy",
        is_permanent=False,
    )

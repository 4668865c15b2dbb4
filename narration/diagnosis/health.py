"""Whether this process can serve and somebody works: cheap, for probes that ask all the time."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection

from narration import conf
from narration.exceptions import StorageCorrupt
from narration.models import Worker
from narration.storage import get_storage

#: However often it is asked, each part is looked at once in so many seconds and process.
KEEP_SECONDS = 5.0
#: Who asks while another looks waits so long for the answer, then hears that it is stuck.
WAIT_SECONDS = 5.0
PROBE_FOLDER = "probe"


@dataclass(frozen=True, slots=True)
class Readiness:
    """How one part is. ``fault`` is a short code, "" when it is well; no addresses, no text."""

    fault: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    ms: int = 0

    @property
    def is_ready(self) -> bool:
        """Whether it is well."""
        return not self.fault


def look(parts: Iterable[str]) -> dict[str, Readiness]:
    """Each of ``parts`` (of ``PARTS``), as it was a few seconds ago at most. Raises nothing."""
    return {part: PARTS[part].look() for part in parts}


def probe_storage() -> None:
    """Write, read and delete a small file; ``StorageCorrupt`` or what the storage raises."""
    storage = get_storage()
    content = secrets.token_bytes(64)
    name = storage.save(f"{PROBE_FOLDER}/{secrets.token_hex(8)}.bin", ContentFile(content))
    try:
        with storage.open(name) as file:
            is_equal = file.read() == content
    finally:
        storage.delete(name)
    if not is_equal:
        raise StorageCorrupt("What was read is not what was written.", code="storage_altered")


def find_idle_lanes() -> list[str]:
    """Lanes that some engine is configured for and no live worker serves."""
    return sorted(set(conf.get_lanes()) - Worker.objects.get_served_lanes())


class _Part:
    """One part, looked at once in a while by whoever asks first."""

    def __init__(self, check: Callable[[], Readiness]):
        self._check = check
        self._lock = threading.Lock()
        self._kept: tuple[float, Readiness] | None = None

    def look(self) -> Readiness:
        """As it is, or was a moment ago."""
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            return Readiness("stuck")
        try:
            if self._kept is None or time.monotonic() > self._kept[0] + KEEP_SECONDS:
                result = self._measure()
                self._kept = (time.monotonic(), result)
            return self._kept[1]
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Look again at the next question."""
        self._kept = None

    def _measure(self) -> Readiness:
        began = time.monotonic()
        try:
            result = self._check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the part is not well
            result = Readiness(type(error).__name__)
        return Readiness(result.fault, result.facts, round((time.monotonic() - began) * 1000))


def _check_database() -> Readiness:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Readiness()


def _check_storage() -> Readiness:
    probe_storage()
    return Readiness()


def _check_lanes() -> Readiness:
    idle = find_idle_lanes()
    lanes = {lane: "no_worker" if lane in idle else "ok" for lane in conf.get_lanes()}
    return Readiness("no_worker" if idle else "", {"lanes": lanes})


#: What readiness is made of.
PARTS = {
    "database": _Part(_check_database),
    "storage": _Part(_check_storage),
    "lanes": _Part(_check_lanes),
}

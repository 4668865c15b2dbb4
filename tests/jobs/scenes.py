"""Small scenes that tests of jobs share."""

from __future__ import annotations

from narration.exceptions import EngineError
from narration.models import (
    Job,
)
from narration.runner import running
from tests.testapp.models import Note


def make_notes(owner, count, body="It rains."):
    return [Note.objects.create(title=str(n), owner=owner, body=body) for n in range(count)]


def fail_with(monkeypatch, *errors):
    """Jobs fail one after the other with these; None lets one work."""
    left = list(errors)
    work_off = running._work_off

    def fail(job, lease):
        error = left.pop(0) if left else None
        if error is not None:
            raise error
        return work_off(job, lease)

    monkeypatch.setattr(running, "_work_off", fail)


def build_fault(code="engine_not_started"):
    return EngineError("The card is gone.", code=code, is_permanent=False)


def end_waits():
    Job.objects.update(not_before=None)

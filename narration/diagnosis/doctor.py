"""The round: every check in turn; one that fails to look is itself a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.utils.translation import gettext as _

from narration.diagnosis import consents, database, engines, machine, models, sound, work
from narration.diagnosis.findings import Finding, State
from narration.logs import describe_exception

Check = Callable[[], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    machine.check_environment,
    machine.check_settings,
    machine.check_signing_key,
    database.check_database,
    sound.check_engines,
    models.check_models,
    sound.check_voices,
    consents.check_consents,
    work.check_queue,
    work.check_jobs,
    work.check_workers,
    work.check_lanes,
    engines.check_loaded,
    machine.check_storage,
    machine.check_disk,
    machine.check_email,
)


def diagnose(*, speak: bool = False) -> Iterator[Finding]:
    """Look at everything; with ``speak`` engines are started too. Raises nothing."""
    for check in (*CHECKS, *((sound.check_speech,) if speak else ())):
        yield from _attempt(check)


def is_broken(findings: Iterable[Finding]) -> bool:
    """Whether anything does not work."""
    return any(finding.state == State.BROKEN for finding in findings)


def _attempt(check: Check) -> Iterator[Finding]:
    name = check.__name__.removeprefix("check_")
    try:
        yield from check()
    except Exception as error:  # noqa: BLE001 - the next one is looked at all the same
        words = _("This could not be looked at: %(error)s") % {
            "error": describe_exception(error).splitlines()[0]
        }
        advice = _("Mend what is broken above, then look again.")
        yield Finding(name, name.capitalize(), State.BROKEN, words, advice)

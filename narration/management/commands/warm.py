"""``manage.py warm ALIAS``: have a worker load an engine ahead of use."""

from __future__ import annotations

from time import sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from narration import api
from narration.diagnosis.work import advise_start
from narration.exceptions import NarrationError
from narration.models import Job, Worker

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    """Queues a job on the engine's lane; one of its workers loads it."""

    help = "Have a worker load an engine now, so that the first sentence need not wait for it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and whether to wait."""
        parser.add_argument("alias", metavar="ALIAS", help="A key of NARRATION['ENGINES'].")
        parser.add_argument("--wait", action="store_true", help="Wait until it is loaded.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask; exit with an error when it could not be loaded, or nobody is there to do it."""
        self._told = ""
        try:
            job = api.request_warm(options["alias"])
        except NarrationError as error:
            raise CommandError(_say(error)) from error
        if options["wait"]:
            job = self._wait(job)
        elif is_left_alone(job):
            self.stderr.write(_explain_left_alone(job))
        self.stdout.write(f"{options['alias']}: {job.state} ({job.uid})")

    def _wait(self, job: Job) -> Job:
        """Until it ends, as long as somebody will do it; tells why it waits, each reason once."""
        while job.is_active:
            if is_left_alone(job):
                raise CommandError(_explain_left_alone(job))
            self._tell(job)
            sleep(LOOK_SECONDS)
            job.refresh_from_db()
            if job.is_active and job.error_code:
                words = _("Not yet, tried again later: %(error)s")
                raise CommandError(words % {"error": job.error})
        if job.state != "done":
            words = _("The job ended as %(state)s.")
            raise CommandError(job.error or words % {"state": job.get_state_display()})
        return job

    def _tell(self, job: Job) -> None:
        waiting = api.find_waiting(job)
        if waiting is not None and waiting.code != self._told:
            self._told = waiting.code
            self.stdout.write(waiting.reason)


def _say(error: NarrationError) -> str:
    """In the reader's words, and in those that name the command that helps."""
    words, detail = api.explain_error(error), str(error)
    return words if detail in words else f"{words} ({detail})"


def is_left_alone(job: Job) -> bool:
    """Whether an active job waits for nobody: no worker serves its lane, or its own is dead."""
    waiting = api.find_waiting(job)
    if waiting is not None:
        return waiting.code == "no_worker"
    is_dropped = Job.objects.expired().filter(pk=job.pk).exists()
    return is_dropped and job.lane not in Worker.objects.get_served_lanes()


def _explain_left_alone(job: Job) -> str:
    words = _("No worker serves the lane %(lane)s; the next one loads %(engine)s. %(advice)s")
    facts = {"lane": job.lane, "advice": advise_start(job.lane), "engine": job.payload["engine"]}
    return words % facts

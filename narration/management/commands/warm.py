"""``manage.py warm ALIAS``: have a worker load an engine ahead of use."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from narration import api
from narration.exceptions import NarrationError
from narration.models import Job

LOOK_SECONDS = 0.5


class Command(BaseCommand):
    """Queues a job on the engine's lane; one of its workers loads it."""

    help = "Have a worker load an engine now, so that the first sentence need not wait for it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and whether to wait."""
        parser.add_argument("alias", metavar="ALIAS", help="A key of NARRATION['ENGINES'].")
        parser.add_argument("--wait", action="store_true", help="Wait until it is loaded.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask; exit with an error when it could not be loaded."""
        try:
            job = api.request_warm(options["alias"])
        except NarrationError as error:
            raise CommandError(str(error)) from error
        if options["wait"]:
            job = self._wait(job)
        self.stdout.write(f"{options['alias']}: {job.state} ({job.uid})")

    def _wait(self, job: Job) -> Job:
        while job.is_active:
            time.sleep(LOOK_SECONDS)
            job.refresh_from_db()
            if job.is_active and job.error_code:
                raise CommandError(f"Not yet, tried again later: {job.error}")
        if job.state != "done":
            raise CommandError(job.error or f"The job ended as {job.state}.")
        return job

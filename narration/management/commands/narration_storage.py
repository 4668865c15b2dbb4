"""``manage.py narration_storage``: keep the stored sound in order, or only tell how it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from narration import storage
from narration.exceptions import NarrationError
from narration.pipeline import upkeep


class Command(BaseCommand):
    """Does what the worker does a little of all the time, to the end."""

    help = (
        "Reads stored sound through and mends it, prunes what nobody uses, deletes files without "
        "a row. Without a task, tells the numbers."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which tasks, and for how long."""
        parser.add_argument(
            "--scrub", action="store_true", help="Read every file and mend what was altered."
        )
        parser.add_argument(
            "--prune", action="store_true", help="Mark, and an hour later delete, unused sound."
        )
        parser.add_argument(
            "--orphans", action="store_true", help="Delete files older than a day without a row."
        )
        parser.add_argument("--dry-run", action="store_true", help="Tell the numbers and stop.")
        parser.add_argument(
            "--seconds", type=float, help="Stop each task after so long; the next call goes on."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the tasks asked for; ``CommandError`` when the storage is away or damage was met."""
        tasks = [name for name in ("scrub", "prune", "orphans") if options[name]]
        try:
            if options["dry_run"] or not tasks:
                self._tell(tasks or ["scrub", "prune", "orphans"])
            else:
                self._do(tasks, options["seconds"])
        except NarrationError as error:
            raise CommandError(str(error)) from error

    def _tell(self, tasks: list[str]) -> None:
        free = storage.find_free_bytes()
        self.stdout.write(f"Free: {'not limited' if free is None else _show_bytes(free)}")
        if "scrub" in tasks:
            due = upkeep.count_unscrubbed(timedelta(0))
            self.stdout.write(f"To read: {due.files} files, {_show_bytes(due.bytes)}")
        if "prune" in tasks:
            found = upkeep.count_prunable()
            self.stdout.write(
                f"Unused: {found.marked} renditions to be marked; to be deleted now: "
                f"{found.renditions} renditions, {found.tracks} tracks, {_show_bytes(found.bytes)}"
            )
        if "orphans" in tasks:
            lost = upkeep.count_orphans()
            self.stdout.write(f"Without a row: {lost.orphans} of {lost.files} files")

    def _do(self, tasks: list[str], seconds: float | None) -> None:
        damaged = 0
        if "scrub" in tasks:
            done = upkeep.scrub(seconds, interval=timedelta(0))
            damaged = done.damaged
            self.stdout.write(
                f"Read: {done.files} files, {_show_bytes(done.bytes)}; damaged: {damaged}; "
                f"tracks stitched again: {done.repaired}"
            )
        if "prune" in tasks:
            gone = upkeep.prune(seconds)
            self.stdout.write(
                f"Marked: {gone.marked} renditions; deleted: {gone.renditions} renditions, "
                f"{gone.tracks} tracks, {_show_bytes(gone.bytes)}"
            )
        if "orphans" in tasks:
            lost = upkeep.prune_orphans(seconds)
            self.stdout.write(
                f"Without a row: {lost.orphans} of {lost.files} files; deleted: {lost.deleted}"
            )
        if damaged:
            raise CommandError(f"{damaged} files were damaged; look after the disk they are on.")


def _show_bytes(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB"

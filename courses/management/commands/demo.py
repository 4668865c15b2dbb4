"""``manage.py demo``: the whole house at work, from an empty database to a lesson one can hear."""

from __future__ import annotations

import logging
import signal
import time
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from rich.console import Console
from rich.text import Text

from courses import demo_run
from courses.demo_run import Child, Run
from courses.management.commands.load_demo import add_demo_arguments, require_debug
from courses.models import LessonText
from courses.samples import USERS, load_demo
from narration import api as narration


class Command(BaseCommand):
    """Loads the demo, narrates it with a real cluster, serves it until Ctrl-C."""

    help = "Load the demo courses, narrate all their lessons, and serve the site until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--no-serve``, ``--port`` and the options of load_demo."""
        add_demo_arguments(parser)
        parser.add_argument("--no-serve", action="store_true", help="Stop after the table.")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """The story, told once from top to bottom."""
        require_debug(force=options["force"])
        console = build_console()
        port = None if options["no_serve"] else options["port"]
        if port and not demo_run.is_port_free(port):
            raise CommandError(f"Port {port} is taken. Choose another with --port.")
        stops = demo_run.STOP_SIGNALS
        before = {each: signal.signal(each, demo_run.raise_interrupt) for each in stops}
        try:
            with ExitStack() as children:
                self.run(console, children, reset=options["reset"], port=port)
        except KeyboardInterrupt:
            console.print("Stopped.")
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def run(self, console: Console, children: ExitStack, *, reset: bool, port: int | None) -> None:
        """Load, narrate, tell, serve; ``children`` stops every process however this ends."""
        texts = load_demo(reset=reset)
        worker = start(children, "narration_worker")
        runs = [Run(text, request(text)) for text in texts]
        demo_run.watch(runs, console, worker)
        console.print(demo_run.build_table(runs))
        tell(console, runs)
        if port:
            serve(console, children, worker, texts, port)


def build_console() -> Console:
    """Wide enough for the table where nobody watches; the queue's chatter stays out of it."""
    logging.getLogger("django-q").setLevel(logging.WARNING)
    console = Console()
    return console if console.is_terminal else Console(width=110)


def start(children: ExitStack, *command: str) -> Child:
    """A child that ends with ``children``."""
    child = Child(*command)
    children.callback(child.stop)
    return child


def request(text: LessonText) -> Any:
    """Ask for a lesson's sound: the function behind the admin's action *Narrate*."""
    return narration.request_narration(text.lesson, language=text.language)


def tell(console: Console, runs: list[Run]) -> None:
    """What the table means; ``CommandError`` when a lesson is not whole."""
    bad = [run for run in runs if not run.is_good]
    for run in bad:
        console.print(Text(f"{run.text.title}: {run.job.error or run.job.state}"), style="red")
    if bad:
        raise CommandError(f"{len(bad)} of {len(runs)} lessons were not narrated whole.")
    if not any(run.job.synthesized for run in runs):
        console.print("Nothing had to be synthesized: every sentence was there already.")


def serve(
    console: Console, children: ExitStack, worker: Child, texts: list[LessonText], port: int
) -> None:
    """The site, until Ctrl-C or until a child dies; the worker goes on for what authors edit."""
    address = f"127.0.0.1:{port}"
    server = start(children, "runserver", "--noreload", address)
    demo_run.wait_until(lambda: not demo_run.is_port_free(port), server, seconds=30)
    site = f"http://{address}"
    console.print(f"\nCourses       {site}{reverse('courses:home')}")
    console.print(f"A lesson      {site}{texts[0].lesson.get_absolute_url()}")
    console.print(f"As an author  {site}{reverse('courses:author')}")
    console.print(f"Admin         {site}{reverse('admin:index')}\n")
    for user in USERS:
        console.print(f"Sign in as {user.name:8} password {user.password}")
    console.print("\nCtrl-C stops everything.")
    while True:
        worker.require_alive()
        server.require_alive()
        time.sleep(0.5)

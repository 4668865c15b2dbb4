"""``narration_worker`` that does not wait long before it starts again: more deaths an hour."""

import sys

from django.core.management import execute_from_command_line

from narration.queue import supervisor

if __name__ == "__main__":
    supervisor.MAX_BACKOFF_SECONDS = 1.0
    sys.argv = ["manage.py", "narration_worker"]
    execute_from_command_line(sys.argv)

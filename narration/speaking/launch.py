"""One engine process seen from outside: how it is started, heard, fed and ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import narration
from narration.engines.wire import FrameReader, encode_line
from narration.values import EngineConfig

READ_SIZE = 1 << 20
STDERR_LINES = 20
GRACE_S = 1.0

# What an engine may know of our environment: where libraries, models and devices are. Secrets of
# the web process are none of its business.
PASSED_ON = {"PATH", "HOME", "LANG", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "HF_HOME"}
PASSED_ON_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "OMP_", "MKL_", "TORCH_", "PYTORCH_")

Frame = tuple[dict[str, Any], bytes]


class Child:
    """A running engine process. Belongs to the one thread that made it.

    Linux kills the process when that thread ends, so it must be a thread that lasts.
    """

    def __init__(self, config: EngineConfig, wake_fd: int):
        self._room: Path | None = None
        self.stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self.is_ended = False
        self._frames = FrameReader()
        self._wake_fd = wake_fd
        self._process = subprocess.Popen(
            build_command(config),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._prepare(config),
            start_new_session=True,
        )
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._pipes = [pipe for pipe in pipes if pipe is not None]
        self._stdin, self._stdout, self._stderr = (pipe.fileno() for pipe in self._pipes)
        self._selector = selectors.DefaultSelector()
        for fd in (self._stdout, self._stderr, wake_fd):
            self._selector.register(fd, selectors.EVENT_READ)
        self.send({"type": "start", "options": dict(config.options)})

    @property
    def pid(self) -> int:
        """Its process id, which is also its session's."""
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Write one request; a dead process is noticed by reading, not here."""
        data = memoryview(encode_line(message))
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(self._stdin, data) :]

    def read(self, timeout_s: float) -> Iterator[Frame]:
        """The frames that have come, waiting a while for the first; may be none."""
        ready = {key.fd for key, _ in self._selector.select(timeout_s)}
        if self._wake_fd in ready:
            os.read(self._wake_fd, READ_SIZE)
        if self._stderr in ready:
            self._read_stderr()
        if self._stdout in ready:
            data = os.read(self._stdout, READ_SIZE)
            self.is_ended = not data
            yield from self._frames.feed(data)
        elif self._process.poll() is not None:
            # A grandchild may hold the pipe open: the process itself is what counts.
            self.is_ended = True

    def end(self) -> None:
        """Kill it with all it started, and leave nothing: no zombie, no open pipe, no file."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._read_stderr()
        self.release()
        if self._room:
            shutil.rmtree(self._room, ignore_errors=True)

    def stop(self) -> None:
        """Ask it to leave and give it a moment; ``end`` must follow."""
        self.send({"type": "shutdown"})
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_S)

    def release(self) -> None:
        """Close our ends of the pipes."""
        self._selector.close()
        for pipe in self._pipes:
            pipe.close()

    def disown(self) -> None:
        """In a fork of this process: let go of what belongs to the parent, touching nothing."""
        self.release()
        self._process.returncode = 0  # not our child: nothing to wait for

    @property
    def exit_status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._process.returncode

    def get_exit(self) -> str:
        """How it ended, for people."""
        code = self._process.returncode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit status {code}"

    def _prepare(self, config: EngineConfig) -> dict[str, str]:
        if is_foreign(config):
            self._room = Path(tempfile.mkdtemp(prefix="narration-engine-"))
        return build_environment(self._room)

    def _read_stderr(self) -> None:
        os.set_blocking(self._stderr, False)
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._stderr, READ_SIZE)
            if not data and self._stderr in self._selector.get_map():
                self._selector.unregister(self._stderr)
            self.stderr.extend(data.decode(errors="replace").splitlines())


def build_command(config: EngineConfig) -> list[str]:
    """The command line. ``-P``: the working directory is no place to import from."""
    return [config.python or sys.executable, "-P", "-m", "narration.engines", config.backend]


def is_foreign(config: EngineConfig) -> bool:
    """Whether the engine runs in another interpreter, so another environment, than we do."""
    return config.python not in ("", sys.executable)


def build_environment(room: Path | None = None) -> dict[str, str]:
    """A small environment in which the child can import ``narration`` and the backend.

    Our own interpreter gets our own import path. Another one gets, through a link in the empty
    folder ``room``, this package and nothing else of ours: its libraries are its own.
    """
    passed_on = {
        key: value
        for key, value in os.environ.items()
        if key in PASSED_ON or key.startswith(PASSED_ON_PREFIXES)
    }
    if room is None:
        path = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
    else:
        (room / "narration").symlink_to(Path(narration.__file__).resolve().parent)
        path = str(room)
    return {**passed_on, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"}

"""One warm engine per alias, replaced when it must be, never left behind."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from narration.exceptions import EngineError
from narration.speaking import close_all, describe_engine, get_engine_process, warm
from narration.values import EngineConfig
from tests.speaking.test_client import DUMMY, HERE, config, say
from tests.speaking.test_faults import is_alive

ROOT = Path(__file__).parents[2]


@pytest.fixture
def configs(monkeypatch, no_engines):
    known = {"dummy": config(), "broken": config(HERE + "BrokenEngine")}
    monkeypatch.setattr(warm, "_get_config", known.__getitem__)
    return known


def test_is_started_once(configs):
    first = get_engine_process("dummy")
    pid = first.pid
    assert get_engine_process("dummy") is first
    assert first.pid == pid


def test_is_started_once_by_threads_at_the_same_moment(configs):
    heard = []
    threads = [
        threading.Thread(target=lambda: heard.append(get_engine_process("dummy"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 8
    assert len(set(heard)) == 1


def test_is_replaced_when_closed_or_configured_otherwise(configs):
    first = get_engine_process("dummy")
    first.close()
    second = get_engine_process("dummy")
    assert second.speak(say("Hello."), timeout=5)
    pid = second.pid
    configs["dummy"] = replace(configs["dummy"], options={"slots": 2})
    assert get_engine_process("dummy").facts.slots == 2
    assert not is_alive(pid)


def test_a_broken_engine_says_so_every_time(configs):
    for _ in range(2):
        with pytest.raises(EngineError, match="no weights here"):
            get_engine_process("broken")


def test_describing_starts_nothing_and_is_kept(configs):
    assert describe_engine("dummy") is describe_engine("dummy")
    assert describe_engine("dummy").slots == 1
    configs["dummy"] = EngineConfig("dummy", DUMMY, {"slots": 5})
    assert describe_engine("dummy").slots == 5
    assert not warm.list_warm()


def test_close_all_leaves_no_child(configs):
    pid = get_engine_process("dummy").pid
    close_all()
    assert not is_alive(pid)


def test_a_fork_has_an_engine_of_its_own(configs):
    parents = get_engine_process("dummy")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            own = get_engine_process("dummy")
            own.speak(say("Mine."), timeout=5)
            os.write(writer, str(own.pid).encode())
            close_all()
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    own = int(os.read(reader, 20))
    os.close(reader)
    assert status == 0
    assert own != parents.pid
    assert not is_alive(own)
    assert parents.speak(say("Mine too."), timeout=5)


def test_leaves_no_child_at_exit():
    code = (
        "from narration.speaking import warm; from tests.speaking.test_client import config, say;"
        "warm._get_config = lambda alias: config(hang_on='hang');"
        "engine = warm.get_engine_process('x'); engine.submit(say('hang')); print(engine.pid)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, timeout=20, capture_output=True
    )
    assert done.stderr == b""
    assert not is_alive(int(done.stdout))

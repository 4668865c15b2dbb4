"""The engine's own process, spoken to by hand."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from narration.engines.wire import FrameReader

ROOT = Path(__file__).parents[2]
DUMMY = "narration.engines.dummy.DummyEngine"
GOOD = {"text": "Hello.", "language": "en", "voice": "low"}


class Conversation:
    def __init__(self, *arguments, options=None):
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "narration.engines", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.frames = []
        self.reader = FrameReader()
        self.say(json.dumps({"type": "start", "options": options or {}}))

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def submit(self, name, **changes):
        self.say(json.dumps({"type": "submit", "id": name, "utterance": {**GOOD, **changes}}))

    def hear(self, kind):
        while True:
            for index, (header, _) in enumerate(self.frames):
                if header["type"] == kind:
                    return self.frames.pop(index)[0]
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, self.process.stderr.read().decode()
            self.frames += self.reader.feed(data)

    def end(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


@pytest.fixture
def talk():
    conversations = []

    def start(*arguments, **options):
        conversations.append(Conversation(*arguments, **options))
        return conversations[-1]

    yield start
    for conversation in conversations:
        conversation.end()


def test_answers_ready_begun_and_result(talk):
    engine = talk(DUMMY)
    assert engine.hear("ready")["facts"]["name"] == "dummy"
    engine.submit("a")
    assert engine.hear("begun")["id"] == "a"
    assert engine.hear("result")["bytes"] == 6 * 960 * 4


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "junk",
        "[]",
        "7",
        "\x00",
        "{" * 5000,
        '{"type": "dance"}',
        '{"type": "submit"}',
        '{"type": "cancel"}',
        '{"type": "submit", "id": 1, "utterance": 5}',
        '{"type": "submit", "id": 1, "utterance": {"text": 1, "language": "en", "voice": "low"}}',
    ],
)
def test_a_bad_request_is_answered_and_survived(talk, junk):
    engine = talk(DUMMY)
    engine.say(junk)
    error = engine.hear("error")
    assert error["code"] == "bad_request"
    engine.submit("after")
    assert engine.hear("result")["id"] == "after"


def test_beats_while_it_speaks_and_says_what_it_has_in_hand(talk):
    engine = talk(DUMMY, options={"delay_ms": 1500})
    engine.submit("slow")
    engine.hear("begun")
    engine.frames.clear()
    beat = engine.hear("heartbeat")
    assert beat["in_hand"] == ["slow"]
    assert beat["rss"] > 1_000_000


@pytest.mark.parametrize("state", ["idle", "hanging"])
@pytest.mark.parametrize("reason", ["stdin ends", "SIGTERM", "shutdown"])
def test_leaves_cleanly(talk, state, reason):
    engine = talk(DUMMY, options={"hang_on": "Hello"})
    engine.hear("ready")
    if state == "hanging":
        engine.submit("a")
        engine.hear("begun")
    if reason == "stdin ends":
        engine.process.stdin.close()
    elif reason == "SIGTERM":
        engine.process.send_signal(signal.SIGTERM)
    else:
        engine.say('{"type": "shutdown"}')
    assert engine.process.wait(timeout=1.5) == 0


def test_ignores_ctrl_c(talk):
    engine = talk(DUMMY)
    engine.hear("ready")
    engine.process.send_signal(signal.SIGINT)
    engine.submit("a")
    assert engine.hear("result")["id"] == "a"


@pytest.mark.parametrize(
    ("backend", "code"),
    [
        ("nowhere.Engine", "engine_not_started"),
        ("json.JSONDecoder", "engine_not_started"),
        (DUMMY, "bad_option"),
    ],
)
def test_says_why_it_cannot_start(talk, backend, code):
    engine = talk(backend, options={"no_such_option": 1})
    assert engine.hear("failed")["code"] == code
    assert engine.process.wait(timeout=5) == 1


def test_offers_itself_to_the_oom_killer_first(talk):
    engine = talk(DUMMY)
    engine.hear("ready")
    score = Path(f"/proc/{engine.process.pid}/oom_score_adj").read_text()
    assert int(score) >= 800


def test_loads_neither_django_nor_the_native_library_to_describe():
    code = (
        "import sys; from narration.engines.espeak import EspeakEngine as E; E.describe({});"
        "bad = {'django', 'espeakng_loader', 'narration.conf'} & set(sys.modules);"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=20)


def test_urgent_requests_are_heard_between_two_utterances(talk):
    engine = talk(DUMMY, options={"delay_ms": 200})
    engine.hear("ready")
    for name in "abc":
        engine.submit(name)
    engine.hear("begun")
    time.sleep(0.05)
    engine.say(json.dumps({"type": "submit", "id": "urgent", "priority": -1, "utterance": GOOD}))
    assert engine.hear("result")["id"] == "a"
    assert engine.hear("result")["id"] == "urgent"

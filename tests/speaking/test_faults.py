"""Engines that fail, die, hang and are killed: the sentence pays, nobody else does."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from narration.exceptions import EngineCrashed, EngineError
from narration.speaking import EngineProcess, close_all
from narration.values import EngineConfig, EngineResult
from tests.speaking.test_client import HERE, config, say, wait_until

ROOT = Path(__file__).parents[2]


def outcomes(engine, texts, timeout=15):
    tickets = {engine.submit(say(text)): text for text in texts}
    return {tickets[ticket]: outcome for ticket, outcome in engine.iter_results(timeout)}


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def hasty(backend="narration.engines.dummy.DummyEngine", **options):
    return EngineConfig(
        "test", backend, options, deadline_base_s=0.5, deadline_per_character_s=0.01
    )


def test_a_refused_sentence_is_refused_for_good_and_the_rest_is_spoken():
    with EngineProcess(config(fail_on="bad")) as engine:
        heard = outcomes(engine, ["good one", "a bad one", "good two"])
    assert heard["a bad one"].is_permanent
    assert heard["a bad one"].code == "asked_to_fail"
    assert isinstance(heard["good one"], EngineResult)
    assert isinstance(heard["good two"], EngineResult)


def test_an_engines_bug_is_one_sentences_error():
    with EngineProcess(config(HERE + "BuggyEngine")) as engine:
        pid = engine.pid
        heard = outcomes(engine, ["good", "a bug"])
        assert engine.pid == pid
    assert heard["a bug"].code == "engine_fault"
    assert "ZeroDivisionError: oops" in heard["a bug"].message
    assert isinstance(heard["good"], EngineResult)


def test_a_sentence_that_kills_the_engine_pays_alone():
    with EngineProcess(config(crash_on="boom")) as engine:
        texts = [f"sentence {n}" for n in range(12)]
        texts[3:3] = ["boom one"]
        texts[8:8] = ["boom two"]
        heard = outcomes(engine, texts)
    assert len(heard) == len(texts)
    for text in texts:
        if "boom" in text:
            assert isinstance(heard[text], EngineCrashed)
            assert heard[text].code == "engine_crashed"
            assert "exit status 7" in heard[text].message
        else:
            assert isinstance(heard[text], EngineResult)


def test_a_sentence_that_hangs_the_engine_pays_alone():
    with EngineProcess(hasty(hang_on="forever")) as engine:
        pid = engine.pid
        began = time.monotonic()
        heard = outcomes(engine, ["before", "forever", "after"])
        assert time.monotonic() - began < 5
        assert not is_alive(pid)
    assert heard["forever"].code == "engine_hung"
    assert not heard["forever"].is_permanent
    assert isinstance(heard["before"], EngineResult)
    assert isinstance(heard["after"], EngineResult)


def test_waiting_does_not_count_against_the_deadline():
    with EngineProcess(hasty(delay_ms=150)) as engine:
        heard = outcomes(engine, [f"sentence {n}" for n in range(12)])
    assert all(isinstance(outcome, EngineResult) for outcome in heard.values())


def test_of_several_in_hand_only_the_guilty_pays():
    with EngineProcess(config(HERE + "BatchingEngine")) as engine:
        texts = ["one two three four", "poison", "five six seven eight", "nine", "ten"]
        heard = outcomes(engine, texts)
    assert isinstance(heard.pop("poison"), EngineCrashed)
    assert [type(outcome) for outcome in heard.values()] == [EngineResult] * 4


def test_killed_in_mid_utterance_it_is_replaced():
    with EngineProcess(config(delay_ms=100)) as engine:
        tickets = [engine.submit(say(f"sentence {n}")) for n in range(6)]
        engine.get_result(5)
        pid = engine.pid
        os.kill(pid, signal.SIGKILL)
        heard = dict(engine.iter_results(10))
        assert engine.pid != pid
    assert set(heard) == set(tickets[1:])
    crashed = [o for o in heard.values() if isinstance(o, EngineError)]
    assert len(crashed) <= 1
    assert all("killed by SIGKILL" in error.message for error in crashed)


def test_killed_while_idle_the_next_sentence_does_not_notice():
    with EngineProcess(config()) as engine:
        pid = engine.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: engine.pid is None)
        assert engine.speak(say("Hello."), timeout=10)


def test_stopped_it_is_replaced():
    with EngineProcess(hasty(delay_ms=200)) as engine:
        engine.speak(say("Hello."), timeout=5)
        pid = engine.pid
        engine.submit(say("first"))
        engine.submit(say("second"))
        os.kill(pid, signal.SIGSTOP)
        heard = dict(engine.iter_results(10))
        assert engine.pid != pid
        assert not is_alive(pid)
    assert len(heard) == 2
    assert any(isinstance(outcome, EngineResult) for outcome in heard.values())


def test_an_engine_that_always_dies_is_given_up_with_its_last_words():
    with pytest.raises(EngineCrashed, match="about to die"):
        EngineProcess(config(HERE + "DyingEngine")).start()


@pytest.mark.parametrize("state", ["idle", "speaking", "hanging"])
def test_close_leaves_no_child(state):
    engine = EngineProcess(config(hang_on="hang", delay_ms=300))
    engine.start()
    pid = engine.pid
    if state != "idle":
        engine.submit(say("hang" if state == "hanging" else "speak"))
        time.sleep(0.1)
    engine.close()
    assert not is_alive(pid)
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


PARENT = """
import sys, time
from narration.speaking import EngineProcess, close_all
from narration.values import EngineConfig, Utterance
engine = EngineProcess(EngineConfig("x", sys.argv[1], {options}))
engine.start()
print(engine.pid, flush=True)
engine.submit(Utterance("please hang", "en", sys.argv[2]))
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("backend", "voice", "options"),
    [
        ("narration.engines.dummy.DummyEngine", "low", "{'hang_on': 'hang'}"),
        (HERE + "FragileEspeakEngine", "en-us", "{}"),
    ],
)
def test_no_engine_outlives_a_parent_that_is_killed(backend, voice, options):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.replace("{options}", options), backend, voice],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    family = [pid, *children_of(pid)]
    parent.kill()
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not any(is_alive(each) for each in family))


def children_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []


def test_a_crash_in_espeaks_child_is_permanent_and_leaves_the_engine_up():
    with EngineProcess(config(HERE + "FragileEspeakEngine")) as engine:
        pid = engine.pid
        voice = {"language": "en", "voice": "en-us"}
        with pytest.raises(EngineCrashed, match="status -11") as caught:
            engine.speak(replace_voice("a segfault", voice), timeout=10)
        assert caught.value.is_permanent
        assert engine.speak(replace_voice("fine", voice), timeout=10)
        assert engine.pid == pid


def test_a_hang_in_espeaks_child_is_ended_by_the_engine_itself(monkeypatch):
    from narration.engines.espeak import engine as module
    from tests.speaking.engines import FragileEspeakEngine

    close_all()  # other tests' warm engines are children too
    monkeypatch.setattr(module, "DEADLINE_S", 0.3)
    espeak = FragileEspeakEngine()
    espeak.load()
    voice = {"language": "en", "voice": "en-us"}
    with pytest.raises(EngineCrashed) as caught:
        espeak.speak(replace_voice("hang on", voice))
    assert caught.value.code == "engine_hung"
    assert espeak.speak(replace_voice("fine", voice))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def replace_voice(text, voice):
    from narration.values import Utterance

    return Utterance(text, **voice)

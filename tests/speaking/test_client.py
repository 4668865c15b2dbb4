"""The engine client with well-behaved engines: streams, order, priority, facts, forks."""

import os
import subprocess
import threading
import time
import venv
from pathlib import Path

import numpy as np
import pytest

from narration.exceptions import EngineError, UnsupportedUtterance
from narration.speaking import EngineProcess, describe_config
from narration.values import EngineConfig, EngineResult, Utterance

DUMMY = "narration.engines.dummy.DummyEngine"
HERE = "tests.speaking.engines."


def config(backend=DUMMY, **options):
    return EngineConfig("test", backend, options, deadline_base_s=5)


def say(text):
    return Utterance(text, "en", "low")


@pytest.fixture(scope="module")
def dummy():
    with EngineProcess(config()) as engine:
        yield engine


def wait_until(condition, timeout=5):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_speaks_one(dummy):
    result = dummy.speak(say("Hello."), timeout=5)
    assert result.waveform.duration_ms == 6 * 60
    assert [(word.spoken_start, word.spoken_end) for word in result.words] == [(0, 6)]


def test_speak_raises_the_error(dummy):
    with pytest.raises(UnsupportedUtterance) as caught:
        dummy.speak(say("!"), timeout=5)
    assert caught.value.code == "nothing_to_say"


def test_gives_every_result_once(dummy):
    tickets = [dummy.submit(say(f"Sentence {n}.")) for n in range(50)]
    heard = [ticket for ticket, outcome in dummy.iter_results(5)]
    assert sorted(heard) == sorted(tickets)
    with pytest.raises(LookupError):
        dummy.get_result(0.1)


def test_streams_hear_only_their_own(dummy):
    first, second = dummy.open_stream(), dummy.open_stream()
    mine = {first.submit(say(f"First {n}.")) for n in range(10)}
    yours = {second.submit(say(f"Second {n}.")) for n in range(10)}
    assert {ticket for ticket, _ in second.iter_results(5)} == yours
    assert {ticket for ticket, _ in first.iter_results(5)} == mine


def test_threads_share_a_process(dummy):
    heard = []

    def work(name):
        spoken = [dummy.speak(say(f"{name} {n}"), timeout=5) for n in range(10)]
        heard.extend(result.waveform.duration_ms for result in spoken)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [3 * 60] * 40


def test_outlives_the_thread_that_started_it():
    engine = EngineProcess(config())
    thread = threading.Thread(target=engine.start)
    thread.start()
    thread.join()
    pid = engine.pid
    time.sleep(0.3)
    assert engine.speak(say("Still here."), timeout=5)
    assert engine.pid == pid
    engine.close()


def test_an_urgent_one_overtakes():
    with EngineProcess(config(delay_ms=10)) as engine:
        for n in range(30):
            engine.submit(say(f"Lesson {n}."), priority=5)
        urgent = engine.submit(say("Preview."), priority=0)
        order = [ticket for ticket, _ in engine.iter_results(5)]
    assert order.index(urgent) <= 2


def test_slots_are_refilled_and_short_ones_come_first():
    with EngineProcess(config(HERE + "BatchingEngine")) as engine:
        long = engine.submit(say("one two three four five six seven eight nine ten"))
        short = [engine.submit(say(f"word {n}")) for n in range(6)]
        order = [ticket for ticket, _ in engine.iter_results(5)]
    assert sorted(order[:6]) == sorted(short)
    assert order[6] == long


def test_cancelled_ones_are_not_spoken():
    with EngineProcess(config(delay_ms=50)) as engine:
        tickets = [engine.submit(say(f"Sentence {n}.")) for n in range(20)]
        for ticket in tickets[2:]:
            engine.cancel(ticket)
        began = time.monotonic()
        heard = [ticket for ticket, _ in engine.iter_results(5)]
        engine.speak(say("After."), timeout=5)
        assert time.monotonic() - began < 0.5
    assert heard == tickets[:2]


def test_no_result_in_time_is_a_timeout():
    with EngineProcess(config(delay_ms=500)) as engine:
        engine.submit(say("Slow."))
        with pytest.raises(TimeoutError):
            engine.get_result(0.05)
        assert isinstance(engine.get_result(5)[1], EngineResult)


def test_close_wakes_who_waits():
    engine = EngineProcess(config(delay_ms=5000))
    engine.submit(say("Very slow."))
    threading.Timer(0.2, engine.close).start()
    _, outcome = engine.get_result(4)
    assert outcome.code == "engine_closed"
    assert not outcome.is_permanent


def test_a_closed_engine_starts_again_when_asked():
    engine = EngineProcess(config())
    first = engine.speak(say("One."), timeout=5)
    engine.close()
    assert engine.pid is None
    assert engine.speak(say("One."), timeout=5).waveform.samples.tolist() == (
        first.waveform.samples.tolist()
    )
    engine.close()


def test_beats_and_tells_its_memory(dummy):
    dummy.speak(say("Hello."), timeout=5)
    wait_until(lambda: dummy.rss > 1_000_000)
    wait_until(lambda: dummy.silent_s > 0.3)
    wait_until(lambda: dummy.silent_s < 0.3)


def test_description_needs_no_process():
    facts = describe_config(config("narration.engines.espeak.EspeakEngine"))
    assert facts.model_fingerprint.startswith("espeakng-loader-")
    assert facts.drop_defaults({"rate": 165, "pitch": 60}) == {"pitch": 60}


@pytest.mark.parametrize(
    "backend", ["nowhere.Engine", "narration.engines.dummy.Nothing", "json.JSONDecoder", "x"]
)
def test_a_backend_that_is_none_is_named(backend):
    with pytest.raises(EngineError, match=backend) as caught:
        EngineProcess(config(backend))
    assert caught.value.code == "engine_not_installed"


def test_refuses_an_engine_that_is_not_as_described():
    with pytest.raises(EngineError, match="model_fingerprint 'tone' became 'another'") as caught:
        EngineProcess(config(HERE + "ImpostorEngine")).start()
    assert caught.value.code == "engine_facts_differ"


def test_says_why_it_cannot_be_loaded():
    with pytest.raises(EngineError, match="no weights here") as caught:
        EngineProcess(config(HERE + "BrokenEngine")).start()
    assert caught.value.code == "weights_missing"


def test_printing_libraries_do_not_break_the_stream():
    with EngineProcess(config(HERE + "ChattyEngine")) as engine:
        for n in range(5):
            assert engine.speak(say(f"Number {n}."), timeout=5).waveform.duration_ms == 540


def test_the_engine_sees_no_secrets(monkeypatch):
    from narration.speaking.launch import build_environment

    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    environment = build_environment()
    assert "DATABASE_URL" not in environment
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"


def test_another_interpreter_gets_this_package_and_nothing_else(tmp_path):
    from narration.speaking.launch import build_environment

    assert build_environment(tmp_path)["PYTHONPATH"] == str(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["narration"]


def test_runs_in_another_environment_without_django(tmp_path):
    venv.create(tmp_path, symlinks=True)
    (site,) = tmp_path.glob("lib/python*/site-packages")
    for folder in Path(np.__file__).parents[1].glob("numpy*"):
        (site / folder.name).symlink_to(folder)
    python = str(tmp_path / "bin" / "python")
    looks_for_django = "import importlib.util as u; raise SystemExit(bool(u.find_spec('django')))"
    subprocess.run([python, "-c", looks_for_django], check=True)
    with EngineProcess(EngineConfig("x", DUMMY, python=python)) as engine:
        assert engine.speak(say("Hello."), timeout=5)


def test_a_fork_refuses_the_parents_engine_and_leaves_it_alone(dummy):
    dummy.speak(say("Before."), timeout=5)
    # One that gave up must not keep the fork from letting go of the others.
    broken = [EngineProcess(config(HERE + "BrokenEngine")) for _ in range(3)]
    for engine in broken:
        with pytest.raises(EngineError):
            engine.start()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            dummy.submit(say("In the fork."))
        except EngineError as error:
            os.write(writer, error.code.encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    assert os.read(reader, 100) == b"engine_forked"
    os.close(reader)
    assert dummy.speak(say("After."), timeout=5)


def test_an_urgent_utterance_begins_with_the_next_step_though_every_slot_is_taken():
    """Four are spoken side by side, forty steps each; the urgent one is done long before them."""
    options = {"slots": 4, "step_ms": 25}
    with EngineProcess(config(**options)) as process:
        bulk, urgent = process.open_stream(), process.open_stream()
        for number in range(12):
            bulk.submit(Utterance(f"{number} " + "word " * 40, "en", "low"))
        time.sleep(0.3)  # all slots are taken by now
        urgent.submit(Utterance("Now.", "en", "low"), priority=-100)
        urgent.get_result(timeout=20)
        with pytest.raises(TimeoutError):
            bulk.get_result(timeout=0)
        for _ in range(12):
            bulk.get_result(timeout=60)

"""Heavy engines share a device: who is loaded, who makes room, who waits, and that nobody is ended
under whoever holds it.
"""

import itertools
import os
import random
import threading
from dataclasses import replace

import pytest

from narration.exceptions import EngineError
from narration.speaking import close_all, get_engine_process, hold_engine, is_heavy, warm
from tests.speaking.test_client import HERE, config, say, wait_until
from tests.speaking.test_faults import is_alive


def heavy(alias, backend=HERE + "CardEngine", **options):
    return replace(config(backend, **options), alias=alias, is_heavy=True)


@pytest.fixture
def engines(monkeypatch, settings, tmp_path, no_engines):
    """Three heavy ones on one card, one on another, a light one; ``limit(n)`` sets the room."""
    log = str(tmp_path / "spoken")
    known = {
        **{alias: heavy(alias, log=log) for alias in ("a", "b", "c")},
        "elsewhere": heavy("elsewhere", device="cuda:1", log=log),
        "light": replace(config(), alias="light"),
        "broken": heavy("broken", HERE + "BrokenEngine"),
    }
    known["b"].options["device"] = "cuda:0"  # the same card by another name
    monkeypatch.setattr(warm, "_get_config", known.__getitem__)
    set_room(settings)
    return known


def set_room(settings, engines=1, idle=0):
    settings.NARRATION = {
        **settings.NARRATION,
        "WARM_ENGINES": engines,
        "ENGINE_IDLE_SECONDS": idle,
    }


def use(alias):
    """Hold it for a sentence; its pid."""
    with hold_engine(alias):
        engine = get_engine_process(alias)
        engine.speak(say("Hello."), timeout=10)
        return engine.pid


def list_loaded():
    return {entry.alias for entry in warm.list_warm() if entry.process.pid}


def test_a_loaded_one_serves_again_and_again(engines):
    assert use("a") == use("a")
    entry = warm.list_warm()[0]
    assert (entry.uses, entry.is_resident) == (0, True)


def test_one_that_nobody_uses_makes_room_for_the_next(engines):
    first = use("a")
    second = use("b")
    assert not is_alive(first)
    assert is_alive(second)
    assert use("a") != first
    assert list_loaded() == {"a"}


def test_it_is_gone_before_the_next_begins_to_load(engines, monkeypatch):
    first = use("a")
    starting = []
    start = warm.EngineProcess.start
    monkeypatch.setattr(
        warm.EngineProcess,
        "start",
        lambda process: (starting.append(is_alive(first)), start(process)),
    )
    use("b")
    assert True not in starting
    assert starting


def test_the_longest_unused_goes(engines, settings):
    set_room(settings, 2)
    for alias in ("a", "b", "a", "c"):
        use(alias)
    assert list_loaded() == {"a", "c"}


def test_another_device_and_light_engines_are_not_in_the_way(engines):
    pids = [use(alias) for alias in ("light", "elsewhere", "a", "b", "light", "elsewhere")]
    assert pids[0] == pids[4]
    assert pids[1] == pids[5]
    assert list_loaded() == {"light", "elsewhere", "b"}


def test_who_has_a_model_is_heavy_unless_the_settings_say_otherwise():
    assert not is_heavy(config())
    own = config(HERE + "CardEngine")
    assert is_heavy(own)
    assert not is_heavy(replace(own, is_heavy=False))


def test_it_is_never_ended_under_who_holds_it(engines):
    asked = threading.Event()
    ended = threading.Event()
    heard = []

    def want_b():
        with hold_engine("b", asked.set):
            heard.append((ended.is_set(), is_alive(pid)))
            get_engine_process("b")

    with hold_engine("a"):
        engine = get_engine_process("a")
        pid = engine.pid
        thread = threading.Thread(target=want_b)
        thread.start()
        assert asked.wait(10)  # it waits, and is asked whether to
        assert engine.speak(say("Still here."), timeout=10)
        assert (engine.pid, heard) == (pid, [])
        ended.set()
    thread.join(20)
    assert heard == [(True, False)]
    assert list_loaded() == {"b"}


def test_what_is_spoken_without_a_hold_is_not_ended_either(engines):
    engines["a"] = heavy("a", log=engines["a"].options["log"], delay_ms=300)
    stream = get_engine_process("a").open_stream()
    for _ in range(3):
        stream.submit(say("Slowly."))
    use_b = threading.Thread(target=use, args=["b"])
    use_b.start()
    outcomes = [outcome for _name, outcome in stream.iter_results(10)]
    assert not any(isinstance(outcome, EngineError) for outcome in outcomes)
    use_b.join(20)
    assert list_loaded() == {"b"}


def test_who_gives_up_waiting_leaves_the_line(engines):
    def give_up():
        raise KeyError("enough")

    with hold_engine("a"):
        get_engine_process("a")

        def want_b():
            with pytest.raises(KeyError), hold_engine("b", give_up):
                pass

        thread = threading.Thread(target=want_b)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
    assert use("c")
    assert use("b")


def test_who_holds_one_waits_for_no_other(engines):
    with hold_engine("a"):
        get_engine_process("a")
        with pytest.raises(EngineError) as caught, hold_engine("b"):
            pass
        assert (caught.value.code, caught.value.is_permanent) == ("engine_busy", False)
        with hold_engine("a"), hold_engine("light"):
            assert get_engine_process("a").speak(say("The same."), timeout=10)
        assert warm.find_crowded_out(engines.values()) == ["b", "c", "broken"]
    assert warm.find_crowded_out(engines.values()) == []
    assert use("b")


def test_who_came_first_is_served_first(engines):
    """One that is used again and again does not starve the other."""
    asked = threading.Event()
    done = threading.Event()
    order = []

    def want_b():
        with hold_engine("b", asked.set):
            order.append("b")
        done.set()

    with hold_engine("a"):
        get_engine_process("a")
        thread = threading.Thread(target=want_b)
        thread.start()
        assert asked.wait(10)
    with hold_engine("a"):
        order.append("a")
    assert done.wait(10)
    thread.join()
    assert order == ["b", "a"]


def test_one_that_cannot_be_loaded_takes_no_room_and_is_remembered(engines):
    told = []
    warm.watch(lambda: told.append(1))
    with pytest.raises(EngineError, match="no weights"), hold_engine("broken"):
        get_engine_process("broken")
    entry = next(each for each in warm.list_warm() if each.alias == "broken")
    assert (entry.is_resident, entry.failure.code) == (False, "weights_missing")
    assert told
    assert use("a")


def test_the_idle_go_and_come_back(engines, settings):
    set_room(settings, idle=0.3)
    told = threading.Event()
    pid = use("a")
    warm.watch(told.set)
    wait_until(lambda: not is_alive(pid))
    assert told.wait(10)
    assert use("a") != pid


def test_who_is_held_is_not_idle(engines, settings):
    set_room(settings, 2, idle=0.1)
    with hold_engine("a"):
        pid = get_engine_process("a").pid
        gone = use("b")
        wait_until(lambda: not is_alive(gone))
        assert is_alive(pid)
    wait_until(lambda: not is_alive(pid))
    wait_until(lambda: not [t for t in threading.enumerate() if "idle-engines" in t.name])


def test_a_fork_begins_anew_whoever_held_what(engines):
    with hold_engine("a"):
        get_engine_process("a")
        with warm._room.changed:  # the lock is held at the moment of the fork
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    use("b")
                    close_all()
                    status = 0
                finally:
                    os._exit(status)
        _, status = os.waitpid(child, 0)
        assert status == 0
        assert get_engine_process("a").speak(say("Mine."), timeout=10)


def test_many_threads_never_have_too_many_loaded_nor_wait_for_each_other(engines, settings):
    set_room(settings, 2, idle=0.05)
    problems, turns = [], itertools.count()

    def work(seed):
        chance = random.Random(seed)
        try:
            for _ in range(6):
                alias = chance.choice("abc")
                with hold_engine(alias):
                    get_engine_process(alias).speak(say("Hello."), timeout=20)
                    if len(list_loaded()) > 2:
                        problems.append(list_loaded())
                    next(turns)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            problems.append(error)

    threads = [threading.Thread(target=work, args=[seed], daemon=True) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert problems == []
    assert next(turns) == 36


def test_it_tells_how_it_was_loaded_and_how_fast_it_speaks(engines):
    with hold_engine("a"):
        engine = get_engine_process("a")
        assert engine.load_report.seconds > 0
        assert engine.load_report.before["rss"] > 1_000_000
        assert engine.load_report.before["memory"] == 1_000_000_000
        assert engine.load_report.after["memory"] == 4_000_000_000
        assert engine.measures["device"] == "cuda (Pretended)"
        engine.speak(say("Hello."), timeout=10)
        assert engine.spoken.sentences == 1
    entry = warm.list_warm()[0]
    assert entry.real_time_factor == engine.spoken.engine_ms / engine.spoken.audio_ms
    with hold_engine("a"):
        pass
    assert entry.real_time_factor == engine.spoken.engine_ms / engine.spoken.audio_ms

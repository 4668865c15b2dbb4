"""The bench of the engines, on small models: it counts, it compares, and it notices."""

from __future__ import annotations

import argparse
import json
import shutil
from statistics import median

import numpy as np
import pytest
import torch

from bench import report
from bench.engines import __main__ as command
from bench.engines import figures, styletts2, xtts
from bench.engines import models as cache
from bench.engines.clock import Clock, Memory, Spent
from bench.engines.compare import LIBRARY, OURS, WHOLE, Counted, Round, check_same_counts, compare
from bench.engines.lesson import LONGEST, SHORTEST, build_lesson
from bench.engines.models import Models
from bench.engines.sides import DifferentWork, Said, check_same_work
from narration.engines.styletts2 import speech

CPU = torch.device("cpu")
LESSON = build_lesson(2, median=SHORTEST)
PARTS = {
    "xtts": {
        OURS: ["front end", "decoding", "vocoder", WHOLE],
        LIBRARY: ["front end", "decoding", "second pass", "vocoder", WHOLE],
    },
    "styletts2": {
        OURS: ["front end", "PL-BERT", "diffusion", "decoder", WHOLE],
        LIBRARY: ["front end", "PL-BERT", "diffusion", "decoder", WHOLE],
    },
}


@pytest.fixture(scope="module")
def models(xtts_models, styletts2_models, tmp_path_factory):
    """The library writes into what was published: it gets a copy."""
    copies = tmp_path_factory.mktemp("published")
    found = {}
    for name, folder in (("xtts", xtts_models), ("styletts2", styletts2_models)):
        shutil.copytree(folder.parent / "published", copies / name)
        found[name] = Models(copies / name, folder)
    return found


@pytest.fixture
def sides(models, request):
    """Both sides of an engine by its name, which is the test's parameter or XTTS."""
    name = getattr(request, "param", "xtts")
    room = {"xtts": xtts, "styletts2": styletts2}[name]
    ours = room.Ours(models[name], CPU, "fp32")
    library = room.Library(models[name], CPU if name == "xtts" else ours)
    for side in (ours, library):
        assert list(side.clock.take()) == ["load"]
    yield room, ours, library
    ours.clock.close()
    library.clock.close()


both = pytest.mark.parametrize("sides", ["xtts", "styletts2"], indirect=True)


# The lesson.


def test_a_lesson_is_the_same_every_time_and_as_long_as_people_write():
    lesson = build_lesson(400)
    assert lesson == build_lesson(400)
    assert lesson != build_lesson(400, seed=2)
    assert lesson[:10] == build_lesson(10)
    lengths = [len(sentence.text) for sentence in lesson]
    assert 65 < median(lengths) <= 80
    assert max(lengths) <= LONGEST
    assert len({sentence.text for sentence in lesson}) == len(lesson)
    for sentence in lesson:
        # Fifteen characters a second.
        assert sentence.tokens / 21.53 == pytest.approx(len(sentence.text) / 15, abs=0.05)


# What is measured.


@both
def test_both_sides_do_the_same_work_and_every_part_is_timed(sides):
    room, ours, library = sides
    assert room.check_sense(ours, library, LESSON) > 1
    found = compare(ours, library, LESSON, 2)
    assert len(found.rounds) == 2
    for which in found.rounds:
        assert which.counted[OURS] == which.counted[LIBRARY]
        assert which.counted[OURS].sentences == len(LESSON)
        for side in (OURS, LIBRARY):
            parts = {part: spent.wall for part, spent in which.spent[side].items()}
            assert 0 < sum(parts.values()) - parts[WHOLE] <= parts[WHOLE]
        for clock in ("wall", "cpu"):
            ratio = getattr(which.spent[LIBRARY][WHOLE], clock)
            ratio /= getattr(which.spent[OURS][WHOLE], clock)
            assert which.get_ratio(clock) == ratio
    name = room.__name__.rpartition(".")[2]
    assert {side: found.list_parts(side) for side in PARTS[name]} == PARTS[name]
    if name == "xtts":
        assert found.rounds[0].counted[OURS].units == sum(s.tokens for s in LESSON)
    else:
        # The padding has no sound of its own; two frames of 600 samples are a symbol.
        units, samples = found.rounds[0].counted[OURS].units, found.rounds[0].counted[OURS].samples
        assert samples == units * 1200 - 50 * len(LESSON)


def test_wrapping_is_taken_off(models):
    before = speech.write_script
    side = styletts2.Ours(models["styletts2"], CPU, "fp32")
    assert speech.write_script is not before
    side.clock.close()
    assert speech.write_script is before


def test_seconds_add_up_until_they_are_taken():
    clock = Clock(CPU)
    for _ in range(2):
        with clock.timed("part"):
            sum(range(10_000))
    with pytest.raises(ZeroDivisionError), clock.timed("other"):
        1 / 0  # noqa: B018
    taken = clock.take()
    assert set(taken) == {"part", "other"}
    assert taken["part"].wall > 0
    assert clock.take() == {}


def test_the_ratio_is_the_library_s_time_by_ours():
    found = Round()
    found.add(OURS, {WHOLE: Spent(2.0, 4.0)})
    found.add(LIBRARY, {WHOLE: Spent(3.0, 3.0)})
    found.add(LIBRARY, {WHOLE: Spent(0.0, 1.0)})
    assert (found.get_ratio("wall"), found.get_ratio("cpu")) == (1.5, 1.0)


def test_the_peak_is_seen_even_after_it_was_freed():
    memory = Memory(CPU)
    if not memory.can_reset:
        pytest.skip("this kernel does not let one reset the peak")
    held = memory.begin()
    np.ones(2**26, np.uint8).sum()
    assert memory.read_peak() - held > 2**25
    held = memory.begin()
    assert memory.read_peak() - held < 2**25


# What it notices: planted faults.


@pytest.mark.parametrize("fault", ["tokens", "samples"])
def test_other_counts_are_no_comparison(sides, fault, monkeypatch):
    _, ours, library = sides
    if fault == "tokens":
        prepare = library.prepare
        less = [type(s)(s.text, s.tokens - 1) for s in LESSON]
        wrong = dict(zip(LESSON, less, strict=True))
        monkeypatch.setattr(library, "prepare", lambda sentence: prepare(wrong[sentence]))
    else:
        vocode = ours.loaded.vocode
        monkeypatch.setattr(ours.loaded, "vocode", lambda *a: vocode(*a)[:-1])
    with pytest.raises(DifferentWork, match="units" if fault == "tokens" else "samples"):
        compare(ours, library, LESSON, 1)


@pytest.mark.parametrize("sides", ["styletts2"], indirect=True)
def test_other_durations_are_no_comparison(sides):
    _, ours, library = sides
    library.tts.model.predictor.duration_proj.linear_layer.bias.data += 2
    with pytest.raises(DifferentWork, match="samples"):
        compare(ours, library, LESSON, 1)


def test_a_sentence_left_out_is_no_comparison():
    found = Round()
    said = Said(3, np.ones(5, np.float32))
    for side in (OURS, LIBRARY):
        found.counted[side].add(said)
    check_same_counts(found, 1)
    with pytest.raises(DifferentWork):
        check_same_counts(found, 2)
    found.counted[LIBRARY] = Counted(1, 3, 4)
    with pytest.raises(DifferentWork):
        check_same_counts(found, 1)


@pytest.mark.parametrize("sound", [np.zeros(5), np.full(5, np.nan)])
def test_silence_and_nonsense_are_not_speech(sound):
    good = Said(3, np.ones(5, np.float32))
    check_same_work(LESSON[0], good, good)
    with pytest.raises(DifferentWork, match="not sound"):
        check_same_work(LESSON[0], good, Said(3, sound.astype(np.float32)))


def test_codes_that_are_not_the_library_s_are_noticed(sides):
    _, ours, library = sides
    library.settings["repetition_penalty"] = 1.0
    library.model.gpt.mel_head.bias.data[7] += 50
    with pytest.raises(DifferentWork, match="in the library"):
        xtts.check_sense(ours, library, LESSON)


def test_weights_that_do_not_hear_the_text_are_noticed(sides):
    _, ours, library = sides
    for gpt in (ours.loaded.model.gpt, library.model.gpt):
        gpt.text_embedding.weight.data.zero_()
        gpt.text_pos_embedding.emb.weight.data.zero_()
        # Louder than all else, wherever it is said.
        gpt.mel_head.bias.data[7] += 1e6
    with pytest.raises(DifferentWork, match="show nothing"):
        xtts.check_sense(ours, library, LESSON)


@pytest.mark.parametrize("sides", ["styletts2"], indirect=True)
def test_another_sound_than_the_library_s_is_noticed(sides, monkeypatch):
    room, ours, library = sides
    monkeypatch.setattr(ours, "get_seed", lambda _sentence: 5)
    with pytest.raises(DifferentWork, match="Other samples"):
        room.check_sense(ours, library, LESSON)


# The command, and what it keeps.


def test_what_it_prints_can_be_read_by_programs(models, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(figures, "get_models", lambda name, *_: models[name])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(report, "FIGURES", [])
    numbers = ["--sentences", "2", "--median", "20", "--rounds", "1"]
    command.main(["--size", "small", *numbers, "--cache", str(tmp_path)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    machine = lines[0]["machine"]
    assert {"cpu", "threads", "avx512_bf16", "torch", "gpu", "date"} <= set(machine)
    assert machine["gpu"] is None
    assert "there is none" in lines[1]["skipped"]
    told = {line["name"]: line["value"] for line in lines if "value" in line}
    for name, parts in PARTS.items():
        title = f"{name}, small, cpu, fp32"
        for which in ("wall ratio, median", "wall ratio, worst", "CPU ratio, median"):
            assert told[f"{title}: {which}"] > 0
        assert told[f"{title}: wall ratio, worst"] <= told[f"{title}: wall ratio, median"]
        assert told[f"{title}: sentences, each side"] == 2
        for side in (OURS, LIBRARY):
            assert told[f"{title}: load, {side}"] > 0
            for part in parts[side]:
                assert told[f"{title}: {side}, {part}, wall"] >= 0
        assert told[f"{title}: latents of a voice, 30 s heard, wall"] > 0


def test_half_precision_is_not_compared_bit_by_bit_and_that_is_said(models, monkeypatch, capsys):
    monkeypatch.setattr(figures, "get_models", lambda name, *_: models[name])
    monkeypatch.setattr(report, "FIGURES", [])
    options = argparse.Namespace(size="small", cache=None, profile="gpu-bf16", rounds=1)
    figures.measure("xtts", "cpu", LESSON, options)
    assert "only fp32 can be the same" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["xtts", "styletts2"])
def test_models_are_made_once_and_anew_when_that_was_broken_off(name, tmp_path, monkeypatch):
    made = []

    def write(folder, size):
        made.append((folder, size))
        (folder / "left").write_text("")

    def convert(source, target):
        if len(made) == 1:
            raise KeyboardInterrupt
        return (), {}

    monkeypatch.setattr(cache, "_get_writer", lambda _name: write)
    monkeypatch.setattr(cache.CLASSES[name], "convert_model", convert)
    with pytest.raises(KeyboardInterrupt):
        cache.get_models(name, "full", tmp_path)
    found = [cache.get_models(name, "full", tmp_path) for _ in range(2)]
    assert found[0] == found[1]
    assert made == [(found[0].published, "full")] * 2
    assert (found[0].models_dir / cache.CLASSES[name].model.name / "model.json").is_file()

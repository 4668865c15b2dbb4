"""Whole lessons by both engines, through the real queue, to the page a learner opens."""

from __future__ import annotations

import pytest

from narration import api
from narration.exceptions import LicenceNotAccepted
from narration.models import Job, Rendition, UsageDay
from tests.clusters import wait_for
from tests.helpers import get_narration
from tests.neural.stage import EDITS, LANGUAGES, MODELS, SENTENCES, TEXTS, get_page
from tests.processes import kill

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),
]


NAMES = {
    "en": "one two three four five six seven eight",
    "pt-BR": "um dois três quatro cinco seis sete oito",
}


@pytest.fixture(params=list(LANGUAGES))
def alias(request):
    return request.param


def test_a_lesson_is_narrated_published_and_heard(stage, client, alias):
    language = LANGUAGES[alias]
    stage.accept()
    lesson = stage.write_lesson(language)
    with stage.cluster():
        job = stage.narrate(lesson, language)
        assert (job.state, job.error, job.synthesized) == ("done", "", SENTENCES)
        again = stage.narrate(lesson, language)
        assert (again.state, again.synthesized) == ("done", 0)
        stage.save(lesson, language, TEXTS[language].replace(*EDITS[language]))
        edited = stage.narrate(lesson, language)
        assert (edited.state, edited.synthesized) == ("done", 1)
    assert Rendition.objects.count() == SENTENCES + 1
    assert {r.voice.engine for r in Rendition.objects.all()} == {alias}

    page = client.get(get_page(lesson))
    assert page.status_code == 200
    shown = page.content.decode()
    assert EDITS[language][1] in shown
    assert "data-synthetic-voice" in shown
    manifest = api.get_manifest(lesson, language=language, user=None)
    assert manifest["must_tell_listeners"] == (alias == "styletts2")
    assert manifest["non_commercial"] == (alias == "xtts")
    assert [bool(s["words"]) for s in manifest["segments"]] == [alias == "styletts2"] * SENTENCES
    for name in ("mp3", "opus"):
        file = manifest["files"][name]
        part = client.get(file["url"], HTTP_RANGE="bytes=0-99")
        assert (part.status_code, len(b"".join(part.streaming_content))) == (206, 100)
        part.close()
    client.force_login(stage.author)
    panel = client.get(f"{get_page(lesson)}edit?language={language}").content.decode()
    assert ("not for commercial use" in panel) == (alias == "xtts")


def test_before_the_terms_are_accepted_nothing_is_queued(stage, alias):
    lesson = stage.write_lesson(LANGUAGES[alias])
    with pytest.raises(LicenceNotAccepted, match="models accept") as refusal:
        stage.request(lesson, LANGUAGES[alias])
    assert refusal.value.code == "licence_not_accepted"
    assert not Job.objects.exists()
    api.accept_licence(MODELS[alias], name="Ada Lovelace, Example Institute")
    assert stage.request(lesson, LANGUAGES[alias]).state == "queued"


def test_an_engine_killed_in_the_middle_comes_back_and_repeats_nothing(stage, alias):
    language = LANGUAGES[alias]
    stage.accept()
    lesson = stage.write_lesson(language, build_long_text(language))
    with stage.cluster():
        job = stage.request(lesson, language)
        stage.wait_made(2)
        (engine,) = stage.find_engines(alias)
        kill(engine)
        assert Rendition.objects.count() < len(NAMES[language].split())
        job = stage.finish(job)
        assert (job.state, job.error) == ("done", "")
        assert engine not in stage.find_engines(alias)
    narration = get_narration(lesson, language)
    wanted = narration.published_track.manifest["segments"]
    digests = Rendition.objects.values_list("digest", flat=True)
    assert len(set(digests)) == len(digests) == len(wanted) == job.synthesized
    assert sum(UsageDay.objects.values_list("made", flat=True)) == len(wanted)


def build_long_text(language):
    words = {"en": "This is sentence", "pt-BR": "Esta é a frase"}[language]
    return "\n\n".join(f"{words} {name}." for name in NAMES[language].split())


def test_both_engines_take_turns_on_one_card(stage):
    """One engine is loaded at a time; a lesson of the other waits for its room, and gets it."""
    stage.accept()
    lessons = {alias: stage.write_lesson(language) for alias, language in LANGUAGES.items()}
    seen = set()

    def look(jobs):
        seen.add(tuple(sorted(alias for alias in LANGUAGES if stage.find_engines(alias))))
        return Job.objects.filter(pk__in=jobs, state="done").count() == len(jobs)

    with stage.cluster(WARM_ENGINES=1):
        jobs = [stage.request(lessons[a], LANGUAGES[a]).pk for a in ("xtts", "styletts2", "xtts")]
        wait_for(lambda: look(set(jobs)), seconds=400, what="both lessons")
    assert seen >= {("xtts",), ("styletts2",)}
    assert ("styletts2", "xtts") not in seen
    assert Rendition.objects.count() == 2 * SENTENCES


def test_a_web_machine_with_cards_alone_plans_and_the_worker_speaks(stage, tmp_path):
    whole = stage.models_dir
    cards = tmp_path / "cards"
    for name in MODELS.values():
        (cards / name).mkdir(parents=True)
        (cards / name / "model.json").write_bytes((whole / name / "model.json").read_bytes())
    stage.narration["MODELS_DIR"] = str(cards)
    assert {m.inspection.presence for m in api.list_models()} == {"card_only"}
    stage.accept()
    lessons = {language: stage.write_lesson(language) for language in LANGUAGES.values()}
    with stage.cluster(MODELS_DIR=str(whole)):
        for language, lesson in lessons.items():
            assert api.estimate_narration(lesson, language=language).utterances == SENTENCES
            job = stage.narrate(lesson, language)
            assert (job.state, job.error) == ("done", "")
            assert api.get_manifest(lesson, language=language, user=None)["segments"]

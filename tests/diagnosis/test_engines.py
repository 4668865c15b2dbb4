"""What the doctor says of heavy engines, from the rows of workers on other machines."""

from __future__ import annotations

import pytest

from narration.diagnosis import State
from narration.diagnosis.engines import check_loaded
from narration.models import CLUSTER_LANE, Worker
from tests.speaking.test_client import HERE

pytestmark = pytest.mark.django_db

LOADED = {
    "alias": "card",
    "engine": "card",
    "is_heavy": True,
    "state": "loaded",
    "device": "NVIDIA H100",
    "model": "0123456789abcdef",
    "memory": 4 * 2**30,
    "memory_total": 80 * 2**30,
    "rss": 2**30,
    "before": {"rss": 1, "memory": 2**30},
    "after": {"rss": 2, "memory": 3 * 2**30},
    "load_seconds": 12.3,
    "real_time_factor": 0.052,
}


@pytest.fixture(autouse=True)
def card(settings):
    engine = {"BACKEND": HERE + "CardEngine", "LANE": "gpu"}
    engines = {**settings.NARRATION["ENGINES"], "card": engine}
    settings.NARRATION = {**settings.NARRATION, "ENGINES": engines}


def tell(*facts, lane="gpu", pid=7):
    Worker.objects.register("speaker-1", lane, pid, {"engines": list(facts)})


def find():
    return list(check_loaded())


def test_one_that_nobody_wanted_yet_says_how_it_is_loaded():
    (found,) = find()
    assert (found.state, found.facts["alias"]) == (State.OK, "card")
    assert "manage.py warm card" in found.words


def test_the_card_of_another_machine_is_told_with_its_numbers():
    tell(LOADED)
    tell(LOADED, lane="preview")  # the same process in another lane
    (found,) = find()
    assert found.state == State.OK
    for words in (
        "speaker-1, process 7",
        "on NVIDIA H100",
        "memory 4.0\xa0GB of 80.0\xa0GB",
        "before loading 1.0\xa0GB, after 3.0\xa0GB",
        "loaded in 12.3 s",
        "0.052 s of work for a second of sound",
        "model 0123456789ab",
    ):
        assert words in found.words
    assert found.facts["memory_total"] == 80 * 2**30


def test_where_a_device_tells_nothing_the_memory_is_that_of_its_process():
    unknown = dict.fromkeys(("device", "memory", "memory_total", "real_time_factor", "model"))
    tell({**LOADED, **unknown, "load_seconds": None, "before": {}, "after": {}})
    (found,) = find()
    assert "memory 1.0\xa0GB" in found.words
    assert "None" not in found.words


@pytest.mark.parametrize(
    ("code", "state"), [("no_gpu", State.BROKEN), ("out_of_memory", State.WARNING)]
)
def test_one_that_cannot_be_loaded_is_told_with_its_reason(code, state):
    tell({**LOADED, "state": "failed", "code": code, "error": "Nothing here."})
    (found,) = find()
    assert found.state == state
    assert "Nothing here." in found.words
    assert "manage.py warm card" in found.advice


def test_the_silent_and_the_light_are_left_out():
    tell({**LOADED, "is_heavy": False, "alias": "dummy"})
    tell(LOADED, pid=8)
    Worker.objects.filter(pid=8).update(heartbeat_at="2000-01-01T00:00Z")
    Worker.objects.register("speaker-1", CLUSTER_LANE, 6, {"lanes": ["gpu"]})
    (found,) = find()
    assert found.facts["state"] == "unloaded"

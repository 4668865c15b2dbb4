"""A card alone is enough to plan with; removing takes everything away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from narration.exceptions import EngineError, ModelError
from narration.modelstore import (
    Presence,
    export_card,
    get_downloads,
    import_card,
    import_from,
    inspect,
    remove,
)
from tests.modelstore.conftest import write_published
from tests.modelstore.engines import build_spec


@pytest.fixture
def here(model, tmp_path):
    import_from(model, write_published(tmp_path / "brought"))
    return model


@pytest.fixture
def elsewhere(here, tmp_path):
    return replace(here, models_dir=tmp_path / "web")


def test_a_card_goes_to_a_machine_without_weights(here, elsewhere):
    card = import_card(elsewhere, export_card(here))
    assert inspect(elsewhere).presence == Presence.CARD_ONLY
    assert card == inspect(here).card
    import_card(elsewhere, export_card(here))  # and again, when the model was replaced


def test_a_card_is_never_put_over_weights(here):
    with pytest.raises(ModelError) as caught:
        import_card(here, export_card(here))
    assert caught.value.code == "model_present"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "model": "x"}'])
def test_what_is_no_card_is_refused(elsewhere, text):
    with pytest.raises(ModelError) as caught:
        import_card(elsewhere, text)
    assert caught.value.code == "bad_card"
    assert not elsewhere.folder.exists()


def test_another_models_card_is_refused(here, elsewhere):
    text = export_card(here).replace('"small"', '"large"')
    with pytest.raises(ModelError, match="not of 'small'"):
        import_card(elsewhere, text)


def test_there_is_no_card_without_a_model(model):
    with pytest.raises(EngineError) as caught:
        export_card(model)
    assert caught.value.code == "model_missing"


def test_removing_takes_the_model_and_what_was_fetched(here):
    parts = get_downloads(here)
    parts.mkdir(parents=True)
    (parts / "weights.pth.part").write_bytes(b"1234")
    (here.models_dir / "voices" / "kept.npz").write_bytes(b"")
    assert remove(here) > 7004
    assert inspect(here).presence == Presence.MISSING
    assert not parts.exists()
    assert (here.models_dir / "voices" / "kept.npz").exists()
    with pytest.raises(ModelError):
        remove(here)


CARD_TEXT = '{"format": 1, "model": "m", "fingerprint": "f", "files": %s}'


@pytest.mark.parametrize(
    "card",
    [
        "[",
        "[]",
        "null",
        CARD_TEXT % "[]",
        CARD_TEXT % '{"a": []}',
        CARD_TEXT % '{"a": {"sha256": "f", "size": "9"}}',
        CARD_TEXT % '{"a": {"sha256": "f", "size": -9}}',
        CARD_TEXT % '{"a": {"sha256": 7, "size": 9}}',
        CARD_TEXT % '{"a": {"sha256": "f", "size": 9, "is_verified": "no"}}',
        CARD_TEXT % '{}, "published": 3',
        CARD_TEXT % '{}, "facts": 3',
        CARD_TEXT % '{}, "voices": 3',
        CARD_TEXT % '{}, "voices": [["a", "en", 3]]',
        CARD_TEXT % '{}, "voices": [["a", [["en"]], "A"]]',
        CARD_TEXT.replace('"m"', "3") % "{}",
    ],
)
def test_a_card_made_by_hand_is_called_damaged(tmp_path, card):
    from narration.engines.models import CARD, read_card

    spec = build_spec()
    (tmp_path / spec.name).mkdir()
    deep = "[" * 200_000
    for text in (card, deep):
        (tmp_path / spec.name / CARD).write_text(text)
        with pytest.raises(EngineError) as error:
            read_card({"models_dir": tmp_path}, spec)
        assert error.value.code == "model_damaged"

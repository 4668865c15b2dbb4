"""Every message has its Portuguese, compiled, with the same placeholders."""

import re
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).parent.parent
CATALOGUES = sorted(ROOT.glob("*/locale/pt_BR/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]?\d*[sd]|\{\w+\}")


def get_pairs(entry):
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    sources = [entry.msgid, entry.msgid_plural]
    return list(zip(sources, entry.msgstr_plural.values(), strict=True))


def test_there_is_a_catalogue_for_each_app_and_the_site():
    assert [path.parts[-5] for path in CATALOGUES] == ["courses", "narration", "templates"]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_every_message_is_translated_with_its_placeholders(path):
    catalogue = polib.pofile(str(path))
    assert len(catalogue) > 10
    for entry in catalogue:
        assert "fuzzy" not in entry.flags, entry.msgid
        for source, translation in get_pairs(entry):
            assert translation, source
            wanted, given = PLACEHOLDER.findall(source), PLACEHOLDER.findall(translation)
            assert sorted(wanted) == sorted(given), source


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-5])
def test_what_is_compiled_is_what_is_written(path):
    written = {e.msgid: get_pairs(e) for e in polib.pofile(str(path)) if not e.obsolete}
    compiled = {e.msgid: get_pairs(e) for e in polib.mofile(str(path.with_suffix(".mo")))}
    assert written == compiled


@pytest.mark.django_db
def test_a_page_answers_in_the_readers_language(client, note, owner):
    client.force_login(owner)
    url = f"/narration/panel/testapp.note/{note.pk}/en/"
    assert b"Narrate" in client.get(url).content
    answer = client.get(url, headers={"accept-language": "pt-br"}).content.decode()
    assert "Narrar" in answer
    assert "não narrada" in answer
    assert "Narrate" not in answer

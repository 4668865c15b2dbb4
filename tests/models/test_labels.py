"""Every field has a name people know, in both languages: pages of the admin show them all."""

import pytest
from django.apps import apps
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy, override

from narration.models.labels import FIELD_LABELS, label_fields

SAME = {"SHA-256", "status", "total", "worker"}
#: What no page of the admin shows.
UNSEEN = {"ImportedText", "CourseUpload"}


def list_fields():
    labels = [label for label in ("narration", "courses") if apps.is_installed(label)]
    return [
        field
        for label in labels
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.local_fields
        if not field.auto_created and model.__name__ not in UNSEEN
    ]


def test_fields_are_named_in_portuguese():
    english_everywhere = []
    for field in list_fields():
        with override("en"):
            english = str(field.verbose_name)
        with override("pt-br"):
            portuguese = str(field.verbose_name)
        if portuguese == english and english not in SAME and field.name != "uid":
            english_everywhere.append(str(field))
    assert english_everywhere == []


def test_a_field_without_a_name_is_noticed():
    class Field:
        name, verbose_name, auto_created = "colour", "colour", False

    class Meta:
        local_fields = [Field]

    class Model:
        _meta = Meta

    with pytest.raises(KeyError, match="colour"):
        label_fields([Model])
    Field.verbose_name = gettext_lazy("voice")
    label_fields([Model])
    Field.verbose_name, Field.name = "by", "by"
    label_fields([Model])
    assert capfirst(str(Field.verbose_name)) == "By"


def test_no_name_is_left_over():
    used = {field.name for field in list_fields()}
    assert set(FIELD_LABELS) <= used

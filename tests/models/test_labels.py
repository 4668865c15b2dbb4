"""Every field has a name people know, in both languages: pages of the admin show them all."""

import pytest
from django.apps import apps
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy, override

from narration.models.labels import FIELD_LABELS, label_fields

SAME = {"SHA-256", "status", "worker", "total"}


def list_fields():
    labels = [label for label in ("narration", "courses") if apps.is_installed(label)]
    for label in labels:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.local_fields:
                yield pytest.param(field, id=f"{model.__name__}.{field.name}")


@pytest.mark.parametrize("field", list_fields())
def test_a_field_is_named_in_portuguese(field):
    if field.auto_created or field.name == "uid" or field.model.__name__ in {"Imported", "Upload"}:
        return
    with override("en"):
        english = str(field.verbose_name)
    with override("pt-br"):
        portuguese = str(field.verbose_name)
    assert english in SAME or portuguese != english


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
    used = {param.values[0].name for param in list_fields()}
    assert set(FIELD_LABELS) <= used

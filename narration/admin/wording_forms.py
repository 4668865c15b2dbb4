"""The admin's forms of how things are said: what a change would break is said at its field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from narration import api
from narration.exceptions import NarrationError
from narration.models import LexiconEntry, SpeechPolicy
from narration.models.policies import validate_casting

CASTING_EXAMPLE = '{"en": {"body": "…"}}'


class ScopedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row of one scope, tried on the stored plans before it is saved."""

    #: Who asks; the admin binds it to the class.
    user: Any = None

    def clean_scope_key(self) -> str:
        """Of a scope that is there: nothing is said about what is not."""
        scope_key: str = self.cleaned_data["scope_key"]
        if fault := api.explain_scope(scope_key):
            raise ValidationError(fault)
        return scope_key

    def build_change(self) -> api.Change:
        """The change that saving would make."""
        raise NotImplementedError

    def _post_clean(self) -> None:
        """Try it last: engines, and rules of wider scopes, may refuse what each field takes."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            api.build_blast_radius(self.build_change(), user=self.user)
        except NarrationError as error:
            self.add_error(None, str(error))


class EntryForm(ScopedForm):
    """A lexicon entry."""

    class Meta:
        model = LexiconEntry
        exclude = ("updated_by", "updated_by_name")  # noqa: DJ006 - the admin names the rest

    def build_change(self) -> api.Change:
        """The entry's."""
        return api.change_entry(self.instance)


class PolicyForm(ScopedForm):
    """A speech policy."""

    class Meta:
        model = SpeechPolicy
        fields = "__all__"  # noqa: DJ007 - the admin names them

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if "casting" in self.fields:
            names = ", ".join(voice.name for voice in api.list_castable_voices([""]))
            words = _("Such as %(example)s, with the names of voices: %(names)s.")
            told = {"example": CASTING_EXAMPLE, "names": names or "–"}
            self.fields["casting"].help_text = words % told

    def clean_casting(self) -> Any:
        """Of voices that are there and speak the language."""
        casting = self.cleaned_data["casting"] or {}
        validate_casting(casting)  # before it is looked into: the row asks later than this
        if faults := api.list_casting_faults(casting):
            raise ValidationError(faults)
        return casting

    def build_change(self) -> api.Change:
        """The policy's."""
        return api.change_policy(self.instance)


class WordingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What the stored plans refuse is told on a page, whichever button brought it about."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Bound to who asks."""
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Somebody may have changed it since the form was looked through."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except NarrationError as error:
            return _tell(request, error)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """What goes away changes what others say."""
        try:
            return super().delete_view(request, *args, **kwargs)
        except NarrationError as error:
            return _tell(request, error)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Its actions delete as well."""
        try:
            return super().changelist_view(request, *args, **kwargs)
        except NarrationError as error:
            if request.method != "POST":
                raise
            return _tell(request, error)


def _tell(request: HttpRequest, error: NarrationError) -> HttpResponse:
    messages.error(request, str(error))
    return HttpResponseRedirect(request.get_full_path())

"""What authors fill in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from courses.models import Course, Lesson, LessonText, Membership, Role
from courses.models.base import build_slug, get_text_languages

MAX_CHARACTERS = 500_000


class PlainLabels(forms.Form):
    """Labels without a colon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class CourseForm(PlainLabels, forms.ModelForm):  # type: ignore[type-arg]
    """A course's own facts; the address comes from the title where it is left empty."""

    language = forms.ChoiceField(label=_("Main language"), choices=get_text_languages)
    slug = forms.SlugField(
        label=_("Address"),
        max_length=80,
        required=False,
        help_text=_("The last part of its web address. Left empty, it comes from the title."),
    )

    class Meta:
        model = Course
        fields = ["title", "language", "visibility", "slug", "requires_review"]

    def clean_slug(self) -> str:
        """The given address, or a free one made of the title."""
        others = Course.objects.exclude(pk=self.instance.pk)
        title = self.cleaned_data.get("title", "")
        slug = self.cleaned_data["slug"] or self.instance.slug
        return slug or build_slug(title, lambda s: others.filter(slug=s).exists(), "course")


#: Bigger archives are imported on the command line.
MAX_UPLOAD_BYTES = 20_000_000


class UploadForm(PlainLabels):
    """An archive of Markdown, or one text."""

    archive = forms.FileField(
        label=_("Zip archive or Markdown file"),
        max_length=200,
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,application/zip,.md,.markdown"}),
        help_text=_(
            "An archive holds Markdown files, with or without front matter, and a folder for each "
            "language. A single .md file is a lesson."
        ),
    )

    def clean_archive(self) -> Any:
        """Not bigger than a page may take."""
        file = self.cleaned_data["archive"]
        if file.size > MAX_UPLOAD_BYTES:
            raise forms.ValidationError(
                _("The archive is bigger than %(limit)d MB. Import it on the command line."),
                params={"limit": MAX_UPLOAD_BYTES // 1_000_000},
            )
        return file


class LessonForm(PlainLabels):
    """A new lesson needs only a name and a language."""

    title = forms.CharField(label=_("Title"), max_length=200)
    language = forms.ChoiceField(label=_("Language"), choices=get_text_languages)


class LessonSettingsForm(PlainLabels, forms.ModelForm):  # type: ignore[type-arg]
    """Where a lesson is found, and whether it is still in use."""

    is_archived = forms.BooleanField(label=_("Archived: learners no longer see it"), required=False)

    class Meta:
        model = Lesson
        fields = ["slug"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["is_archived"].initial = self.instance.archived_at is not None

    def clean_slug(self) -> str:
        """An address no other lesson of the course has."""
        slug: str = self.cleaned_data["slug"]
        others = Lesson.objects.filter(course=self.instance.course).exclude(pk=self.instance.pk)
        if others.filter(slug=slug).exists():
            raise forms.ValidationError(_("Another lesson of this course has this address."))
        return slug


class TextForm(forms.Form):
    """The editor: the text and the version it was written on."""

    title = forms.CharField(label=_("Title"), max_length=200)
    markdown = forms.CharField(
        label=_("Text"),
        max_length=MAX_CHARACTERS,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "true"}),
    )
    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    @classmethod
    def of(cls, text: LessonText) -> TextForm:
        """The form as an author first sees it."""
        return cls(
            initial={"title": text.title, "markdown": text.markdown, "version": text.version}
        )

    def clean_markdown(self) -> str:
        """The text with line feeds only: browsers send carriage returns that nobody typed."""
        return normalise_newlines(self.cleaned_data["markdown"])


class MembershipForm(PlainLabels):
    """Somebody joins by name, or changes role."""

    username = forms.CharField(label=_("User name"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.LEARNER)

    def clean_username(self) -> str:
        """A name somebody has."""
        name: str = self.cleaned_data["username"]
        self.user = get_user_model().objects.filter(username=name).first()
        if self.user is None:
            raise forms.ValidationError(_("Nobody has this user name."))
        return name

    def save(self, course: Course) -> Membership:
        """The one membership of that user, with this role."""
        membership, _created = Membership.objects.update_or_create(
            course=course, user=self.user, defaults={"role": self.cleaned_data["role"]}
        )
        return membership


def normalise_newlines(text: str) -> str:
    """Line feeds only."""
    return text.replace("\r\n", "\n").replace("\r", "\n")

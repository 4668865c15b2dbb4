from django.db.models import Q

from narration.markup import render
from narration.sources import NarrationSource, register
from tests.testapp.models import Note


@register
class NoteSource(NarrationSource[Note]):
    model = Note

    def get_passages(self, obj, language, version):
        return render(Note.objects.get(pk=obj.pk).body, language).passages

    def get_version(self, obj, language):
        return Note.objects.values_list("version", flat=True).get(pk=obj.pk)

    def get_versions(self, objects, language):
        notes = Note.objects.filter(pk__in=[obj.pk for obj in objects], language=language)
        return dict(notes.values_list("pk", "version"))

    def get_languages(self, obj):
        return [obj.language]

    def get_title(self, obj, language):
        return obj.title

    def get_public_version(self, obj, language):
        return Note.objects.values_list("public_version", flat=True).get(pk=obj.pk)

    def publish_version(self, obj, language, version, user):
        Note.objects.filter(pk=obj.pk).update(public_version=version)

    def visible_to(self, user, action):
        mine = Q(owner_id=user.pk) if user.is_authenticated else Q(pk__in=[])
        if action in ("view", "listen"):
            mine |= Q(is_public=True)
        notes = Note.objects.all()
        return notes if user.is_superuser else notes.filter(mine)

from django.shortcuts import get_object_or_404, render

from narration import markup
from recipes.models import Recipe


def show(request, pk):
    recipe = get_object_or_404(Recipe, pk=pk)
    html = markup.render(recipe.steps, "en").html
    return render(request, "recipe.html", {"recipe": recipe, "html": html})

"""Which models this site has a use for: what its configured engines load."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from narration import conf
from narration.engines.models import ModelSpec
from narration.exceptions import EngineError, ModelError
from narration.speaking.client import complete_options, find_engine_class
from narration.values import EngineConfig

#: How an engine with a model is switched on.
PAGE = "docs/how-to/install-the-neural-engines.md"


@dataclass(frozen=True, slots=True)
class ConfiguredModel:
    """A published model and the engine that loads it.

    ``engine`` is the engine's own name, ``aliases`` what the settings call it; ``config`` is that
    of the first alias, whose interpreter converts the model.
    """

    spec: ModelSpec
    engine: str
    aliases: tuple[str, ...]
    config: EngineConfig
    models_dir: Path

    @property
    def name(self) -> str:
        """The name of its folder and in commands."""
        return self.spec.name

    @property
    def folder(self) -> Path:
        """Where it lies when it is here."""
        return self.models_dir / self.spec.name


def list_models(configs: Iterable[EngineConfig] | None = None) -> list[ConfiguredModel]:
    """The models of the configured engines, by name; one that several aliases load comes once.

    Engines that cannot be imported are left out: the system checks tell of them.
    """
    found: dict[str, ConfiguredModel] = {}
    for config in conf.get_engines().values() if configs is None else configs:
        try:
            model = _find_model(config)
        except EngineError:
            continue
        if model is None:
            continue
        if known := found.get(model.name):
            aliases = (*known.aliases, config.alias)
            model = ConfiguredModel(
                known.spec, known.engine, aliases, known.config, known.models_dir
            )
        found[model.name] = model
    return [found[name] for name in sorted(found)]


def get_model(name: str) -> ConfiguredModel:
    """A model by its name, or that of the engine that loads it; ``ModelError`` for any other."""
    models = list_models()
    for model in models:
        if name in (model.name, model.engine, *model.aliases):
            return model
    if not models:
        raise ModelError(explain_no_engine(), code="model_unknown")
    known = ", ".join(model.name for model in models)
    words = _(
        "No configured engine loads a model '%(name)s'; there is: %(known)s. An engine is "
        "configured in NARRATION['ENGINES']."
    )
    raise ModelError(words % {"name": name, "known": known}, code="model_unknown")


def explain_no_engine() -> str:
    """Why this site knows no model, which settings it reads, and which page tells how to go on."""
    words = _(
        "No configured engine loads a model. Name one in NARRATION['ENGINES'] of the settings "
        "that the variable DJANGO_SETTINGS_MODULE names (here %(module)s), and start it all anew: "
        "%(page)s."
    )
    return words % {"module": settings.SETTINGS_MODULE, "page": PAGE}


def _find_model(config: EngineConfig) -> ConfiguredModel | None:
    engine_class = find_engine_class(config)
    spec = engine_class.model
    if spec is None:
        return None
    models_dir = str(complete_options(config).get("models_dir") or "")
    if not models_dir:
        raise EngineError(
            "No folder for models: set NARRATION['MODELS_DIR'].", code="model_missing"
        )
    return ConfiguredModel(spec, engine_class.name, (config.alias,), config, Path(models_dir))

"""The plugin as others get it: a wheel, installed in a bare project that knows nothing of us."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from narration.audio.codec import decode

pytestmark = [pytest.mark.packaging, pytest.mark.xdist_group("packaging")]

ROOT = Path(__file__).parent.parent.parent
HOST = Path(__file__).parent / "host"
#: What is in a working tree and in no clean clone.
LITTER = shutil.ignore_patterns(
    ".*", "var", "build", "dist", "*.egg-info", "__pycache__", "node_modules"
)
URLS = """
from django.contrib import admin
from django.urls import include, path
from recipes.views import show

urlpatterns = [
    path("admin/", admin.site.urls),
    path("recipes/<int:pk>/", show),
    path("narration/", include("narration.urls")),
]
"""


def run(*command: object, folder: Path) -> str:
    """A command in a folder, in an environment in which nothing of ours is set."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "site1.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without a network from a clean copy of the whole repository."""
    folder = tmp_path_factory.mktemp("wheel")
    source = shutil.copytree(ROOT, folder / "source", ignore=LITTER)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, folder=source)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of a new environment that holds the wheel; its requirements are borrowed."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, folder=folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel, folder=folder)
    libraries = next(folder.glob("lib/python*/site-packages"))
    (libraries / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture(scope="module")
def project(python, tmp_path_factory):
    """A project as ``startproject`` makes it, with the few additions of the how-to, migrated."""
    folder = tmp_path_factory.mktemp("project")
    run(python, "-m", "django", "startproject", "site1", ".", "--settings", "", folder=folder)
    shutil.copytree(HOST, folder, dirs_exist_ok=True, ignore=LITTER)
    with (folder / "site1" / "settings.py").open("a") as settings:
        settings.write((HOST / "additions.txt").read_text())
    (folder / "site1" / "urls.py").write_text(URLS)
    run(python, "manage.py", "makemigrations", "recipes", folder=folder)
    run(python, "manage.py", "migrate", folder=folder)
    return folder


@pytest.fixture(scope="module")
def facts(python, project):
    """What a recipe's narration by a real worker came to, told from inside the host."""
    with (project / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [python, "manage.py", "narration_worker"],
            cwd=project,
            env={"PATH": "/usr/bin:/bin"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        return json.loads(run(python, "prove.py", folder=project))
    finally:
        worker.terminate()
        assert worker.wait(40) == 0, (project / "worker.log").read_text()


def test_wheel_holds_the_whole_plugin_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    facts = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "narration").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names - facts == source


@pytest.mark.parametrize(
    "ending",
    [
        "narration/py.typed",
        "narration/migrations/0001_initial.py",
        "narration/templates/narration/player.html",
        "narration/static/narration/player.js",
        "narration/locale/pt_BR/LC_MESSAGES/django.mo",
        ".dist-info/licenses/LICENSE",
        ".dist-info/licenses/NOTICE",
    ],
)
def test_wheel_holds_what_is_easily_forgotten(wheel, ending):
    assert any(name.endswith(ending) for name in zipfile.ZipFile(wheel).namelist())


def test_metadata_tells_licence_and_requirements(wheel):
    archive = zipfile.ZipFile(wheel)
    path = next(name for name in archive.namelist() if name.endswith("/METADATA"))
    metadata = message_from_string(archive.read(path).decode())
    required = " ".join(metadata.get_all("Requires-Dist"))
    assert metadata["Name"] == "django-narration"
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert 'espeakng-loader>=0.2.4; extra == "espeak"' in required
    assert "torch" not in required


def test_bare_project_passes_its_checks_without_a_warning(python, project):
    output = run(python, "manage.py", "check", "--fail-level", "WARNING", folder=project)
    assert "no issues" in output
    run(python, "manage.py", "makemigrations", "--check", "--dry-run", folder=project)


def test_narration_comes_from_the_wheel_and_the_repository_is_out_of_sight(facts, python):
    assert Path(facts["narration"]).is_relative_to(python.parent.parent)
    assert facts["strangers"] == []
    assert str(ROOT) not in facts["path"]


def test_object_is_narrated_and_published_by_a_real_worker(facts, project):
    assert facts["status"] == "published"
    assert facts["synthesized"] == 2
    assert facts["segments"] == ["Bread", "Mix flour and water."]
    assert list((project / "var" / "narration" / "tracks").rglob("*.mp3"))


def test_anyone_hears_it_over_http(facts):
    assert facts["media_status"] == 200
    assert decode(bytes.fromhex(facts["mp3"]), "mp3").duration_ms > 500


def test_pages_of_the_host_show_player_panel_and_anchors(facts):
    assert 'data-narration="' in facts["page"]
    assert "narration/player.js" in facts["page"]
    assert 'data-status="published"' in facts["admin_page"]
    assert "/narration/panel/recipes.recipe/1/en/sentences/" in facts["admin_page"]
    assert "published" in facts["admin_list"]
    assert facts["panel_for_anyone"] in (302, 404)

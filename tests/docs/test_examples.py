"""The examples of the production how-to: they parse, say what the text says, and exist."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from narration.queue import supervisor

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "docs" / "examples"
UNITS = sorted(EXAMPLES.glob("*.service"))
WORKERS = [unit for unit in UNITS if "worker" in unit.name]
GPU_HOW_TOS = sorted((ROOT / "docs" / "how-to").glob("set-up-a-gpu-worker*.md"))
HOW_TOS = sorted((ROOT / "docs" / "how-to").glob("run-in-production*.md"))


def read_unit(path):
    unit = configparser.RawConfigParser(strict=False, comment_prefixes=("#",))
    unit.optionxform = str
    unit.read_string(path.read_text())
    return unit


def read_variables():
    """Those the settings read, and those of Gunicorn."""
    source = "".join(path.read_text() for path in (ROOT / "config" / "settings").glob("*.py"))
    names = set(re.findall(r"env\.\w+\(\s*\"(\w+)\"", source))
    return names | {"DJANGO_SETTINGS_MODULE", "WEB_CONCURRENCY"}


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_signals_its_main_process_alone_and_comes_back(path):
    service = read_unit(path)["Service"]
    assert (service["KillMode"], service["Restart"]) == ("mixed", "always")
    assert service["EnvironmentFile"] == "/etc/narration.env"
    command = shlex.split(service["ExecStart"])
    assert command[0].startswith("/srv/narration/.venv/bin/")


@pytest.mark.parametrize("path", WORKERS, ids=lambda path: path.name)
def test_a_worker_has_time_to_stop_and_survives_the_end_of_an_engine(path):
    service = read_unit(path)["Service"]
    assert int(service["TimeoutStopSec"]) > supervisor.GRACE_SECONDS
    assert service["OOMPolicy"] == "continue"
    assert service["ExecStart"].endswith("manage.py narration_worker")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is missing")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit(path, tmp_path):
    """Adapted to this machine: its interpreter, its folders, its user."""
    text = path.read_text()
    text = re.sub(r"/srv/narration/.venv/bin/\w+", "/bin/sh", text)
    text = re.sub(r"(WorkingDirectory|ReadWritePaths)=.*", rf"\1={tmp_path}", text)
    (tmp_path / "narration.env").touch()
    text = text.replace("/etc/narration.env", str(tmp_path / "narration.env"))
    unit = tmp_path / path.name.replace("@", "@gpu")
    unit.write_text(re.sub(r"^User=.*\n", "", text, flags=re.MULTILINE))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    complaints = [line for line in told.stderr.splitlines() if unit.name in line]
    assert complaints == []


def test_the_environment_names_variables_that_are_read():
    lines = (EXAMPLES / "narration.env").read_text().splitlines()
    names = {
        line.lstrip("# ").partition("=")[0] for line in lines if re.match(r"(# )?[A-Z_]+=", line)
    }
    assert len(names) > 7
    assert names <= read_variables()


def test_the_composition_has_what_a_site_needs():
    composed = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())
    services = composed["services"]
    assert {"release", "web", "worker", "database", "redis"} <= services.keys()
    assert services["redis"]["profiles"]  # optional
    worker, web = services["worker"], services["web"]
    assert worker["command"] == "python manage.py narration_worker"
    assert int(worker["stop_grace_period"].rstrip("s")) > supervisor.GRACE_SECONDS
    assert worker["init"]
    assert "/health/ready" in web["healthcheck"]["test"][-1]
    compile(web["healthcheck"]["test"][-1], "healthcheck", "exec")
    for service in ("release", "web", "worker"):
        assert set(services[service]["environment"]) <= read_variables()
        assert services[service]["volumes"] == worker["volumes"]
    volumes = {each.partition(":")[0] for s in services.values() for each in s.get("volumes", [])}
    assert volumes == composed["volumes"].keys()


def test_the_workers_of_the_cards_are_one_process_each_on_one_card():
    composed = yaml.safe_load((EXAMPLES / "compose-gpu.yaml").read_text())
    seen = []
    for service in composed["services"].values():
        assert service["command"] == "python manage.py narration_worker"
        assert int(service["stop_grace_period"].rstrip("s")) > supervisor.GRACE_SECONDS
        assert service["init"]
        environment = service["environment"]
        assert set(environment) <= read_variables() | {"Q_CLUSTER_NAME"}
        assert environment["Q_CLUSTER_NAME"] == environment["Q_LANES"] == "gpu"
        (device,) = service["deploy"]["resources"]["reservations"]["devices"]
        assert device["capabilities"] == ["gpu"]
        seen += device["device_ids"]
    assert seen == ["0", "1"]
    unit = read_unit(EXAMPLES / "narration-gpu-worker@.service")["Service"]
    assert "CUDA_VISIBLE_DEVICES=%i" in unit["Environment"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"Q_CLUSTER_NAME": "gpu", "Q_LANES": "gpu", "Q_WORKERS": "4"}, "gpu 1"),
        ({"Q_CLUSTER_NAME": "gpu", "Q_LANES": "gpu", "Q_LANE_WORKERS": "2"}, "gpu 2"),
        ({"Q_LANES": "gpu", "Q_WORKERS": "4"}, "narration 4"),
    ],
)
def test_the_cluster_of_a_lane_is_one_process_unless_told_otherwise(given, told):
    code = "from django_q.conf import Conf; print(Conf.CLUSTER_NAME, Conf.WORKERS)"
    code = f"import django; django.setup(); {code}"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", **given}
    command = [sys.executable, "-W", "ignore", "-c", code]
    answer = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == told


def test_what_the_image_copies_is_there():
    text = (EXAMPLES / "Dockerfile").read_text()
    for source in re.findall(r"^COPY (\S+)", text, re.MULTILINE):
        assert (ROOT / source).exists()
    for file in re.findall(r"requirements/\w+\.txt", text):
        assert (ROOT / file).exists()


@pytest.mark.parametrize("path", HOW_TOS, ids=lambda path: path.name)
def test_the_text_names_every_example(path):
    text = path.read_text()
    assert [each.name for each in EXAMPLES.iterdir() if f"examples/{each.name}" not in text] == []


@pytest.mark.parametrize("path", [*HOW_TOS, *GPU_HOW_TOS], ids=lambda path: path.name)
def test_the_text_makes_the_user_of_the_units_and_gives_it_what_root_wrote(path):
    """The folder of voices is nobody else's (0700): left to root, no worker could enter it."""
    (user,) = {read_unit(unit)["Service"]["User"] for unit in UNITS}
    blocks = re.findall(r"^```\w*\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)
    made = re.compile(rf"^useradd --system .*\b{user}$", re.MULTILINE)
    assert len([block for block in blocks if made.search(block)]) == 1
    root = re.compile(r"models download|--read|createsuperuser")
    writes = [block for block in blocks if root.search(block)]
    assert writes
    for block in writes:
        assert f"chown -R {user}: /srv/narration/var" in root.split(block)[-1]


@pytest.mark.parametrize("path", GPU_HOW_TOS, ids=lambda path: path.name)
def test_the_blocks_of_python_in_the_text_are_python(path):
    for block in re.findall(r"^```python\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE):
        compile(block, path.name, "exec")
    assert "Q_CLUSTER_NAME=gpu" in path.read_text()


@pytest.mark.parametrize(
    ("given", "form"), [({}, "json"), ({"NARRATION_LOG_FORMAT": "line"}, "line")]
)
def test_production_logs_json_unless_told_otherwise(given, form):
    code = (
        "from config import gunicorn\n"
        "import json, logging.config\n"
        "logging.config.dictConfig(gunicorn.logconfig_dict)\n"
        "logging.getLogger('gunicorn.error').info('Booting')\n"
        "assert '%(U)s' in gunicorn.access_log_format  # the path without its query\n"
        "assert not [f for f in ('%(r)', '%(q)', '%(f)') if f in gunicorn.access_log_format]\n"
        "print(json.dumps(gunicorn.logconfig_dict['handlers']['console']))\n"
    )
    environment = {
        **{k: v for k, v in os.environ.items() if k != "NARRATION_LOG_FORMAT"},
        "DJANGO_SETTINGS_MODULE": "config.settings.prod",
        "DJANGO_SECRET_KEY": "x" * 50,
        **given,
    }
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(told.stdout)["formatter"] == form
    assert "Booting" in told.stderr
    assert (told.stderr[0] == "{") == (form == "json")

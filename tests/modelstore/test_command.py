"""``manage.py models``: what it says, what it refuses, and with which exit status."""

from __future__ import annotations

import getpass
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper

from narration import modelstore
from narration.engines.models import get_user
from narration.management.bars import show_progress
from narration.models import Event, LicenceAcceptance
from narration.modelstore import Presence, transfer
from narration.speaking import describe_engine
from tests.modelled import accepted, here, published, small  # noqa: F401
from tests.modelstore.engines import CONTENT, TERMS, SmallEngine, build_spec
from tests.modelstore.server import serve

pytestmark = pytest.mark.django_db


def run(*arguments, status=0):
    """What the command prints; with ``status``, also why it failed."""
    out = io.StringIO()
    if not status:
        call_command("models", *arguments, stdout=out)
        return out.getvalue()
    with pytest.raises(CommandError) as caught:
        call_command("models", *arguments, stdout=out)
    assert caught.value.returncode == status
    return f"{out.getvalue()}{caught.value}"


@pytest.fixture
def at_terminal(monkeypatch):
    """Somebody sits there and answers."""

    def answer(words):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        monkeypatch.setattr("builtins.input", lambda _question: words)

    return answer


@pytest.fixture
def served(small, monkeypatch):  # noqa: F811
    with serve({f"/{name}": data for name, data in CONTENT.items()}) as server:
        monkeypatch.setattr(SmallEngine, "model", build_spec(server.base))
        yield server


@pytest.mark.parametrize("task", [("list",), ("verify",), ("verify", "xtts_v2")])
def test_a_site_without_models_says_where_they_are_switched_on(task):
    told = run(*task, status=0 if len(task) == 1 else 1)
    assert "No configured engine" in told
    assert "DJANGO_SETTINGS_MODULE" in told
    page = Path(__file__).parents[2] / modelstore.PAGE
    assert modelstore.PAGE in told
    assert "## Switch it on here" in page.read_text()


def test_a_site_without_models_lists_none():
    assert json.loads(run("list", "--json")) == []


def test_the_list_tells_what_is_not_here(small):  # noqa: F811
    told = run("list")
    assert "not here" in told
    assert "TEST-1.0: not accepted" in told


def test_the_list_tells_what_is_here(accepted):  # noqa: F811
    told = run("list")
    assert "unverified" in told
    assert "accepted by Ada" in told
    (row,) = json.loads(run("list", "--json"))
    assert row["presence"] == "here"
    assert row["accepted_by"] == "Ada"
    assert row["verified"] is False
    assert row["aliases"] == ["little"]
    assert row["non_commercial"]
    assert row["must_tell_listeners"]
    assert row["fingerprint"] in told


def test_a_download_shows_the_terms_and_waits_for_a_yes(served):
    told = run("download", "small", status=3)
    assert "What it says may not be sold." in told
    assert "Not for commercial use" in told
    assert "Listeners must be told" in told
    assert served.asked == []


def test_a_download_that_is_accepted_is_recorded(served):
    told = run("download", "small", "--accept", "--name", "Ada Lovelace")
    assert told.index("may not be sold") < told.index("weights.pth")
    assert "Unverified" in told
    row = LicenceAcceptance.objects.get()
    assert (row.engine, row.licence, row.name) == ("small", "TEST-1.0", "Ada Lovelace")
    found = modelstore.verify(modelstore.get_model("small"))
    assert found.card.fingerprint == row.model_fingerprint
    assert Event.objects.get(kind="licence_accepted").data["name"] == "Ada Lovelace"


def test_a_download_asks_who_sits_there(served, at_terminal):
    at_terminal("n")
    run("download", "small", status=3)
    at_terminal("y")
    assert "accepted by" in run("download", "small")


def test_who_accepted_before_is_not_asked_again(served):
    run("download", "small", "--accept", "--name", "Ada")
    modelstore.remove(modelstore.get_model("small"))
    run("download", "small")
    assert LicenceAcceptance.objects.count() == 1


def test_a_download_that_may_pass_has_a_status_of_its_own(served, monkeypatch):
    monkeypatch.setattr(transfer, "TRIES", 1)
    served.script = [{"status": 503}]
    assert "again to go on" in run("download", "small", "--accept", status=4)
    served.script = [{"status": 404}]
    assert "models import" in run("download", "small", "--accept", status=1)


def test_the_published_files_are_named_with_their_addresses(served):
    told = run("files", "little")
    assert [line.split() for line in told.splitlines()[:2]] == [
        ["weights.pth", f"{served.base}/weights.pth"],
        ["sub/config.json", f"{served.base}/sub/config.json"],
    ]
    assert "models import small FOLDER" in told


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
def test_what_is_printed_for_another_machine_fetches_what_an_import_wants(served, tmp_path):
    script = run("files", "small", "--curl")
    room = tmp_path / "other machine"
    room.mkdir()
    subprocess.run(["sh", "-e", "-c", script], cwd=room, check=True, capture_output=True)
    assert "accepted by Ada" in run("import", "small", str(room), "--accept", "--name", "Ada")


def test_files_of_another_user_are_told_by_list_and_verify(accepted, monkeypatch):  # noqa: F811
    withheld, ask = accepted.folder / "weights.safetensors", os.access
    monkeypatch.setattr(os, "access", lambda path, *rest: path != withheld and ask(path, *rest))
    words = f"weights.safetensors cannot be read by user {get_user()}"
    told = run("list")
    assert "not readable" in told
    assert words in told
    assert words in run("verify", "small", status=1)


@pytest.mark.parametrize("task", ["download", "import"])
@pytest.mark.parametrize(
    ("given", "accepted_by"),
    [(("--accept",), getpass.getuser()), (("--name", "Ada"), "Ada")],
)
def test_terms_are_accepted_alike_by_a_download_and_an_import(
    served,
    published,  # noqa: F811
    task,
    given,
    accepted_by,
):
    where = (str(published),) if task == "import" else ()
    assert f"accepted by {accepted_by}" in run(task, "small", *where, *given)
    assert LicenceAcceptance.objects.get().name == accepted_by


@pytest.mark.parametrize("task", ["download", "import"])
def test_what_needs_no_acceptance_records_none(served, published, monkeypatch, task):  # noqa: F811
    free = replace(TERMS, needs_acceptance=False)
    monkeypatch.setattr(SmallEngine, "model", build_spec(served.base, terms=free))
    where = (str(published),) if task == "import" else ()
    run(task, "small", *where, "--accept", "--name", "Ada")
    assert not LicenceAcceptance.objects.exists()


def test_an_import_needs_no_net_and_says_what_is_missing(small, published, tmp_path):  # noqa: F811
    told = run("import", "small", str(published))
    assert "models accept small" in told
    assert modelstore.inspect(small).presence == Presence.HERE
    assert "not there" in run("import", "small", str(tmp_path / "nowhere"), status=1)
    told = run("import", "little", str(published), "--accept", "--name", "Ada")
    assert "accepted by Ada" in told


def test_a_disk_that_refuses_is_told_in_a_line(small, published, settings, tmp_path):  # noqa: F811
    (tmp_path / "file").touch()
    settings.NARRATION = {**settings.NARRATION, "MODELS_DIR": tmp_path / "file" / "models"}
    with pytest.raises(CommandError, match="file"):
        call_command("models", "import", "small", str(published), stdout=io.StringIO())


def test_an_unknown_model_is_named(small):  # noqa: F811
    assert "there is: small" in run("verify", "large", status=1)


def test_verify_reads_every_byte(here):  # noqa: F811
    assert "every byte" in run("verify")
    path = here.folder / "weights.safetensors"
    path.write_bytes(b"X" + path.read_bytes()[1:])
    assert "altered" in run("verify", status=1)
    assert "altered" in run("verify", "small", status=1)


def test_verify_of_one_that_is_not_here_fails(small):  # noqa: F811
    run("verify", "small", status=1)
    assert "not here" in run("verify")


def test_the_voices_of_a_model_are_told_as_settings_name_them(here):  # noqa: F811
    lines = run("voices", "small").splitlines()
    assert any(line.startswith("little:low") and " pt-BR" in line for line in lines)
    assert len(lines) == len(describe_engine("little").voices)


def test_the_voices_of_a_model_that_is_not_here_are_not_known(small):  # noqa: F811
    assert "models download small" in run("voices", "small", status=1)


def test_remove_asks(here, at_terminal):  # noqa: F811
    assert "Nothing was deleted" in run("remove", "small", status=1)
    at_terminal("")
    run("remove", "small", status=1)
    assert here.folder.exists()
    at_terminal("y")
    assert "free again" in run("remove", "small")
    assert not here.folder.exists()
    assert "not here" in run("remove", "small", "--yes", status=1)


def test_accept_shows_the_terms_and_records_who(here, at_terminal):  # noqa: F811
    assert "may not be sold" in run("accept", "small", status=3)
    run("accept", "small", "--name", "Ada")
    run("accept", "small", "--name", "Grace")  # the first stays
    assert LicenceAcceptance.objects.get().name == "Ada"


def test_what_is_not_here_cannot_be_accepted(small):  # noqa: F811
    assert "very files" in run("accept", "small", "--name", "Ada", status=1)


def test_a_card_goes_to_the_web_machine(here, settings, tmp_path):  # noqa: F811
    card = tmp_path / "model.json"
    card.write_text(run("card", "small"))
    settings.NARRATION = {**settings.NARRATION, "MODELS_DIR": tmp_path / "web"}
    run("card", "small", status=1)
    run("card", "small", "--read", str(card))
    assert "card only" in run("list")
    assert "card only" in run("verify")
    run("card", "small", "--read", str(tmp_path / "nowhere"), status=1)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_bars_and_a_log_gets_lines():
    log, terminal = io.StringIO(), Terminal()
    for out in (log, terminal):
        with show_progress(OutputWrapper(out)) as report:
            for done in (0, 500_000, 1_000_000):
                report("weights.pth", done, 1_000_000)
            report("", 0, 0)
    assert log.getvalue() == "weights.pth (1.0 MB) …\nconverting …\n"
    assert "━" in terminal.getvalue()
    assert "1.0/1.0 MB" in terminal.getvalue()

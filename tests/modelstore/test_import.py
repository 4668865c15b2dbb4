"""A model comes whole from a folder or a zip, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import signal
import stat
import subprocess
import sys
from types import SimpleNamespace

import pytest

from narration.engines.models import build_fingerprint, read_card
from narration.exceptions import ModelError
from narration.modelstore import (
    Presence,
    import_from,
    inspect,
    place,
    published,
    remove,
    verify,
)
from tests.modelstore.conftest import write_published, write_zip
from tests.modelstore.engines import CONTENT
from tests.modelstore.killed import STEPS

PINS = {name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()}


@pytest.fixture
def source(tmp_path):
    return write_published(tmp_path / "brought")


def list_files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def assert_tidy(models_dir):
    """Nothing but models, locks and the folders that belong here."""
    names = {path.name for path in models_dir.iterdir()} - {"small", "cache", "voices"}
    assert {name for name in names if not name.startswith(".lock-")} == set()


def test_a_folder_becomes_a_model_with_its_card(model, source):
    card = import_from(model, source)
    assert list_files(model.folder) == ["model.json", "more/config.json", "weights.safetensors"]
    assert read_card({"models_dir": str(model.models_dir)}, model.spec) == card
    assert card.fingerprint == build_fingerprint(PINS)
    assert card.facts == {"pitch": 3}
    assert [voice.name for voice in card.voices] == ["low"]
    assert inspect(model).presence == verify(model).presence == Presence.HERE
    assert_tidy(model.models_dir)


def test_what_nobody_vouched_for_is_recorded_and_unverified(model, source):
    card = import_from(model, source)
    assert {name: file.sha256 for name, file in card.published.items()} == PINS
    assert not card.is_verified
    assert not any(file.is_verified for file in card.files.values())


def test_pinned_files_are_verified(make_model, source):
    assert import_from(make_model(pins=PINS), source).is_verified
    partly = {"weights.pth": PINS["weights.pth"]}
    assert not import_from(make_model(pins=partly), source).is_verified


def test_the_fingerprint_knows_no_machine(model, source, tmp_path):
    first = import_from(model, source).fingerprint
    archive = write_zip(tmp_path / "a.zip", {f"some/where/{n}": d for n, d in CONTENT.items()})
    assert import_from(model, archive).fingerprint == first
    assert build_fingerprint({**PINS, "weights.pth": "0" * 64}) != first
    assert build_fingerprint({"sub/config.json": PINS["weights.pth"]}) != build_fingerprint(
        {"weights.pth": PINS["weights.pth"]}
    )


def test_a_file_that_is_not_the_pinned_one_is_refused(make_model, source):
    (source / "weights.pth").write_bytes(b"something else")
    model = make_model(pins=PINS)
    with pytest.raises(ModelError) as caught:
        import_from(model, source)
    assert caught.value.code == "checksum_mismatch"
    assert not model.folder.exists()
    assert_tidy(model.models_dir)


def test_a_folder_below_the_one_named_will_do(model, source):
    assert import_from(model, source.parent).files


@pytest.mark.parametrize("gone", list(CONTENT))
def test_what_is_missing_is_named(model, source, gone, tmp_path):
    (source / gone).unlink()
    with pytest.raises(ModelError, match=gone) as caught:
        import_from(model, source)
    assert caught.value.code == "files_missing"
    rest = {name: data for name, data in CONTENT.items() if name != gone}
    with pytest.raises(ModelError, match=gone):
        import_from(model, write_zip(tmp_path / "a.zip", rest))
    with pytest.raises(ModelError, match="not there"):
        import_from(model, source / "nowhere")


def test_a_model_is_replaced_by_the_next(model, source):
    old = import_from(model, source)
    (source / "weights.pth").write_bytes(b"newer")
    new = import_from(model, source)
    assert new.fingerprint != old.fingerprint
    assert (model.folder / "weights.safetensors").read_bytes() == b"rewen"
    assert verify(model).faults == ()
    assert_tidy(model.models_dir)


def test_it_is_replaced_too_where_names_cannot_be_exchanged(model, source, monkeypatch):
    monkeypatch.setattr(place, "_exchange", lambda _one, _other: False)
    test_a_model_is_replaced_by_the_next(model, source)


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("BrokenConverter", "of another shape"),
        ("KilledConverter", "killed by signal 9"),
    ],
)
def test_a_conversion_that_fails_leaves_the_old_model(make_model, source, backend, words):
    old = import_from(make_model(), source)
    (source / "weights.pth").write_bytes(b"newer")
    model = make_model(backend)
    with pytest.raises(ModelError, match=words) as caught:
        import_from(model, source)
    assert caught.value.code == "conversion_failed"
    assert verify(model).card == old
    assert_tidy(model.models_dir)


def test_a_converter_that_hangs_is_ended(make_model, source, monkeypatch):
    from narration.modelstore import install

    monkeypatch.setattr(install, "CONVERT_SECONDS", 0.5)
    with pytest.raises(ModelError, match="longer than"):
        import_from(make_model("SlowConverter"), source)


@pytest.mark.parametrize("step", [*STEPS, "exchanged", "half-exchanged"])
def test_a_kill_at_any_step_leaves_a_whole_model(model, source, step):
    import_from(model, source)
    old = verify(model)
    (source / "weights.pth").write_bytes(b"newer")
    command = [sys.executable, "-m", "tests.modelstore.killed"]
    arguments = [str(model.models_dir), str(source), step]
    killed = subprocess.run([*command, *arguments], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if step == "half-exchanged":  # the next who holds the lock puts it back
        with place.hold(model.models_dir, model.name):
            pass
    found = verify(model)
    assert found.presence == Presence.HERE
    assert (found.card == old.card) == (step != "exchanged")
    import_from(model, source)
    assert verify(model).presence == Presence.HERE
    assert_tidy(model.models_dir)


def test_two_at_once_are_refused(make_model, source):
    model = make_model()
    with place.hold(model.models_dir, model.name), pytest.raises(ModelError) as caught:
        import_from(model, source)
    assert caught.value.code == "model_busy"
    assert not caught.value.is_permanent


def test_no_room_is_told_before_anything_is_made(model, source, monkeypatch, tmp_path):
    monkeypatch.setattr(place, "MARGIN", 1 << 60)
    archive = write_zip(tmp_path / "a.zip", CONTENT)
    for path in (source, archive):
        with pytest.raises(ModelError, match="MB are needed") as caught:
            import_from(model, path)
        assert caught.value.code == "no_room"
    assert not model.folder.exists()


def test_no_room_is_told_before_a_byte_is_read(model, source, monkeypatch, tmp_path):
    """A file may be larger than any disk: hashing it would take hours, unpacking fill the disk."""

    def refuse(*_args):
        raise AssertionError("a file is read")

    wanted = sum(len(data) for data in CONTENT.values())
    monkeypatch.setattr(place, "hash_file", refuse)
    monkeypatch.setattr(published, "_extract", refuse)
    free = place.MARGIN + wanted - 1
    monkeypatch.setattr(place.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(ModelError, match="MB are needed"):
        import_from(model, source)
    free += wanted
    archive = write_zip(tmp_path / "a.zip", CONTENT)
    with pytest.raises(ModelError, match="MB are needed"):
        import_from(model, archive)
    free += 1
    with pytest.raises(AssertionError, match="a file is read"):
        import_from(model, archive)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640)])
def test_who_may_read_the_weights_is_decided_by_the_umask(model, source, umask, mode):
    before = os.umask(umask)
    try:
        import_from(model, source)
    finally:
        os.umask(before)
    files = [path for path in model.folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".safetensors", ".json"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {mode}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what is not root's")
def test_what_root_makes_belongs_to_whom_the_folder_above_belongs(model, source, tmp_path):
    os.chown(tmp_path, 12345, 12345)
    import_from(model, source)
    made = [model.models_dir / name for name in ("", "cache", "voices")]
    assert {path.stat().st_uid for path in made} == {12345}


@pytest.fixture
def withhold(monkeypatch):
    """Take a file away from this process, be it root's."""

    def take(withheld):
        ask = os.access
        monkeypatch.setattr(os, "access", lambda path, *rest: path != withheld and ask(path, *rest))

    return take


@pytest.mark.parametrize("look", [inspect, verify])
def test_a_file_of_another_user_is_named_with_who_may_not_read_it(model, source, withhold, look):
    import_from(model, source)
    withhold(model.folder / "weights.safetensors")
    found = look(model)
    assert found.presence == Presence.UNREADABLE
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert found.faults == (f"weights.safetensors cannot be read by user {user}",)


def test_a_card_of_another_user_is_no_damage(model, source, monkeypatch):
    import_from(model, source)

    def refuse(path, *_rest, **_more):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(model.folder), "read_text", refuse)
    found = inspect(model)
    assert found.presence == Presence.UNREADABLE
    assert "model.json cannot be read by user" in found.faults[0]


def test_the_folder_of_voices_is_nobody_elses(model, source):
    (model.models_dir / "voices").mkdir(parents=True, mode=0o755)
    import_from(model, source)
    assert stat.S_IMODE((model.models_dir / "voices").stat().st_mode) == 0o700


# Looking -------------------------------------------------------------------------------------


def alter(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "fault", "is_seen_at_once"),
    [
        (lambda f: alter(f / "weights.safetensors"), "weights.safetensors: altered", False),
        (lambda f: os.truncate(f / "weights.safetensors", 9), "9 bytes, not 7000", True),
        (lambda f: (f / "more/config.json").unlink(), "more/config.json: missing", True),
        (lambda f: (f / "planted.py").write_text(""), "planted.py: not in the card", True),
        (lambda f: (f / "link").symlink_to("/etc"), "link: not in the card", True),
    ],
)
def test_verify_sees_every_change(model, source, damage, fault, is_seen_at_once):
    import_from(model, source)
    damage(model.folder)
    found = verify(model)
    assert found.presence == Presence.DAMAGED
    assert any(fault in each for each in found.faults)
    assert (inspect(model).presence == Presence.DAMAGED) == is_seen_at_once


def test_verify_sees_a_card_that_is_another_models(model, source):
    import_from(model, source)
    path = model.folder / "model.json"
    data = json.loads(path.read_text())
    for changes, words in [
        ({"model": "large"}, "card of 'large'"),
        ({"fingerprint": "0" * 64}, "fingerprint"),
    ]:
        path.write_text(json.dumps({**data, **changes}))
        assert words in verify(model).faults[0]
    path.write_text("{")
    assert verify(model).presence == Presence.DAMAGED


def test_a_pin_learnt_later_finds_what_was_imported_before(make_model, source):
    import_from(make_model(), source)
    later = make_model(pins={"weights.pth": "0" * 64})
    assert "another file" in verify(later).faults[0]


def test_nothing_here_is_missing(model):
    assert inspect(model).presence == Presence.MISSING
    assert inspect(model).faults == ()


def test_a_folder_that_is_a_link_is_replaced_and_what_it_leads_to_stays(model, source, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").touch()
    model.folder.parent.mkdir(parents=True, exist_ok=True)
    model.folder.symlink_to(elsewhere, target_is_directory=True)
    import_from(model, source)
    assert model.folder.is_dir()
    assert not model.folder.is_symlink()
    assert list(elsewhere.iterdir()) == [elsewhere / "mine"]


@pytest.mark.parametrize("is_dangling", [False, True])
def test_a_link_is_removed_and_what_it_leads_to_is_not_counted(model, tmp_path, is_dangling):
    elsewhere = tmp_path / "elsewhere"
    if not is_dangling:
        elsewhere.mkdir()
        (elsewhere / "mine").write_bytes(b"1234")
    model.models_dir.mkdir(parents=True)
    model.folder.symlink_to(elsewhere, target_is_directory=True)
    assert remove(model) == 0
    assert not model.folder.is_symlink()
    assert is_dangling or (elsewhere / "mine").exists()


@pytest.mark.parametrize("is_exchanged", [True, False])
def test_a_file_in_its_place_is_replaced(model, source, monkeypatch, is_exchanged):
    if not is_exchanged:
        monkeypatch.setattr(place, "_exchange", lambda *_: False)
    model.models_dir.mkdir(parents=True)
    model.folder.write_text("no folder")
    import_from(model, source)
    assert inspect(model).presence == Presence.HERE
    assert_tidy(model.models_dir)


def test_a_link_that_a_killed_process_left_is_cleared_away(model, source, tmp_path):
    model.models_dir.mkdir(parents=True)
    (model.models_dir / f".making-{model.name}~0000").symlink_to(tmp_path)
    import_from(model, source)
    assert_tidy(model.models_dir)
    assert source.exists()

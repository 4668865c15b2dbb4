"""Published files in a zip: nothing else comes out of it, and what is damaged is said to be."""

from __future__ import annotations

import stat
import zipfile

import pytest

from narration.exceptions import ModelError
from narration.modelstore import import_from, published
from tests.modelstore.conftest import write_published, write_zip
from tests.modelstore.engines import CONTENT
from tests.modelstore.test_import import list_files


@pytest.fixture
def source(tmp_path):
    return write_published(tmp_path / "brought")


def test_an_archive_writes_nothing_but_the_published_files(model, tmp_path):
    tricks = {
        "../../escaped": b"x",
        "/tmp/escaped-absolutely": b"x",
        "..\\windows": b"x",
        "model.json": b"{}",
        "pickle.pkl": b"x",
    }
    archive = write_zip(tmp_path / "a.zip", {**tricks, **CONTENT})
    seen = []
    room = tmp_path / "deep" / "room"
    room.mkdir(parents=True)
    published.unpack(model.spec, archive, room, lambda *told: seen.append(told[0]))
    assert list_files(tmp_path / "deep") == [f"room/{name}" for name in sorted(CONTENT)]
    assert set(seen) == set(CONTENT)
    assert not (tmp_path / "escaped").exists()


def test_a_link_in_an_archive_is_no_file(model, tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        link = zipfile.ZipInfo("weights.pth")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
        opened.writestr("sub/config.json", b"{}")
    with pytest.raises(ModelError, match="no plain file") as caught:
        import_from(model, archive)
    assert caught.value.code == "bad_archive"


def test_a_bomb_is_refused_before_it_is_unpacked(model, tmp_path, monkeypatch):
    monkeypatch.setattr(published, "MAX_BYTES", 1_000_000)
    archive = write_zip(tmp_path / "a.zip", {**CONTENT, "weights.pth": b"\0" * 2_000_000})
    with pytest.raises(ModelError, match="unpacks to") as caught:
        import_from(model, archive)
    assert caught.value.code == "bad_archive"


def test_an_archive_that_lies_about_sizes_is_refused(model, tmp_path):
    archive = write_zip(tmp_path / "a.zip", {**CONTENT, "weights.pth": b"\0" * 2_000_000})
    data = archive.read_bytes()
    size, lie = (2_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert data.count(size) == 2
    archive.write_bytes(data.replace(size, lie))
    with pytest.raises(ModelError):
        import_from(model, archive)
    assert not model.folder.exists()


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_what_is_no_archive_is_refused(model, tmp_path, damage):
    archive = write_zip(tmp_path / "a.zip", CONTENT)
    archive.write_bytes(archive.read_bytes()[:200] if damage is None else damage)
    with pytest.raises(ModelError) as caught:
        import_from(model, archive)
    assert caught.value.code == "bad_archive"


def test_too_many_entries_are_refused(model, tmp_path, monkeypatch):
    monkeypatch.setattr(published, "MAX_ENTRIES", 5)
    archive = write_zip(tmp_path / "a.zip", {**CONTENT, **{f"{n}": b"" for n in range(9)}})
    with pytest.raises(ModelError, match="entries"):
        import_from(model, archive)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_zip_is_said_to_be_one(model, source, tmp_path, method):
    archive = tmp_path / "damaged.zip"
    with zipfile.ZipFile(archive, "w", method) as made:
        for path in source.rglob("*"):
            if path.is_file():
                made.writestr(str(path.relative_to(source)), path.read_bytes() * 50)
    data = bytearray(archive.read_bytes())
    for at in range(60, min(len(data) - 400, 4000), 7):
        data[at] ^= 0x55
    archive.write_bytes(data)
    with pytest.raises(ModelError):
        import_from(model, archive)


@pytest.mark.parametrize("byte", [0x80, 0xC3, 0xFF])
def test_names_that_are_no_text_make_a_damaged_zip(model, tmp_path, byte):
    """One byte says that names are UTF-8, another that they are not."""
    archive = write_zip(tmp_path / "a.zip", CONTENT)
    data = bytearray(archive.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 9] |= 0x08  # the flag for UTF-8
    data[entry + 46] = byte
    archive.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        import_from(model, archive)
    assert caught.value.code == "bad_archive"

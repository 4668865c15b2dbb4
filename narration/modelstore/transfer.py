"""Published files over HTTP: what breaks off is gone on with, if it is still the same file.

A file grows under ``NAME.part``; beside it ``NAME.part.json`` keeps what the server said it was
(RFC 9110, ``Range`` and ``If-Range``). It gets its name when it is whole.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext as _

from narration.engines.models import ModelFile
from narration.exceptions import ModelError
from narration.modelstore import place
from narration.modelstore.published import Report, be_silent

#: So often without a byte more, and it is given up for today.
TRIES = 5
#: Seconds without a byte before a connection counts as broken.
SILENCE_SECONDS = 60
#: Seconds until a host that answers nothing at all counts as out of reach.
REACH_SECONDS = 10
#: The longest wait between two tries, in seconds, whatever the server asks for.
LONGEST_WAIT = 60
#: Answers that may be others in a moment.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})

Pause = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class _Note:
    """What is being fetched: resumed only while the server says that it is still this."""

    url: str = ""
    etag: str = ""
    modified: str = ""
    total: int = 0

    @property
    def validator(self) -> str:
        """For ``If-Range``: a strong tag, else a date, else "" (there is no resuming)."""
        return self.etag or self.modified


class _BrokenOff(Exception):
    """The rest may come at the next try, after ``wait`` seconds if the server named any."""

    def __init__(self, words: str, wait: float = 0):
        super().__init__(words)
        self.wait = wait


class _StartOver(_BrokenOff):
    """What is here is no beginning of what the server has now."""


class _HonestRedirects(urllib.request.HTTPRedirectHandler):
    """No redirect leads from an encrypted connection to one that is none."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Refuse the downgrade, follow the rest."""
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise ModelError(
                _("%(url)s leads to %(other)s, which is not encrypted.")
                % {"url": req.full_url, "other": newurl},
                code="download_refused",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer, and enough of one."""

    def redirect_request(self, *_asked: Any) -> None:
        """Follow none."""


def fetch(
    file: ModelFile, target: Path, report: Report = be_silent, *, pause: Pause = time.sleep
) -> None:
    """Fetch a published file to ``target``, going on with what an earlier call left.

    ``ModelError``: ``download_refused`` (asking again will not help), ``download_broken`` (it may),
    ``checksum_mismatch``, ``no_room``.
    """
    if not file.url.startswith(("https://", "http://")):
        words = _("%(name)s is published nowhere: bring it.") % {"name": file.name}
        raise ModelError(words, code="download_refused")
    target.parent.mkdir(parents=True, exist_ok=True)
    for is_last in (False, True):
        _fetch_whole(file, target, report, pause)
        fault = find_fault(file, _get_part(target))
        if not fault:
            _get_part(target).replace(target)
            _get_note_path(target).unlink(missing_ok=True)
            return
        _forget(target)  # a part of another file may be in it: once more from the beginning
        if is_last:
            raise ModelError(
                _("%(url)s is not the published file: %(fault)s.")
                % {"url": file.url, "fault": fault},
                code="checksum_mismatch",
            )


def check_reachable(url: str) -> None:
    """``ModelError`` (``unreachable``, may pass) when the host of ``url`` answers nothing at all.

    Asked before anything is fetched: without internet each try would wait for longer than the last.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("https", "http"):
        return
    root = f"{parts.scheme}://{parts.netloc}/"
    request = urllib.request.Request(  # noqa: S310 - http or https, see above
        root, headers={"User-Agent": "django-narration"}, method="HEAD"
    )
    opener = urllib.request.build_opener(_NoRedirects)  # proxies of the environment included
    try:
        opener.open(request, timeout=REACH_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()  # whatever it answers, it is there
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", "") or error
        raise ModelError(
            _(
                "%(host)s cannot be reached: %(error)s. Where there is no internet, fetch the "
                "published files on another machine (`manage.py models files` tells their "
                "addresses) and bring them: `manage.py models import`."
            )
            % {"host": parts.hostname, "error": reason},
            code="unreachable",
            is_permanent=False,
        ) from error


def _fetch_whole(file: ModelFile, target: Path, report: Report, pause: Pause) -> None:
    failures = 0
    while True:
        before = _get_size(_get_part(target))
        try:
            _fetch_once(file, target, report)
        except _BrokenOff as error:
            if isinstance(error, _StartOver):
                _forget(target)
            failures = 0 if _get_size(_get_part(target)) > before else failures + 1
            if failures >= TRIES:
                raise ModelError(
                    _(
                        "%(url)s broke off %(count)s times: %(error)s. What has come is kept; "
                        "run the command again to go on."
                    )
                    % {"url": file.url, "count": failures, "error": error},
                    code="download_broken",
                    is_permanent=False,
                ) from error
            pause(min(LONGEST_WAIT, error.wait or 2**failures / 2))
        else:
            return


def _fetch_once(file: ModelFile, target: Path, report: Report) -> None:
    """One connection; ``_BrokenOff`` when it ends before the file does."""
    note, done = _read_note(target), _get_size(_get_part(target))
    if note.url != file.url or not note.validator or not done:
        note, done = _Note(file.url), 0
    elif done == note.total:
        return
    try:
        with _open(file.url, note, done) as answer:
            if answer.status == http.client.PARTIAL_CONTENT and done:
                _check_continuation(answer, note, done)
            else:
                note, done = _begin(file, answer), 0
                _write_note(target, note)
            place.check_room(target.parent, max(note.total, file.size) - done)
            with _get_part(target).open("ab" if done else "wb") as part:
                _copy(answer, part, file.name, done, note.total, report)
    except (OSError, http.client.HTTPException, ssl.SSLError) as error:
        raise _BrokenOff(f"{type(error).__name__}: {error}") from error


def _open(url: str, note: _Note, done: int) -> http.client.HTTPResponse:
    headers = {"User-Agent": "django-narration", "Accept-Encoding": "identity"}
    if done:
        headers |= {"Range": f"bytes={done}-", "If-Range": note.validator}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http or https, see fetch
    opener = urllib.request.build_opener(_HonestRedirects)
    try:
        answer: http.client.HTTPResponse = opener.open(request, timeout=SILENCE_SECONDS)
    except urllib.error.HTTPError as error:
        with error:
            raise _explain(url, error.code, error.headers.get("Retry-After", "")) from error
    return answer


def _explain(url: str, status: int, retry_after: str) -> Exception:
    if status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        return _StartOver(_("the file there is another one now"))
    if status in PASSING:
        wait = float(retry_after) if retry_after.isdecimal() else 0
        return _BrokenOff(_("the server answers %(status)s") % {"status": status}, wait)
    words = {
        401: _("it asks for an account"),
        403: _("it refuses; it may want its terms accepted on its own pages"),
        404: _("there is no such file any more"),
        410: _("the file was taken away"),
    }.get(status, _("it refuses"))
    return ModelError(
        _(
            "%(url)s answers %(status)s: %(words)s. Fetch the published files another way and use "
            "`manage.py models import`."
        )
        % {"url": url, "status": status, "words": words},
        code="download_refused",
    )


def _begin(file: ModelFile, answer: http.client.HTTPResponse) -> _Note:
    """The note of a file that comes from its first byte."""
    length = answer.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else file.size
    is_chunked = answer.headers.get("Transfer-Encoding", "").lower() == "chunked"
    if not total and not is_chunked:
        raise ModelError(
            _("%(url)s: the server does not say how long the file is.") % {"url": file.url},
            code="download_refused",
        )
    etag = answer.headers.get("ETag", "")
    return _Note(
        file.url,
        "" if etag.startswith("W/") else etag,
        answer.headers.get("Last-Modified", ""),
        total,
    )


def _check_continuation(answer: http.client.HTTPResponse, note: _Note, done: int) -> None:
    """``_StartOver`` unless this is the rest of the same file."""
    given = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    is_rest = given is not None and int(given[1]) == done and given[2] in ("*", str(note.total))
    etag, modified = answer.headers.get("ETag", ""), answer.headers.get("Last-Modified", "")
    is_same = (not etag or etag == note.etag) if note.etag else modified in ("", note.modified)
    if not is_rest or not is_same:
        raise _StartOver(_("the server goes on with another file"))


def _copy(
    answer: http.client.HTTPResponse,
    part: IO[bytes],
    name: str,
    done: int,
    total: int,
    report: Report,
) -> None:
    report(name, done, total)
    while block := answer.read(place.BLOCK_SIZE):
        part.write(block)
        done += len(block)
        report(name, done, total)
        if total and done > total:
            words = _("the server sends more than the %(total)s bytes it announced")
            raise _StartOver(words % {"total": total})
    if total and done < total:
        words = _("%(done)s of %(total)s bytes came") % {"done": done, "total": total}
        raise _BrokenOff(words)


def find_fault(file: ModelFile, path: Path) -> str:
    """What tells that ``path`` is not the published file, as far as anything is known of it."""
    if file.size and _get_size(path) != file.size:
        words = _("it has %(found)s bytes, not %(wanted)s")
        return words % {"found": _get_size(path), "wanted": file.size}
    if file.sha256 and (found := place.hash_file(path)) != file.sha256:
        words = _("its SHA-256 is %(found)s, not %(wanted)s")
        return words % {"found": found, "wanted": file.sha256}
    return ""


def _get_part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _get_note_path(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json")


def _get_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read_note(target: Path) -> _Note:
    with suppress(OSError, ValueError, TypeError):
        return _Note(**json.loads(_get_note_path(target).read_text()))
    return _Note()


def _write_note(target: Path, note: _Note) -> None:
    _get_note_path(target).write_text(json.dumps(asdict(note)))


def _forget(target: Path) -> None:
    _get_part(target).unlink(missing_ok=True)
    _get_note_path(target).unlink(missing_ok=True)

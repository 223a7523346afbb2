"""Where an adapter is: in a folder here, or on the Hugging Face hub under ``USER/NAME``, or ``USER/NAME@REVISION``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lstta_core.adapter_files import CARD, RECORD, TENSORS, AdapterFileError
from lstta_core.whole_files import existing

if TYPE_CHECKING:
    from huggingface_hub import RepoFile

FILES = (RECORD, TENSORS, CARD)
"""What is fetched of a repository, and pushed into one."""
REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9_][\w.-]*", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
SIGN_IN = "`hf auth login`, or set HF_TOKEN"


def adapter_folder(adapter: str | Path, revision: str | None = None) -> Path:
    """The folder of an adapter: the local one of that name or, where there is none, that of the hub's repository.

    What comes from the hub is compared with the digests that the hub has of it. It stays in the hub's cache: without a
    network it is read there, and a commit that is there is read without asking anybody.

    Args:
        adapter: a folder, or a repository as ``USER/NAME`` or ``USER/NAME@REVISION``.
        revision: of a repository: a commit, a tag or a branch; by default its main branch as it is now.

    Raises:
        FileNotFoundError: it is no folder, and no repository either or there is nobody to ask.
        PermissionError: the repository wants its terms accepted.
        ValueError: a revision of a folder, a revision that is not there, or two revisions.
        ConnectionError: the hub cannot be reached, and its cache does not have it.
        AdapterFileError: a file is not the one that the hub says it is; it is removed from the cache.
    """
    text = adapter if isinstance(adapter, str) else adapter.as_posix()
    if (folder := existing(Path(adapter))).exists() and revision is None:
        return folder
    repo, _, named = text.partition("@")
    if named and revision is not None:
        raise ValueError(f"{text}: two revisions, {named!r} and {revision!r}: leave one out")
    revision = named or revision
    if revision is not None and existing(Path(repo)).exists():
        raise ValueError(
            f"{repo} is a folder here, and goes before the hub's; folders have no revisions: leave {revision!r} out, "
            "or go where there is no folder of that name"
        )
    parent = Path(repo).parent
    if not REPO.fullmatch(repo):
        raise FileNotFoundError(f"{text}: no such folder, and no name on the hub, as USER/NAME or USER/NAME@REVISION")
    if revision is None and parent.is_dir():
        raise FileNotFoundError(
            f"{text}: no such folder. As {parent} is one, the hub was not asked; {text}@main asks the hub"
        )
    check_installed(f"{text}: no such folder; to find it on the hub")
    return _fetched(repo, revision)


def check_installed(wanted: str) -> None:
    """Refuse to go on without the hub's client.

    Raises:
        FileNotFoundError: it is not installed; the message begins with what was wanted.
    """
    if find_spec("huggingface_hub") is None:
        raise FileNotFoundError(f"{wanted}: pip install 'lstta-tasks[hub]'")


def _fetched(repo: str, revision: str | None) -> Path:
    from huggingface_hub import HfApi, RepoFile, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    def snapshot(*, cached: bool) -> Path:
        allowed = list(FILES)
        return Path(snapshot_download(repo, revision=revision, allow_patterns=allowed, local_files_only=cached))

    if revision is not None and COMMIT.fullmatch(revision):
        try:
            return snapshot(cached=True)
        except LocalEntryNotFoundError:
            pass
    with _in_one_line(repo, revision):
        api = HfApi()
        try:
            commit = api.model_info(repo, revision=revision).sha
            there = [entry for entry in api.list_repo_tree(repo, revision=commit) if isinstance(entry, RepoFile)]
        except unreachable() as error:
            if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
                raise
            return snapshot(cached=True)
        folder = snapshot(cached=False)
    if folder.name != commit:
        raise ConnectionError(f"{repo} was changed while it was fetched: try again")
    for entry in there:
        if entry.path in FILES:
            _check(f"{repo}@{commit}: {entry.path}", folder / entry.path, entry)
    return folder


def unreachable() -> tuple[type[Exception], ...]:
    """What the hub's client raises where nobody answers or the answer is an error, and its cache has nothing."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    http_error = HfHubHTTPError.__bases__[0]  # of httpx or httpx2, as the client's version has it
    assert issubclass(http_error, Exception)
    return http_error, OfflineModeIsEnabled, LocalEntryNotFoundError


def _check(place: str, path: Path, entry: RepoFile) -> None:
    """Compare a file with the hub's digest of it, which is git's own where the file is not large."""
    content = path.read_bytes()
    if entry.lfs is not None:
        wanted, digest = entry.lfs.sha256, hashlib.sha256(content)
    else:
        wanted, digest = entry.blob_id, hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
        digest.update(content)
    if digest.hexdigest() != wanted:
        path.resolve().unlink()
        path.unlink(missing_ok=True)
        raise AdapterFileError(
            f"{place}: what came has the digest {digest.hexdigest()[:12]}…, the hub says {wanted[:12]}…; it is "
            "removed. Fetch it again and, where it stays so, ask who pushed it"
        )


@contextmanager
def _in_one_line(repo: str, revision: str | None) -> Iterator[None]:
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except GatedRepoError as error:
        raise PermissionError(f"{repo} is gated: accept its terms on its page, then {SIGN_IN}") from error
    except RevisionNotFoundError as error:
        raise ValueError(f"{repo} has no revision {revision!r} on the hub") from error
    except RepositoryNotFoundError as error:
        raise FileNotFoundError(
            f"{repo}: no such folder; on the hub there is none either, or it is private and wants another token: "
            f"{SIGN_IN}"
        ) from error
    except HFValidationError as error:
        raise FileNotFoundError(f"{repo}: no such folder, and no name on the hub, as USER/NAME") from error
    except unreachable() as error:
        what = repo if revision is None else f"{repo}@{revision}"
        raise ConnectionError(
            f"{what}: no such folder; the hub cannot be reached, and its cache does not have it. Load it once where "
            "there is a network, or carry its folder here"
        ) from error

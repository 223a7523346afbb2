"""An adapter folder onto the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lstta_core.adapter_files import CARD, RECORD, TENSORS
from lstta_tasks.adapters import read
from lstta_tasks.hub.card import hub_card
from lstta_tasks.hub.fetch import REPO, SIGN_IN, check_installed, unreachable


@dataclass(frozen=True)
class Push:
    """What is pushed, or was.

    Attributes:
        repo: where to.
        files: content or path by the name in the repository.
        commit: that it is there now; None before.
        url: of the page; None before.
    """

    repo: str
    files: dict[str, bytes | Path]
    commit: str | None = None
    url: str | None = None

    @property
    def size(self) -> int:
        """Of the files, in bytes."""
        return sum(len(file) if isinstance(file, bytes) else file.stat().st_size for file in self.files.values())


def prepare(adapter: str | Path, repo: str, *, licence: str | None = None, data: Sequence[str] = ()) -> Push:
    """What would be pushed: tensors, record and the model card, and nothing else that lies in the folder.

    Args:
        adapter: a folder.
        repo: ``USER/NAME``.
        licence: for the card, see :func:`~lstta_tasks.hub.card.hub_card`.
        data: for the card too.

    Raises:
        FileNotFoundError: the folder is not there, or the hub's client is not installed.
        AdapterFileError: the folder is damaged.
        ValueError: the repository's name is none.
    """
    if not REPO.fullmatch(repo):
        raise ValueError(f"{repo!r} is no name on the hub: write USER/NAME")
    check_installed(f"{repo}: to push to the hub")
    file = read(adapter)
    card = hub_card(file, repo, licence=licence, data=data)
    return Push(repo, {TENSORS: file.folder / TENSORS, RECORD: file.folder / RECORD, CARD: card.encode()})


def push(prepared: Push, *, private: bool = False, branch: str | None = None, message: str | None = None) -> Push:
    """Make the repository where it is missing, and one commit of all files.

    Args:
        prepared: of :func:`prepare`.
        private: whether nobody else sees it.
        branch: made where it is missing; by default ``main``.
        message: of the commit.

    Returns:
        With commit and address.

    Raises:
        PermissionError: there is no token, or it may not write there.
        ValueError: it is to be private and is there already, in public.
        ConnectionError: the hub cannot be reached, or does not take it.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import LocalTokenNotFoundError, OfflineModeIsEnabled

    repo, api = prepared.repo, HfApi()
    try:
        api.create_repo(repo, private=private or None, exist_ok=True)
        if private and not api.model_info(repo).private:
            raise ValueError(f"{repo} is on the hub already, and public: nothing was pushed. Make it private there")
        if branch is not None:
            api.create_branch(repo, branch=branch, exist_ok=True)
        done = api.create_commit(
            repo,
            [CommitOperationAdd(name, file) for name, file in prepared.files.items()],
            commit_message=message or "Adapter of lstta",
            revision=branch,
        )
    except LocalTokenNotFoundError as error:
        raise PermissionError(f"{repo}: pushing wants a token: {SIGN_IN}") from error
    except OfflineModeIsEnabled as error:
        raise ConnectionError(f"{repo}: nothing was pushed, as HF_HUB_OFFLINE is set") from error
    except unreachable() as error:
        raise _in_one_line(repo, error) from error
    except RuntimeError as error:  # of the threads that upload
        raise _in_one_line(repo, error.__cause__ or error) from error
    return Push(repo, prepared.files, done.oid, f"{api.endpoint}/{repo}")


def _in_one_line(repo: str, error: BaseException) -> OSError:
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError) and error.response.status_code in (401, 403, 404):
        return PermissionError(f"{repo}: the hub lets this token, or none, not write there: {SIGN_IN}")
    return ConnectionError(f"{repo}: not pushed: {' '.join(str(error).split())[:300]}")

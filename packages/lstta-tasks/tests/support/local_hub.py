"""A server on this machine that speaks what the Hugging Face hub's client asks when it pushes and fetches models.

Large files go the way of Git LFS, others into the commit, as there. It keeps everything in memory, and has tokens: that
of ``ann`` may write to ``ann/…``, and what is private answers her alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

import pytest

TOKENS = {"hf_of_ann": "ann", "hf_of_bob": "bob"}
LARGE = (".safetensors",)


@dataclass(frozen=True)
class Stored:
    """A file of a commit."""

    content: bytes
    large: bool

    @property
    def blob_id(self) -> str:
        """Git's digest of it or, of a large one, of the pointer in its place."""
        pointer = b"version 1\noid sha256:%s\nsize %d\n" % (self.sha256.encode(), len(self.content))
        content = pointer if self.large else self.content
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.large else self.blob_id


@dataclass
class Repository:
    """Its branches name commits, its commits hold files."""

    private: bool
    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Stored]] = field(default_factory=dict)

    def commit(self, branch: str, files: dict[str, Stored]) -> str:
        whole = {**self.commits.get(self.branches.get(branch, ""), {}), **files}
        said = json.dumps([len(self.commits), sorted((name, file.etag) for name, file in whole.items())])
        sha = hashlib.sha1(said.encode()).hexdigest()
        self.commits[sha], self.branches[branch] = whole, sha
        return sha


@dataclass
class Hub:
    """The server's state, and what it does wrong when it is told to.

    Attributes:
        repos: by name.
        large: content by its digest.
        asked: method and path of each request.
        garbled: names of files of which other bytes are sent than the digest says, as many.
    """

    url: str = ""
    repos: dict[str, Repository] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    garbled: set[str] = field(default_factory=set)


@contextmanager
def local_hub() -> Iterator[Hub]:
    """A hub that runs until the block ends."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def point_client_at(hub: Hub, cache: str, monkeypatch: pytest.MonkeyPatch, token: str | None = None) -> None:
    """Have the hub's client in this process ask this server, as HF_ENDPOINT, HF_HOME and HF_TOKEN would a new one."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # whatever who runs the tests has set
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", cache)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", cache + "/no-token")
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", cache + "/no-tokens")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # a protocol of its own, behind the same calls
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    if token is None:
        monkeypatch.delenv("HF_TOKEN", raising=False)
    else:
        monkeypatch.setenv("HF_TOKEN", token)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *_: Any) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self.hub.asked.append(f"{self.command} {path}")
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for pattern, way in _WAYS:
            if found := re.fullmatch(pattern, path):
                way(self, *found.groups())
                return
        self._say({"error": f"no way {path}"}, 404)

    def _say(self, content: Any, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    @property
    def _user(self) -> str | None:
        return TOKENS.get(self.headers.get("Authorization", "").removeprefix("Bearer "))

    def _may_write(self, repo: str) -> bool:
        if self._user == repo.partition("/")[0]:
            return True
        self._say({"error": "You may not"}, 401 if self._user is None else 403)
        return False

    def _seen(self, name: str) -> Repository | None:
        """A repository that whoever asks may see; None once they are told that there is none."""
        repo = self.hub.repos.get(name)
        if repo is not None and (not repo.private or self._user == name.partition("/")[0]):
            return repo
        self._say({"error": "Repository not found"}, 404 if self._user else 401, X_Error_Code="RepoNotFound")
        return None

    def _at(self, name: str, revision: str) -> tuple[str, dict[str, Stored]] | None:
        if (repo := self._seen(name)) is None:
            return None
        sha = repo.branches.get(revision, revision)
        if sha not in repo.commits:
            self._say({"error": "Invalid rev id"}, 404, X_Error_Code="RevisionNotFound")
            return None
        return sha, repo.commits[sha]

    def create(self) -> None:
        asked = json.loads(self.body)
        name = f"{asked['organization']}/{asked['name']}"
        if not self._may_write(name):
            return
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        is_there = name in self.hub.repos
        self.hub.repos.setdefault(name, Repository(private)).branches.setdefault("main", "")
        self._say({"url": f"{self.hub.url}/{name}"}, 409 if is_there else 200)

    def branch(self, name: str, branch: str) -> None:
        if self._may_write(name):
            self.hub.repos[name].branches.setdefault(branch, self.hub.repos[name].branches["main"])
            self._say({})

    def preupload(self, name: str, _: str) -> None:
        if self._may_write(name):
            paths = [file["path"] for file in json.loads(self.body)["files"]]
            modes = {path: "lfs" if path.endswith(LARGE) else "regular" for path in paths}
            self._say({"files": [{"path": p, "uploadMode": mode, "shouldIgnore": False} for p, mode in modes.items()]})

    def batch(self, name: str) -> None:
        if self._may_write(name):
            objects = json.loads(self.body)["objects"]
            for one in objects:
                if one["oid"] not in self.hub.large:
                    one["actions"] = {"upload": {"href": f"{self.hub.url}/large/{one['oid']}"}}
            self._say({"transfer": "basic", "objects": objects})

    def upload(self, oid: str) -> None:
        assert hashlib.sha256(self.body).hexdigest() == oid
        self.hub.large[oid] = self.body
        self._say({})

    def commit(self, name: str, branch: str) -> None:
        if not self._may_write(name):
            return
        files = {}
        for line in map(json.loads, self.body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = Stored(base64.b64decode(value["content"]), large=False)
            elif line["key"] == "lfsFile":
                files[value["path"]] = Stored(self.hub.large[value["oid"]], large=True)
        sha = self.hub.repos[name].commit(branch, files)
        self._say({"commitUrl": f"{self.hub.url}/{name}/commit/{sha}", "commitOid": sha, "pullRequestUrl": None})

    def info(self, name: str, revision: str = "main") -> None:
        repo = self._seen(name)
        if repo is not None and not repo.commits and revision == "main":
            self._say({"id": name, "private": repo.private, "siblings": [], "tags": [], "downloads": 0})
        elif repo is not None and (found := self._at(name, revision)) is not None:
            siblings = [{"rfilename": path} for path in found[1]]
            self._say({"id": name, "sha": found[0], "private": repo.private, "siblings": siblings, "tags": []})

    def tree(self, name: str, revision: str) -> None:
        if (found := self._at(name, revision)) is not None:
            self._say([
                {"type": "file", "path": path, "size": len(file.content), "oid": file.blob_id}
                | ({"lfs": {"oid": file.sha256, "size": len(file.content), "pointerSize": 9}} if file.large else {})
                for path, file in found[1].items()
            ])  # fmt: skip

    def resolve(self, name: str, revision: str, path: str) -> None:
        if (found := self._at(name, revision)) is None:
            return
        sha, files = found
        if path not in files:
            self._say({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound", X_Repo_Commit=sha)
            return
        content, etag = files[path].content, files[path].etag
        if path in self.hub.garbled:
            content = content[:-1] + bytes([content[-1] ^ 1])
        self._say(content, ETag=f'"{etag}"', X_Repo_Commit=sha, X_Linked_Etag=f'"{etag}"', Accept_Ranges="bytes")

    def card_is_fine(self) -> None:
        assert json.loads(self.body)["content"].startswith("---\n")
        self._say({"errors": [], "warnings": []})


_NAME = r"([\w.-]+/[\w.-]+)"
_WAYS = (
    (r"/api/repos/create", _Handler.create),
    (r"/api/validate-yaml", _Handler.card_is_fine),
    (rf"/api/models/{_NAME}", _Handler.info),
    (rf"/api/models/{_NAME}/revision/(.+)", _Handler.info),
    (rf"/api/models/{_NAME}/branch/(.+)", _Handler.branch),
    (rf"/api/models/{_NAME}/preupload/(.+)", _Handler.preupload),
    (rf"/api/models/{_NAME}/commit/(.+)", _Handler.commit),
    (rf"/api/models/{_NAME}/tree/([^/]+)", _Handler.tree),
    (rf"/{_NAME}\.git/info/lfs/objects/batch", _Handler.batch),
    (r"/large/(\w+)", _Handler.upload),
    (rf"/{_NAME}/resolve/([^/]+)/(.+)", _Handler.resolve),
)

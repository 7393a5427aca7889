"""A server on this machine alone, for whoever knows the token in its address."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Thread
from typing import Any

from analysis.watching.live_atlas import LiveAtlas

HOST = "127.0.0.1"
TOKEN_BYTES = 24
HEADERS = {
    # What a browser may do with the answer: keep it, name its address to others, show it elsewhere.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
FRAME_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'"
)
TYPES = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "json": "application/json",
}
FILES = ("watch.html", "watch.js", "watch.css")
# How often the server looks whether it is to end.
LOOKING_SECONDS = 0.05


@contextmanager
def serving(atlas: LiveAtlas, port: int = 0) -> Iterator[str]:
    """Serve an atlas while the block runs; yields its address, the token in it.

    Args:
        atlas: What to serve.
        port: Of 127.0.0.1; 0 is any free one.

    Raises:
        OSError: The port is taken, or not ours to take.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    handler = type("Handler", (_Handler,), {"atlas": atlas, "token": token})
    with ThreadingHTTPServer((HOST, port), handler) as server:
        thread = Thread(target=server.serve_forever, args=(LOOKING_SECONDS,), daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}/{token}/"
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers GET: the frame around the atlas at /TOKEN/, and what it loads from there."""

    atlas: LiveAtlas
    token: str

    def do_GET(self) -> None:
        """Answer a request; one without the token learns nothing but that it is refused."""
        token, _, name = self.path.partition("?")[0].removeprefix("/").partition("/")
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        now = self.atlas.now
        if name == "state.json":
            self._answer(name, json.dumps({"commit": now.commit, "words": now.words}))
        elif name == "atlas.html" and now.commit is not None:
            self._answer(name, now.page)
        elif (name or "watch.html") in FILES:
            self._answer(name or "watch.html", _file(name or "watch.html"), FRAME_POLICY)
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def _answer(self, name: str, text: str, policy: str | None = None) -> None:
        body = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{TYPES[name.rpartition('.')[2]]}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for header, value in HEADERS.items():
            self.send_header(header, value)
        if policy is not None:
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def version_string(self) -> str:
        """Nothing about the versions that answer."""
        return "phasesweep"

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: the terminal is for what the user asked."""


def _file(name: str) -> str:
    return (resources.files("analysis.watching") / "web" / name).read_text(encoding="utf-8")

"""Serves the demo page, the list of people and development tokens, on one loopback port.

It hands out tokens to whoever can reach it, so it listens on the loopback address only, wants a Host that names it (a page elsewhere cannot
reach it by a DNS name of its own), and allows no other origin to read its answers.
"""

import http.server
import json
import re
import urllib.parse

from . import paths, ports, tokens
from .people import People

USER = re.compile(r"[A-Za-z0-9_.:@|+=~-]{1,128}")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}


class PageServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, *, secret: bytes, gateway_port: int, ingest_port: int, people: People):
        self.secret = secret
        self.people = people
        self.config = {
            "gateway": f"ws://127.0.0.1:{gateway_port}/v1/ws",
            "ingest": f"http://127.0.0.1:{ingest_port}/v1/activities",
            "tenant": tokens.TENANT,
        }
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.policy = (
            "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
            f"connect-src 'self' ws://127.0.0.1:{gateway_port} http://127.0.0.1:{ingest_port}"
        )
        super().__init__((ports.LOOPBACK, port), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        """Quiet: addresses of tokens do not belong into a log."""

    def do_GET(self):
        if self.headers.get("Host") not in self.server.hosts:
            return self._problem(403, "this server answers only to 127.0.0.1 and localhost")
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path.startswith("/api/"):
            return self._api(url.path, query.get("user", [""])[0])
        return self._file(url.path)

    do_HEAD = do_GET

    def _api(self, path: str, user: str):
        people = self.server.people
        if path == "/api/config":
            return self._json(self.server.config)
        if path == "/api/people":
            return self._json(people.list)
        if path not in ("/api/token", "/api/token.txt", "/api/following"):
            return self._problem(404, "there is no such page")
        if not USER.fullmatch(user):
            return self._problem(400, "user must be 1-128 of A-Z a-z 0-9 _ . : @ | + = ~ -")
        if path == "/api/following":
            return self._json(people.following(user))
        token = tokens.make_token(self.server.secret, user)
        if path == "/api/token.txt":
            return self._send(200, "text/plain; charset=utf-8", token.encode())
        return self._json({"token": token})

    def _file(self, path: str):
        name = urllib.parse.unquote(path).lstrip("/") or "index.html"
        if "\0" in name:
            return self._problem(404, "there is no such page")
        file = (paths.WEB / name).resolve()  # as it is in the end: neither .. nor a link leads out
        kind = TYPES.get(file.suffix)
        if not file.is_relative_to(paths.WEB.resolve()) or not file.is_file() or kind is None:
            return self._problem(404, "there is no such page")
        self._send(200, kind, file.read_bytes())

    def _json(self, value):
        self._send(200, "application/json", json.dumps(value, separators=(",", ":")).encode())

    def _problem(self, status: int, detail: str):
        self._send(status, "application/problem+json", json.dumps({"status": status, "detail": detail}).encode())

    def _send(self, status: int, kind: str, body: bytes):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

"""Plays a file of activities in over HTTP, as a service would: batches, retries with the same ids, never too far ahead of the fan-out."""

import gzip
import http.client
import json
import pathlib
import threading
import time
from collections.abc import Callable, Iterator

from . import ports

BATCH = 500
RETRIES = 60


class Refused(Exception):
    """Ingest refused a batch for good; the text is its answer."""


def read_lines(path: pathlib.Path, limit: int | None = None) -> Iterator[bytes]:
    with gzip.open(path, "rb") as file:
        for number, line in enumerate(file):
            if limit is not None and number >= limit:
                return
            if line.strip():
                yield line.rstrip(b"\n")


def batches(lines: Iterator[bytes], size: int = BATCH) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


class Player:
    """Posts batches one after the other. `behind` tells how many records wait between ingest and the feeds; above `ahead_max` it waits."""

    def __init__(self, port: int, token: Callable[[], str], behind: Callable[[int], float] | None = None, ahead_max: int = 8000):
        self._port = port
        self._token = token
        self._behind = behind
        self._ahead_max = ahead_max
        self._connection: http.client.HTTPConnection | None = None
        self.accepted = 0
        self.retries = 0
        self.stop = threading.Event()

    def play(self, lines: Iterator[bytes]) -> None:
        for batch in batches(lines):
            while self._behind and self._behind(self.accepted) + len(batch) > self._ahead_max and not self.stop.is_set():
                time.sleep(0.02)
            if self.stop.is_set():
                return
            self.post(batch)

    def post(self, batch: list[bytes]) -> list[dict]:
        """One request, repeated with the same ids until it is accepted. What ingest answered for each activity."""
        wait_s = 0.1
        for _ in range(RETRIES):
            status, headers, body = self._request(b"\n".join(batch) + b"\n")
            if status == 202:
                answer = json.loads(body)
                self.accepted += answer["accepted"]
                return answer["activities"]
            if status not in (0, 429, 503):
                raise Refused(f"ingest answered {status}: {body.decode(errors='replace')[:2000]}")
            self.retries += 1
            wait_s = float(headers.get("Retry-After") or min(wait_s * 2, 5))
            if self.stop.wait(wait_s):
                return []
        raise Refused(f"ingest did not accept a batch in {RETRIES} attempts; the last answer was {status}: {body.decode(errors='replace')[:500]}")

    def _request(self, body: bytes):
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(ports.LOOPBACK, self._port, timeout=60)
            self._connection.request(
                "POST",
                "/v1/activities",
                body,
                {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {self._token()}"},
            )
            answer = self._connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as error:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return 0, {}, str(error).encode()

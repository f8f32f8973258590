"""./run from outside: it shows the main job working, says what is wrong, and nothing outlives it."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT
from feedwire_dev import ports

LIMIT = 1500
DEADLINE_S = 120
PARTS = ("redis-server", "feedwire-dev-broker", "feedwire-ingest", "feedwire-fanout", "feedwire-gateway")


class Run:
    """A ./run under way; its output is kept, and what it started can be listed."""

    def __init__(self, bin_dir, scratch, *arguments, env=None):
        page = [] if any(argument.startswith("--port") for argument in arguments) else [f"--port={ports.any_free()}"]
        self.popen = subprocess.Popen(
            [str(ROOT / "run"), *page, *arguments],
            env={**os.environ, "FEEDWIRE_BIN": str(bin_dir), "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1", **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.scratch = scratch
        self.output = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.popen.stdout:
            self.output += line

    def wait_for(self, pattern):
        deadline = time.monotonic() + DEADLINE_S
        while not (found := re.search(pattern, self.output)):
            assert self.popen.poll() is None, f"it ended before {pattern!r} came:\n{self.output}"
            assert time.monotonic() < deadline, f"{pattern!r} did not come:\n{self.output}"
            time.sleep(0.05)
        return found

    def wait(self):
        code = self.popen.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def parts(self):
        """{program: pid} of what runs with this run's environment, or in its folder (Redis writes its title over its environment)."""
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    environment = (entry / "environ").read_bytes().split(b"\0")
                    if f"TMPDIR={self.scratch}".encode() in environment or (entry / "cwd").readlink().is_relative_to(self.scratch):
                        program = re.split(rb"[\0 ]", (entry / "cmdline").read_bytes())[0].decode()
                        found[pathlib.Path(program).name] = int(entry.name)
        return found


@pytest.fixture
def run(bin_dir, tmp_path):
    runs = []

    def start(*arguments, **options):
        runs.append(Run(bin_dir, tmp_path, *arguments, **options))
        return runs[-1]

    # All want the same ports first: two that look at the same moment both find them free. So one test at a time on this machine.
    with open(pathlib.Path(tempfile.gettempdir(), "feedwire-test-run.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield start
        for each in runs:
            each.popen.kill()
            each.popen.wait()


def nothing_is_left(run):
    deadline = time.monotonic() + DEADLINE_S
    while left := run.parts():
        assert time.monotonic() < deadline, f"these have outlived it: {left}"
        time.sleep(0.05)


def test_once_plays_in_and_says_what_it_took(run, tmp_path):
    figures_file = tmp_path / "figures.json"
    it = run("--once", f"--limit={LIMIT}", f"--json={figures_file}")
    assert it.wait() == 0, it.output
    assert f"all {LIMIT:,} activities are in their feeds" in it.output
    assert "the embedded Kafka broker is for trying and testing only" in it.output
    figures = json.loads(figures_file.read_text())
    assert figures["records_accepted"] == LIMIT
    assert figures["dead_letters"] == 0
    assert figures["feed_writes"] >= LIMIT
    assert set(figures["processes"]) == {"redis", "broker", "fanout", "ingest", "gateway"}
    nothing_is_left(it)
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_the_page_until_it_is_stopped(run, tmp_path, ending):
    it = run(f"--limit={LIMIT}")
    it.wait_for("Ctrl-C stops everything")
    url = it.wait_for(r"demo page: (http://127\.0\.0\.1:\d+/)").group(1)
    page = urllib.request.urlopen(url, timeout=20)
    assert b"<title>" in page.read()
    people = json.load(urllib.request.urlopen(f"{url}api/people", timeout=20))
    assert len(people) > 3000
    assert urllib.request.urlopen(f"{url}api/token.txt?user=ann", timeout=20).read().count(b".") == 2
    for query in ("", "?user=", "?user=a%20b", "?user=f:{x}", f"?user={'a' * 129}"):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(f"{url}api/token{query}", timeout=20)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(f"{url}api/token?user=ann", headers={"Host": "evil.example"}), timeout=20)
    assert set(PARTS) <= set(it.parts())
    it.popen.send_signal(ending)
    assert it.wait() == 0, it.output
    assert "everything is stopped" in it.output
    nothing_is_left(it)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_dies_is_named_with_its_last_words_and_takes_the_rest_along(run, part):
    it = run(f"--limit={LIMIT}")
    it.wait_for("Ctrl-C stops everything")
    os.kill(it.parts()[part], signal.SIGKILL)
    assert it.wait() == 1
    name = part.replace("feedwire-", "").replace("dev-", "").replace("-server", "")
    assert f"{name} was killed by SIGKILL; its log ends with:\n  | " in it.output
    kept = pathlib.Path(re.search(r"the logs are kept in (\S+)", it.output).group(1))
    assert {path.suffix for path in kept.iterdir()} == {".log"}, "logs only: no secret, no data"
    nothing_is_left(it)


def test_nothing_outlives_a_supervisor_that_is_killed(run):
    it = run("--no-play")
    it.wait_for("Ctrl-C stops everything")
    it.popen.kill()
    it.popen.wait()
    nothing_is_left(it)


def test_what_an_abandoned_run_left_behind_is_removed_by_the_next_one(run, tmp_path):
    it = run("--no-play")
    it.wait_for("Ctrl-C stops everything")
    it.popen.kill()
    it.popen.wait()
    abandoned = list(tmp_path.iterdir())
    assert len(abandoned) == 1 and (abandoned[0] / "hs256.key").exists()
    nothing_is_left(it)
    assert run("--once", "--limit=100").wait() == 0
    assert not abandoned[0].exists()


def test_ports_that_are_taken_are_replaced_and_named(run):
    with contextlib.ExitStack() as stack:
        taken = {}
        for port, name in ((6379, "redis"), (9092, "kafka"), (8080, "ingest"), (8084, "gateway")):
            listener = stack.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):  # somebody else has it: just as good
                listener.bind(("127.0.0.1", port))
                listener.listen()
            taken[port] = name
        it = run("--once", "--limit=100")
        assert it.wait() == 0, it.output
        for port, name in taken.items():
            assert re.search(rf"port {port} \({name}\) is taken; using \d+", it.output), it.output


def test_two_at_once_do_not_disturb_each_other(run):
    first = run("--no-play")
    first.wait_for("Ctrl-C stops everything")
    second = run("--once", "--limit=300")
    assert second.wait() == 0, second.output
    assert set(PARTS) <= set(first.parts())
    first.popen.send_signal(signal.SIGINT)
    assert first.wait() == 0


def test_redis_and_kafka_of_ones_own(run, redis_server, apache_kafka_server):
    it = run("--once", f"--limit={LIMIT}", f"--kafka={apache_kafka_server.bootstrap}", f"--redis={redis_server.url}")
    assert it.wait() == 0, it.output
    assert "starting redis" not in it.output and "starting broker" not in it.output
    assert redis_server.command_line("DBSIZE")[0] != "0"


@pytest.mark.parametrize(
    "arguments, env, sentence",
    [
        (["--kafka=nonsense"], {}, "--kafka must be embedded, apache or HOST:PORT"),
        (["--limit=0"], {}, "--limit must be 1 or more"),
        (["--once", "--no-play"], {}, "--once ends after the play-in, so it needs one"),
        (["--port=99999"], {}, "--port must be a number from 1 to 65535"),
        (["--what"], {}, "unrecognized arguments: --what"),
        (["--redis=redis://:canary@127.0.0.1:1"], {}, "a URL with a password does not belong on a command line"),
    ],
)
def test_wrong_use_is_explained_before_anything_starts(run, arguments, env, sentence):
    it = run(*arguments, env=env)
    assert it.wait() == 2
    assert sentence in it.output
    assert "canary" not in it.output
    assert "starting" not in it.output


@pytest.mark.parametrize("option, sentence", [("--kafka=127.0.0.1:{}", "Kafka at 127.0.0.1:{} cannot be reached"), ("--redis=redis://127.0.0.1:{}", "Redis at 127.0.0.1:{} cannot be reached")])
def test_what_is_not_there_is_named(run, option, sentence):
    port = ports.any_free()
    it = run("--once", option.format(port))
    assert it.wait() == 1
    assert sentence.format(port) in it.output
    nothing_is_left(it)

"""python3 -m feedwire_dev: starts the stack, plays the data set in, serves the demo page, watches, and stops everything. ./run calls it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

from . import paths, ports
from .admin import total
from .ending import Stopped, raise_on_signals
from .kafka import EMBEDDED_IS_NOT_FOR
from .options import parse
from .page_server import PageServer
from .people import People
from .play import Player, Refused, read_lines
from .processes import NotReady, Process
from .run_directory import RunDirectory
from .stack import Stack, StackSettings
from .summary import as_text, measure

# Where the programs look for each other by default, so that feedctl works without options.
PREFERRED_PORTS = {"redis": 6379, "kafka": 9092, "ingest": 8080, "ingest admin": 8081, "fanout admin": 8083, "gateway": 8084, "gateway admin": 8085}
LOOK_S = 0.1
STANDSTILL_S = 60  # no record finished for so long, though some are missing
STOPPED_EXIT = 130
WAKE_TIMEOUT_MS = 60_000


class PartDied(Exception):
    def __init__(self, process: Process):
        super().__init__(f"{process.name} {process.how_it_ended()}; its log ends with:\n{process.log_tail(20)}")


class Lost(Exception):
    """Records were accepted, and never came out at the other end."""


def say(text: str) -> None:
    print(f"run: {text}", flush=True)


class LiveLine:
    """Counters: rewritten in place on a terminal, else a line every few seconds."""

    def __init__(self):
        self._terminal = sys.stdout.isatty()
        self._due = 0.0
        self._last = ""

    def show(self, text: str) -> None:
        if time.monotonic() < self._due or (text == self._last and not self._terminal):
            return
        self._due = time.monotonic() + (0.5 if self._terminal else 5)
        self._last = text
        if self._terminal:
            print(f"\r\033[K{text[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
        else:
            print(f"run: {text}", flush=True)

    def end(self) -> None:
        if self._terminal and self._last:
            print(flush=True)
        self._last = ""


class Run:
    def __init__(self, options, directory: pathlib.Path):
        self.options = options
        self.page_port = ports.prefer(options.port)
        if self.page_port != options.port:
            say(f"port {options.port} (demo page) is taken; using {self.page_port}")
        settings = StackSettings(options.kafka, options.redis, self.page_port, PREFERRED_PORTS)
        self.stack = Stack(directory, settings, say)
        self.live = LiveLine()
        self.player: Player | None = None
        self.playing: threading.Thread | None = None
        self.play_failure: Exception | None = None
        self.fanned_out_before = 0.0

    def start(self) -> None:
        if self.options.kafka == "embedded":
            say(EMBEDDED_IS_NOT_FOR)
        self.stack.start()
        people = People(paths.DATA)
        gateway, ingest = self.stack.gateway.http_port, self.stack.ingest.http_port
        page = PageServer(self.page_port, secret=self.stack.secret, gateway_port=gateway, ingest_port=ingest, people=people)
        threading.Thread(target=page.serve_forever, daemon=True).start()
        self._wake(people)
        self._say_page()
        say(f"logs: {self.stack.directory}")
        feedctl = [os.path.relpath(paths.bin_dir() / "feedctl"), "feed show", people.list[0]["user"]]
        if self.stack.redis:
            feedctl.append(f"--redis.url={self.stack.redis.url}")
        say(f"to look inside: {' '.join(feedctl)}")

    def _wake(self, people: People) -> None:
        """As if everybody had been here lately: feeds that nobody reads are not written at all."""
        say(f"waking the feeds of {len(people.list):,} people")
        users = "".join(f"{person['user']}\n" for person in people.list)
        command = [paths.bin_dir() / "feedctl", "wake", "-", f"--kafka.brokers={self.stack.brokers}", f"--timeout_ms={WAKE_TIMEOUT_MS}"]
        done = subprocess.run(command, input=users, capture_output=True, text=True)
        if done.returncode != 0:
            raise NotReady(f"the feeds could not be woken: {done.stderr.strip()}")

    def _say_page(self) -> None:
        say(f"demo page: http://127.0.0.1:{self.page_port}/")

    def _fanned_out(self) -> float:
        return self.stack.fanout.metric("fanout_records_total") - self.fanned_out_before

    def play(self) -> None:
        lines = list(read_lines(paths.DATA, self.options.limit))
        self.total = len(lines)
        self.fanned_out_before = self.stack.fanout.metric("fanout_records_total")
        self.player = Player(self.stack.ingest.http_port, self.stack.service_token, lambda accepted: accepted - self._fanned_out())

        def work() -> None:
            try:
                self.player.play(lines)
            except Exception as error:  # the main thread tells it
                self.play_failure = error

        say(f"playing in {self.total:,} activities")
        self.started = time.monotonic()
        self.playing = threading.Thread(target=work, daemon=True)
        self.playing.start()

    def look(self) -> tuple[float, float]:
        """Shows the counters, and answers how many records are fanned out and how many wait. Raises when something is wrong."""
        dead = self.stack.dead()
        if dead:
            raise PartDied(dead)
        if self.play_failure:
            raise self.play_failure
        accepted = self.stack.ingest.metric("activities_published_total")
        fanout = self.stack.fanout.metrics()
        done, waiting = total(fanout, "fanout_records_total"), fanout.get("kafka_consumer_lag_records", 0)
        self.live.show(
            f"accepted {accepted:,.0f} | fanned out {done:,.0f} | feed writes {total(fanout, 'fanout_feed_writes_total'):,.0f} | "
            f"waiting {waiting:,.0f} | clients {self.stack.gateway.metric('websocket_connections'):,.0f}"
        )
        return done - self.fanned_out_before, waiting

    def until_played(self) -> None:
        last, last_change = -1.0, time.monotonic()
        while True:
            done, waiting = self.look()
            if not self.playing.is_alive() and self.player.accepted == self.total and done >= self.total and waiting == 0:
                break
            if done != last:
                last, last_change = done, time.monotonic()
            elif time.monotonic() - last_change > STANDSTILL_S:
                raise Lost(f"{self.player.accepted:,} activities were accepted and {done:,.0f} fanned out, and nothing has moved for {STANDSTILL_S} s")
            time.sleep(LOOK_S)
        seconds = time.monotonic() - self.started
        self.live.end()
        figures = measure(self.stack, self.player.accepted, seconds)
        say(f"all {self.total:,} activities are in their feeds")
        print(as_text(figures), flush=True)
        if self.options.json:
            pathlib.Path(self.options.json).write_text(json.dumps(figures, indent=2) + "\n")
        if figures["dead_letters"]:
            raise Lost(f"{figures['dead_letters']} records became dead letters; feedctl dlq list shows them while the stack runs")

    def until_stopped(self) -> None:
        self._say_page()
        say("Ctrl-C stops everything")
        while True:
            self.look()
            time.sleep(LOOK_S)

    def stop(self) -> bool:
        """Whether everything stopped in order."""
        self.live.end()
        if self.player:
            self.player.stop.set()
        bad = self.stack.stop()
        for process in bad:
            say(f"{process.name} did not stop in order: it {process.how_it_ended()}; its log ends with:\n{process.log_tail()}")
        say("everything is stopped")
        return not bad


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    raise_on_signals()
    directory = RunDirectory()
    run, code = None, 1
    try:
        run = Run(options, directory.path)
        run.start()
        if not options.no_play:
            run.play()
            run.until_played()
        if not options.once:
            run.until_stopped()
        code = 0
    except Stopped:
        code = STOPPED_EXIT if options.once else 0
    except (PartDied, Lost, NotReady, Refused, OSError) as error:
        if run:
            run.live.end()
        say(str(error))
    finally:
        in_order = run.stop() if run else True
        if code == 0 and not in_order:
            code = 1
        if code == 1:
            directory.keep_logs()
            say(f"the logs are kept in {directory.path}")
        else:
            directory.remove()
    return code


if __name__ == "__main__":
    sys.exit(main())

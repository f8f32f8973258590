"""Runs the tests of all kinds and adds them up. The last line is `N passed, N failed`."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
CACHE = pathlib.Path(
    os.environ.get("FEEDWIRE_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "feedwire"
)
TOOLS = f"{CACHE}/venv/bin:{CACHE}/prefix/bin"


class Failed(Exception):
    """A step on which others stand has failed."""


class Runner:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.failures = []
        self.started = time.monotonic()
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="feedwire-test-"))
        self.env = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "PYTHONDONTWRITEBYTECODE": "1"}

    def say(self, text):
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        print(f"test: [{minutes:2}:{seconds:02}] {text}", flush=True)

    def count(self, name, passed, failed):
        self.passed += passed
        self.failed += failed
        if failed:
            self.failures.append(f"{name}: {failed} failed")
        self.say(f"{name}: {passed} passed, {failed} failed")

    def call(self, *command, cwd=ROOT, env=None):
        return subprocess.run([str(word) for word in command], cwd=cwd, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL)

    def check(self, name, *command, cwd=ROOT, env=None):
        """A command that is one test."""
        good = self.call(*command, cwd=cwd, env=env).returncode == 0
        self.count(name, int(good), int(not good))

    def need(self, name, *command, cwd=ROOT):
        """A command without which the rest makes no sense."""
        self.say(name)
        done = subprocess.run([str(word) for word in command], cwd=cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print(done.stdout[-8000:], flush=True)
            raise Failed(name)

    def junit(self, name, report):
        """Adds up a JUnit report; a missing one is a failure."""
        try:
            cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
        except (OSError, xml.etree.ElementTree.ParseError):
            return self.count(f"{name} (no report)", 0, 1)
        bad = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
        skipped = sum(1 for case in cases if case.find("skipped") is not None)
        if not cases:
            return self.count(f"{name} (no tests were found)", 0, 1)
        if skipped:
            self.say(f"{name}: {skipped} skipped")
        self.count(name, len(cases) - bad - skipped, bad)

    def pytest(self, name, *arguments, env=None):
        report = self.scratch / f"{name}.xml"
        self.say(f"running {name}")
        self.call("pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *arguments, env=env)
        self.junit(name, report)

    def node(self, name, *command, cwd):
        """node --test ends its output with counts, as TAP (# pass 3) or as text (ℹ pass 3)."""
        self.say(f"running {name}")
        done = subprocess.run([str(word) for word in command], cwd=cwd, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        counts = {word: sum(int(n) for n in re.findall(rf"^\S+ {word} (\d+)", done.stdout, re.M)) for word in ("pass", "fail", "cancelled")}
        bad = counts["fail"] + counts["cancelled"]
        if done.returncode != 0 or bad or not counts["pass"]:
            print(done.stdout[-12000:], flush=True)
            bad = max(bad, 1)
        self.count(name, counts["pass"], bad)


def build(run):
    for preset in ("release", "asan"):
        run.need(f"configuring build/{preset}", "cmake", "--preset", preset)
        run.need(f"building build/{preset}", "cmake", "--build", "--preset", preset)


def style(run):
    run.check("formatting", "scripts/format", "--check")
    run.check("reference pages", "scripts/reference", "--check")
    run.check("links in the documentation", sys.executable, "tests/check_links.py")
    run.check("compatibility of the schemas", "scripts/compatibility")
    run.pytest("contract", "tests/contract")


def unit(run):
    for preset in ("release", "asan"):
        report = run.scratch / f"unit-{preset}.xml"
        run.say(f"running unit tests ({preset})")
        run.call("ctest", "--preset", preset, "-L", "unit", "-j", str(os.cpu_count() or 1), "--quiet", "--output-junit", report, "--output-on-failure")
        run.junit(f"unit tests ({preset})", report)


def manifests(run):
    run.pytest("manifests", "tests/k8s")


def client(run):
    package = ROOT / "clients/js"
    run.need("installing the client package's tools", "npm", "ci", "--no-audit", "--no-fund", cwd=package)
    run.node("client package", "npm", "test", cwd=package)


def integration(run):
    # Most of their time is waiting, for sessions of Kafka to end above all: one more at a time than there are processors.
    side_by_side = ("-n", str((os.cpu_count() or 1) + 1), "--dist", "loadgroup")
    run.pytest("integration", "tests/integration", "--ignore=tests/integration/test_main_job.py", "--durations=5", *side_by_side)


def main_job(run):
    run.pytest("main-job", "tests/integration/test_main_job.py", "--durations=5")


def chaos(run):
    run.pytest("chaos", "tests/chaos", "--durations=3")


def browser(run):
    folder = ROOT / "tests/browser"
    run.need("installing the browser driver", "npm", "ci", "--no-audit", "--no-fund", cwd=folder)
    run.node("browser", "npm", "test", cwd=folder)


PARTS = {
    "unit": unit,
    "style": style,
    "manifests": manifests,
    "client": client,
    "browser": browser,
    "integration": integration,
    "main-job": main_job,
    "chaos": chaos,
}


def main():
    parser = argparse.ArgumentParser(prog="./test", description="Builds and runs the tests, the fast kinds first. The last line adds them up.")
    parser.add_argument("part", nargs="*", help=f"only these: {', '.join(PARTS)}")
    arguments = parser.parse_args()
    unknown = [part for part in arguments.part if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]}; the parts are {', '.join(PARTS)}")
    run = Runner()
    try:
        build(run)
        for name, part in PARTS.items():
            if not arguments.part or name in arguments.part:
                part(run)
    except Failed as step:
        run.count(f"{step} (nothing after it was run)", 0, 1)
    finally:
        shutil.rmtree(run.scratch, ignore_errors=True)
    for failure in run.failures:
        print(f"test: {failure}", flush=True)
    print(f"{run.passed} passed, {run.failed} failed", flush=True)
    return 1 if run.failed or not run.passed else 0


if __name__ == "__main__":
    sys.exit(main())

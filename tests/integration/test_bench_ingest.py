"""bench/ingest: that it measures what it says, and leaves nothing behind. What it measures is no matter of passing or failing."""
import json
import os
import pathlib
import socket
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = ["--quick", "--single=2000", "--batched=5000", "--pace-s=1", "--kafka=embedded", "--no-node"]
RATIOS = ("batched_vs_librdkafka", "batched_vs_librdkafka_free", "single_vs_librdkafka")


def run(bin_dir, scratch, *arguments):
    scratch.mkdir(exist_ok=True)
    environment = {**os.environ, "FEEDWIRE_BIN": str(bin_dir), "TMPDIR": str(scratch)}
    return subprocess.run([ROOT / "bench/ingest", *arguments], env=environment, capture_output=True, text=True)


def test_a_small_run_gives_every_figure(bin_dir, tmp_path):
    file = tmp_path / "figures.json"
    done = run(bin_dir, tmp_path / "scratch", *SMALL, f"--json={file}")
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    for name in RATIOS:
        assert figures[name] > 0, name
        assert figures[name] == figures["spread"][name]["median"]
    assert "vs_node" not in figures
    for how in ("single", "batched"):
        for name in ("ingest", "librdkafka"):
            cost = figures["rounds"][0][how][name]
            assert cost["cpu_us"] > 0 and cost["per_s"] > 0
            assert abs(cost["cpu_us"] * cost["per_cpu_s"] / 1e6 - 1) < 1e-6
        times = figures["latency"][how]["ingest"]
        assert times["requests"] >= 100 and 0 < times["p50_ms"] <= times["p99_ms"] <= times["max_ms"]
    assert os.listdir(tmp_path / "scratch") == []


def test_what_cannot_be_measured_is_refused_with_a_sentence(bin_dir, tmp_path):
    for arguments, sentence in (
        (["--single=1"], "--single must be 2,000 to 10,000,000"),
        (["--pace-s=0"], "--pace-s must be 1 to 3,600"),
        (["--rounds=0"], "--rounds must be 1 to 1,000"),
        (["--kafka=embedded"], "--kafka=embedded needs --no-node"),
    ):
        done = run(bin_dir, tmp_path / "scratch", *arguments)
        assert done.returncode == 2 and sentence in done.stderr
    assert os.listdir(tmp_path / "scratch") == []


@pytest.fixture
def answering():
    """Makes servers that give one answer to whatever comes first; answers the port."""
    listeners, threads = [], []

    def start(status, body):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                connection.recv(1)  # until the client has closed

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return listener.getsockname()[1]

    yield start
    for thread in threads:
        thread.join(10)
    for listener in listeners:
        listener.close()


def load(bin_dir, port, tmp_path, command):
    token, activities = tmp_path / "token", tmp_path / "activities"
    token.write_text("t\n")
    activities.write_text('{"a":1}\n{"a":2}\n')
    program = [bin_dir / "feedwire-bench-load", f"--port={port}", f"--token={token}", f"--activities={activities}"]
    return subprocess.run(program, input=command + "\n", capture_output=True, text=True)


def test_the_client_counts_only_what_was_accepted(bin_dir, tmp_path, answering):
    """A refusal, or an answer for fewer activities than were sent, is no figure."""
    for status, body, sentence in (
        ("503 Service Unavailable", '{"accepted":0}', "a request was not accepted: HTTP/1.1 503"),
        ("202 Accepted", '{"accepted":1,"activities":[]}', "a request was not accepted: HTTP/1.1 202"),
    ):
        done = load(bin_dir, answering(status, body), tmp_path, "run 2 1 1")
        assert done.returncode == 1 and sentence in done.stderr and done.stdout == ""
    done = load(bin_dir, answering("202 Accepted", '{"accepted":2,"activities":[]}'), tmp_path, "run 2 1 1")
    assert done.returncode == 0 and json.loads(done.stdout)["activities"] == 2

"""bench/gateway: that it measures what it says, and leaves nothing behind. What it measures is no matter of passing or failing."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL = ["--quick", "--messages=8", "--connections=200", "--idle=400", "--herd=300"]
HEADLINES = ("cpu_per_msg_vs_floor", "burst_cpu_per_msg_vs_floor", "storm_vs_upgrades", "storm_reads_per_client")


def run(bin_dir, scratch, *arguments):
    scratch.mkdir(exist_ok=True)
    environment = {**os.environ, "FEEDWIRE_BIN": str(bin_dir), "TMPDIR": str(scratch)}
    return subprocess.run([ROOT / "bench/gateway", *arguments], env=environment, capture_output=True, text=True)


def test_a_small_run_gives_every_figure(bin_dir, tmp_path):
    file = tmp_path / "figures.json"
    done = run(bin_dir, tmp_path / "scratch", *SMALL, "--no-syscalls", f"--json={file}")
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    for name in HEADLINES:
        assert figures[name] > 0, name
        assert figures[name] == figures["spread"][name]["median"]
    assert "rss_kib_per_connection" in figures
    assert figures["storm_reads_per_client"] <= 1
    single, burst = figures["rounds"][0]["single"], figures["rounds"][0]["burst"]
    assert single["entries_per_frame"] >= 1 and burst["entries_per_frame"] > 1
    assert single["frame_bytes"] > 100
    assert os.listdir(tmp_path / "scratch") == []


def test_what_cannot_be_measured_is_refused_with_a_sentence(bin_dir, tmp_path):
    for arguments, sentence in (
        (["--messages=1"], "--messages must be 8 to 1,000"),
        (["--idle=300", "--herd=301"], "--herd must be 100 to 300"),
        (["--rounds=0"], "--rounds must be 1 to 1,000"),
    ):
        done = run(bin_dir, tmp_path / "scratch", *arguments)
        assert done.returncode == 2 and sentence in done.stderr

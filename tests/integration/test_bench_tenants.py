"""bench/tenants: that it measures what it says, and leaves nothing behind. What it measures is no matter of passing or failing."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_a_small_run_gives_every_figure(bin_dir, tmp_path):
    file, scratch = tmp_path / "figures.json", tmp_path / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "FEEDWIRE_BIN": str(bin_dir), "TMPDIR": str(scratch)}
    done = subprocess.run([ROOT / "bench/tenants", "--quick", "--seconds=2", f"--json={file}"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    one = figures["rounds"][0]
    assert figures["noisy_p99_ratio"] == figures["spread"]["noisy_p99_ratio"]["median"] > 0
    assert one["calm"]["limited"] == one["busy"]["limited"] == 0 and one["calm"]["activities"] == one["busy"]["activities"] == 200
    assert one["noisy"]["limited"] > one["noisy"]["activities"] > 0
    assert 0 < one["busy"]["p50_us"] <= one["busy"]["p99_us"] <= one["busy"]["max_us"]
    assert os.listdir(scratch) == []

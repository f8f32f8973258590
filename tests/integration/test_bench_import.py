"""bench/import: that it measures what it says, and leaves nothing behind. What it measures is no matter of passing or failing."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from feedwire_bench.graph_import import Cost, all_figures, graph  # noqa: E402


def run(bin_dir, scratch, *arguments):
    scratch.mkdir(exist_ok=True)
    environment = {**os.environ, "FEEDWIRE_BIN": str(bin_dir), "TMPDIR": str(scratch)}
    return subprocess.run([ROOT / "bench/import", *arguments], env=environment, capture_output=True, text=True)


def test_a_small_run_gives_every_figure(bin_dir, tmp_path):
    file = tmp_path / "figures.json"
    done = run(bin_dir, tmp_path / "scratch", "--quick", "--edges=1000", f"--json={file}")
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    assert all(figures[name] > 0 for name in ("redis_cpu_ratio", "fanout_cpu_ratio", "time_ratio"))
    for variant in ("single", "imported"):
        assert all(value > 0 for value in figures[variant].values())
    assert os.listdir(tmp_path / "scratch") == []


def test_ratios_are_of_one_round():
    costs = {"single": [Cost(10, 4, 40, 8, 0), Cost(10, 8, 400, 80, 0)], "imported": [Cost(10, 2, 10, 4, 1), Cost(10, 2, 100, 40, 1)]}
    figures = all_figures(costs)
    assert (figures["redis_cpu_ratio"], figures["fanout_cpu_ratio"], figures["time_ratio"]) == (4, 2, 3)


def test_the_graph_is_the_same_under_other_names():
    one, other = list(graph("a", 1000)), list(graph("b", 1000))
    assert len(set(one)) == 1000 and [[name[1:] for name in pair] for pair in one] == [[name[1:] for name in pair] for pair in other]
    assert all(actor != followed for actor, followed in one)


def test_what_cannot_be_measured_is_refused_with_a_sentence(bin_dir, tmp_path):
    done = run(bin_dir, tmp_path / "scratch", "--edges=10")
    assert done.returncode == 2 and "--edges must be 1,000 or more" in done.stderr

"""bench/fanout: that it measures what it says, and leaves nothing behind. What it measures is no matter of passing or failing."""
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from feedwire_bench.figures import VARIANTS, all_figures  # noqa: E402
from feedwire_bench.shards import Turn, figures_of  # noqa: E402
from feedwire_bench.steady import Cost  # noqa: E402

SMALL = ["--quick", "--writes=20000"]
HEADLINES = ("vs_function_limit", "vs_plain_commands", "worker_cpu_vs_redis_cpu", "writes_per_redis_cpu_s")


@pytest.fixture
def environment(bin_dir, tmp_path):
    """The programs that are built, and a folder for everything that the benchmark writes."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return {**os.environ, "FEEDWIRE_BIN": str(bin_dir), "TMPDIR": str(scratch)}


def left_behind(environment):
    """Files, and running programs that were told of them."""
    scratch = environment["TMPDIR"]
    running = []
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if scratch.encode() in file.read_bytes():
                running.append(file.parent.name)
        except OSError:
            pass  # it has just ended
    return os.listdir(scratch) + running


def check_spread(value):
    assert 0 < value["low"] <= value["median"] <= value["high"]


def test_a_small_run_gives_figures_for_every_number_of_followers(environment, tmp_path):
    file = tmp_path / "figures.json"
    done = subprocess.run([ROOT / "bench/fanout", *SMALL, "--only=writes", "--only=broadcast", f"--json={file}"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    assert figures["broadcast_1m_vs_60k"]["commands_ratio"] == pytest.approx(1, rel=0.01)  # a question now and then is not about an activity
    for name in HEADLINES:
        assert figures[name] > 0
        check_spread(figures["spread"][name])
    assert [(row["followers"], row["feeds"]) for row in figures["workloads"]] == [
        (10, "full"), (100, "full"), (1_000, "full"), (50_000, "full"), (1_000, "growing")]
    for row in figures["workloads"]:
        for name in ("vs_function_limit", "vs_plain_commands", "worker_cpu_vs_redis_cpu"):
            check_spread(row[name])
        for variant in VARIANTS:
            assert row[variant]["writes_measured"] > 0
            for name in ("writes_per_redis_cpu_s", "redis_cpu_us_per_write", "writes_per_s"):
                check_spread(row[variant][name])
    assert figures["settings"]["writes"] == 20_000 and figures["machine"]["redis"]
    assert left_behind(environment) == []


def test_a_small_run_tells_of_fairness_and_shards(environment, tmp_path):
    file = tmp_path / "figures.json"
    done = subprocess.run([ROOT / "bench/fanout", *SMALL, "--only=fairness", "--only=shards", f"--json={file}"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    fairness = figures["fairness"]
    for state in ("calm_ms", "busy_ms"):
        assert 0 < fairness[state]["median"] <= fairness[state]["p99"]
    assert fairness["probes"] == 200 and fairness["p99_ratio"] > 0
    assert [row["shards"] for row in figures["shards"]] == [1, 2, 3]
    for row in figures["shards"]:
        # The feeds are spread by their slots: each shard has its part of the calls.
        assert min(row["calls_by_shard"]) > 0.5 * sum(row["calls_by_shard"]) / row["shards"]
        assert row["writes_per_busiest_redis_cpu_s"] >= row["writes_per_redis_cpu_s"] > 0
    assert left_behind(environment) == []


def test_an_interrupted_run_leaves_nothing_behind(environment):
    bench = subprocess.Popen([ROOT / "bench/fanout", *SMALL], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in bench.stderr:
        if "making the graph" in line:  # all its servers run
            break
    else:
        pytest.fail(f"it ended with exit code {bench.wait()} before its servers ran")
    assert left_behind(environment)
    bench.send_signal(signal.SIGINT)
    bench.stderr.read()
    assert bench.wait() == 130
    assert left_behind(environment) == []


def test_an_option_that_does_not_exist_is_refused(environment):
    done = subprocess.run([ROOT / "bench/fanout", "--quik"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "--quik" in done.stderr


def test_capacity_is_what_the_busiest_shard_allows():
    alone = [Turn(1_000, [1_000], [0.010], 0.001), Turn(1_000, [1_000], [0.020], 0.001)]
    two = [Turn(1_000, [600, 400], [0.006, 0.004], 0.002), Turn(1_000, [600, 400], [0.012, 0.008], 0.002)]
    figures = figures_of(two, alone)
    assert figures["capacity_vs_one_shard"] == pytest.approx(10 / 6)
    assert figures["busiest_share"] == pytest.approx(0.6)
    assert figures["calls_by_shard"] == [1_200, 800]
    assert figures["fanout_cpu_us_per_write"] == pytest.approx(2)


def test_figures_are_ratios_within_a_round_in_which_all_workloads_count_the_same():
    def costs(*redis_cpu_s):
        return [Cost(writes=1_000, seconds=1, redis_cpu_s=each, driver_cpu_s=each / 4) for each in redis_cpu_s]

    # The second round is slower in all variants, by as much: that must not show in the ratios.
    small = {"fanout": costs(0.010, 0.020), "function": costs(0.009, 0.018), "plain": costs(0.006, 0.012)}
    # As many writes as the others would have cost 0.030, 0.027 and 0.018 s.
    large = {variant: [Cost(2 * c.writes, c.seconds, 6 * c.redis_cpu_s, 6 * c.driver_cpu_s) for c in of] for variant, of in small.items()}
    growing = {variant: costs(1, 1) for variant in VARIANTS}
    figures = all_figures({(10, "full"): small, (100, "full"): large, (100, "growing"): growing})
    assert figures["spread"]["vs_function_limit"] == {"median": 0.9, "low": 0.9, "high": 0.9}
    assert figures["vs_plain_commands"] == 0.667
    assert figures["worker_cpu_vs_redis_cpu"] == 0.25
    assert figures["spread"]["writes_per_redis_cpu_s"] == {"median": 37_500, "low": 25_000, "high": 50_000}
    assert figures["workloads"][1]["fanout"]["redis_cpu_us_per_write"] == {"median": 45.0, "low": 30.0, "high": 60.0}
    assert figures["workloads"][2]["vs_function_limit"]["median"] == 1

"""The acceptance run of fan-out in small: every kind of fault once or twice, in about a minute. The full one is started by hand: tests/chaos/fanout."""

from feedwire_chaos.faults import Plan
from feedwire_chaos.run import Run

SMALL = Plan(kills=1, rolling=1, failovers=1, reshards=1, outages=1, freezes=1, outage_s=2, moved_slots=80)


SEED = 13  # with it a rolling restart comes right behind a worker that stood still, so that one is stopped while partitions move


def test_feeds_equal_the_oracle_whatever_dies_meanwhile(tmp_path):
    run = Run(tmp_path, seed=SEED, activities=600, followers=800, plan=SMALL, clients=60)
    assert run.go() == 0, run.report.said

"""The oracle and the comparison themselves: that a right feed passes, and that whatever may be wrong with one is found."""

import pytest
from feedwire_chaos import check
from feedwire_chaos.oracle import CAP, Expected, Oracle, newest
from feedwire_chaos.workload import BIG, Act, Poison, Workload

ACTIVITIES = 1_500


@pytest.fixture(scope="module")
def workload():
    return Workload(3, ACTIVITIES)


@pytest.fixture(scope="module")
def oracle(workload):
    return Oracle(workload)


def key(n):
    return n, bytes(16)


def right(expected):
    """The feed that nothing has disturbed: what was hidden never took a place."""
    return sorted(newest(set(expected.sure) | expected.marks) & set(expected.sure), reverse=True)


class Feeds:
    """Stands for Redis: the feeds as they should be, but for what a test changes."""

    def __init__(self, workload, oracle):
        self._homes = {user: right(oracle.home(user)) for user in workload.people}
        self._notifications = {user: right(oracle.notifications(user)) for user in workload.people}
        self.of = {"f": self._homes, "n": self._notifications}

    def homes(self, users, hidden):
        return self._homes, {}

    def notifications(self, users):
        return self._notifications

    def timelines(self, prefix, users):
        return {user: ({}, set()) for user in users}

    def call(self, *words):
        return []


def wrong(feeds, workload, oracle):
    said = []
    report = check.Report(said.append)
    check.compare(feeds, oracle, workload.people, report, rebuilt=False)
    return report.count, "\n".join(said)


def test_the_same_seed_gives_the_same_bytes(workload):
    def texts(work):
        return [repr((record.kind, record.value)) if isinstance(record, Poison) else repr((record.ident, record.verb, record.actor)) for record in work.follows + work.settings + work.acts]

    assert texts(Workload(3, ACTIVITIES)) == texts(workload)
    assert texts(Workload(4, ACTIVITIES)) != texts(workload)


def test_the_load_has_what_it_should_have(workload, oracle):
    acts = list(workload.everything())
    assert sum(act.verb == "follow" and act.object_id == BIG for act in acts) >= ACTIVITIES
    assert {act.verb for act in acts} >= {"follow", "undo", "unfollow", "mute", "unmute", "block", "filter", "post"}
    assert len([record for record in workload.acts if isinstance(record, Act)]) > len({id(record) for record in workload.acts if isinstance(record, Act)}), "some are sent twice"
    assert len({record.kind for record in workload.poison()}) > 5
    homes = [oracle.home(user) for user in workload.people]
    assert sum(len(expected.sure) > CAP for expected in homes) > 10, "some feeds overflow"
    assert sum(expected.exact for expected in homes) > 0.95 * len(homes)
    assert sum(len(expected.marks) > 0 for expected in homes) > 100


def test_right_feeds_pass(workload, oracle):
    assert wrong(Feeds(workload, oracle), workload, oracle)[0] == 0


@pytest.mark.parametrize("prefix", ["f", "n"])
@pytest.mark.parametrize("spoil, what", [
    (lambda feed: feed.pop(), "is missing"),
    (lambda feed: feed.pop(0), "is missing"),
    (lambda feed: feed.insert(0, feed[0]), "or there twice"),
    (lambda feed: feed.reverse(), "out of order"),
    (lambda feed: feed.insert(0, (feed[0][0] + 1, bytes(16))), "must not be there"),
], ids=["the oldest is missing", "the newest is missing", "twice", "out of order", "a stranger"])
def test_one_wrong_feed_among_all_is_found(workload, oracle, prefix, spoil, what):
    feeds = Feeds(workload, oracle)
    user = next(user for user in workload.people if len(feeds.of[prefix][user]) > 1 and oracle.home(user).exact)
    spoil(feeds.of[prefix][user])
    count, text = wrong(feeds, workload, oracle)
    assert count == 1 and user in text and what in text


def test_an_undone_act_that_is_still_there_is_found(workload, oracle):
    feeds = Feeds(workload, oracle)
    user, undone = next((user, max(marks)) for user in workload.people if (marks := oracle.home(user).marks))
    feeds.of["f"][user] = sorted(feeds.of["f"][user] + [undone], reverse=True)[:CAP]
    count, text = wrong(feeds, workload, oracle)
    assert count == 1 and "must not be there" in text and "undone: True" in text


def test_a_mark_takes_the_place_of_an_entry():
    expected = Expected(sure={key(n): None for n in range(1, 111)}, marks={key(200)})
    full = [key(n) for n in range(110, 11, -1)]
    assert expected.problems(full) == []
    assert expected.problems(full + [key(11)]) == [("is beyond the newest 100", key(11))]
    assert expected.problems(full[:-1]) == [("is missing", key(12))]


def test_what_was_hidden_late_may_have_cost_the_oldest_ones_and_no_others():
    expected = Expected(sure={key(n): None for n in range(1, 101)}, passed={key(200), key(201)})
    feed = [key(n) for n in range(100, 0, -1)]
    assert not expected.exact
    assert expected.problems(feed) == expected.problems(feed[:-2]) == []
    assert expected.problems(feed[:-3]) == [("is missing", key(3))]
    assert expected.problems([key(200)] + feed[:-1]) == [("must not be there", key(200))]


def test_what_was_kept_may_be_there_or_not():
    expected = Expected(sure={key(n): None for n in range(1, 11)}, maybe={key(20): None})
    feed = [key(n) for n in range(10, 0, -1)]
    assert expected.problems(feed) == expected.problems([key(20)] + feed) == []
    assert expected.problems(feed[1:]) == [("is missing", key(10))]

"""Pages of followers, by the functions of schemas/redis/feedwire_v1.lua on a real redis-server: the rules of schemas/redis.md, "Pages of followers"."""
import random

import pytest
from test_redis_functions import redis, server  # noqa: F401  (fixtures)

LIMIT = 5
USERS = [f"user-{i}" for i in range(60)]


def keys(page):
    return [f"{letter}:{{demo/bob/{page}}}" for letter in "gklq"]


class Edges:
    """Calls about edges, as a worker makes them: from page 0 to where the edge belongs."""

    def __init__(self, redis):
        self.redis = redis

    def call(self, function, user, *times, limit=None):
        page, carried = 0, (0, 0, 0)
        while True:
            tail = () if limit is None else (limit,)
            answer = self.redis("FCALL", f"feedwire_v1_{function}", 4, *keys(page), user, *times, page, *carried, *tail)
            if answer[0] != -1:
                return answer, page
            assert answer[1] > page
            page, carried = answer[1], answer[2:5]

    def follow(self, user, time_ms):
        return self.call("follow", user, time_ms, limit=LIMIT)

    def unfollow(self, user, time_ms):
        return self.call("unfollow", user, time_ms, limit=LIMIT)

    def sever(self, user, time_ms):
        return self.call("sever", user, time_ms, limit=LIMIT)

    def edge(self, user):
        return self.call("edge", user)[0]

    def pages(self):
        """{page: followers} by the levels that the pages tell, as a walk reads them."""
        found, waiting = {}, [0]
        while waiting:
            page = waiting.pop()
            level, *rest = self.redis("FCALL_RO", "feedwire_v1_followers", 2, keys(page)[0], keys(page)[3], "inf", 10_000, page)
            found[page] = {user.decode() for user in rest[1:]}
            waiting += [page | 1 << bit for bit in range(page.bit_length(), level)]
        return found

    def followers(self):
        return set().union(*self.pages().values())


def split(edges, page, todo, level, part=3):
    """What a worker does for a page; a generator, so that a test can let it stand still after each command."""
    redis = edges.redis
    if todo == 3:
        parent, child = page, page | 1 << level
        redis("FCALL", "feedwire_v1_page_fill", 1, keys(child)[3], 1)
        yield
        split_now = redis("FCALL", "feedwire_v1_page_split", 4, *keys(parent), parent, level, LIMIT) > level
        yield
    else:
        parent, child = (page, page | 1 << level - 1) if todo == 1 else (page - (1 << page.bit_length() - 1), page)
        split_now = True
    place, done, moved = ("", ""), [], False
    while split_now:
        if place[0] == "":
            moved = False
        answer = [x.decode() if isinstance(x, bytes) else x for x in redis("FCALL", "feedwire_v1_page_take", 4, *keys(parent), child, part, *place, *done)]
        yield
        place, rows, done = answer[:2], answer[2:], []
        if rows:
            joined = redis("FCALL", "feedwire_v1_page_join", 4, *keys(child), child, *rows)
            done = [user for user, good in zip(rows[::4], joined) if good]
            moved = moved or bool(done)
            yield
        if place[0] == "" and not moved:
            break
    redis("FCALL", "feedwire_v1_page_fill", 1, keys(child)[3], 0)


def do_all(work):
    for _ in work:
        pass


def follow_and_split(edges, user, time_ms):
    (_, _, _, _, todo, level), page = edges.follow(user, time_ms)
    if todo:
        do_all(split(edges, page, todo, level))


@pytest.fixture
def edges(redis):  # noqa: F811
    return Edges(redis)


def test_one_page_wants_nothing_until_it_is_too_large(edges):
    for n, user in enumerate(USERS[:LIMIT], 1):
        assert edges.follow(user, 10 + n) == ([1, 10 + n, 0, n, 0, 0], 0)
    assert edges.follow(USERS[LIMIT], 50) == ([1, 50, 0, LIMIT + 1, 3, 0], 0)
    assert edges.unfollow(USERS[0], 60)[0] == [1, 0, 60, LIMIT, 0, 0]


def test_pages_grow_into_a_tree_and_stay_bounded(edges, redis):  # noqa: F811
    for n, user in enumerate(USERS):
        follow_and_split(edges, user, 10 + n)
    pages = edges.pages()
    assert edges.followers() == set(USERS) and sum(len(found) for found in pages.values()) == len(USERS)
    assert len(pages) > len(USERS) // LIMIT
    assert max(len(found) for found in pages.values()) <= 2 * LIMIT  # a page whose edges all went to one side waits for the next follow
    assert not any(redis("HMGET", keys(page)[3], "moving", "filling") != [None, None] for page in pages)
    for n, user in enumerate(USERS):
        assert edges.edge(user) == [10 + n, 0, 0]


def test_an_edge_goes_with_its_ends_and_its_newest_follow(edges):
    edges.follow("ann", 10), edges.follow("ann", 30)
    edges.follow("cy", 10), edges.unfollow("cy", 20)
    for n, user in enumerate(USERS):
        follow_and_split(edges, user, 100 + n)
    assert edges.edge("ann") == [10, 0, 30] and edges.edge("cy") == [0, 20, 0]
    assert edges.unfollow("ann", 20)[0][:3] == [0, 30, 20]
    assert edges.edge("ann") == [30, 20, 0]
    assert edges.sever("ann", 5)[0][:3] == [1, 0, 30]


def test_how_many_followers_there_are_is_told_by_any_page(edges):
    """Exactly by one page; by one of many within what chance does to it; not at all while edges move."""
    for n in range(4000):
        (_, _, _, followers, todo, level), page = edges.call("follow", f"u{n}", 10 + n, limit=400)
        assert followers == n + 1 if page == 0 and level == 0 else followers == 0 or 0.7 * n < followers < 1.4 * n, (n, page, level, followers)
        if todo == 3:
            work = split(edges, page, todo, level, part=120)
            next(work), next(work)  # raised
            assert edges.call("follow", f"u{n}", 10 + n, limit=400)[0][3] == 0
            do_all(work)


def test_what_cannot_be_reached_through_the_levels_is_empty(edges, redis):  # noqa: F811
    """A shard that lost a page loses what stood there and nothing else, and takes edges again."""
    for n, user in enumerate(USERS):
        follow_and_split(edges, user, 10 + n)
    page, lost = max(edges.pages().items())
    redis("DEL", *keys(page))
    assert edges.followers() == set(USERS) - lost
    for user in lost:
        assert edges.follow(user, 500)[0][:3] == [1, 500, 0]
    assert edges.followers() == set(USERS)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_stands_still_or_comes_late_no_edge_is_lost_or_comes_back(edges, seed):
    """Follows, unfollows and blocks in a random order, with several workers at splits, each of which stands still now and then, is repeated
    from somewhere, or is never heard of again. Each edge is at any time as if it stood in one page alone."""
    chance = random.Random(seed)
    alone, at_work, times = {}, [], {}
    for step in range(400):
        user = chance.choice(USERS[:30])
        times[user] = time_ms = max(1, times.get(user, 10) + chance.randint(-3, 10))
        act = chance.choice(["follow", "follow", "follow", "unfollow", "sever"])
        (state, since, ended, _, todo, level), page = getattr(edges, act)(user, time_ms)
        expected = alone.setdefault(user, Alone())
        assert (state, since) == getattr(expected, act)(time_ms), (seed, step, act, user, time_ms)
        assert edges.edge(user) == expected.times()
        if todo and chance.random() < 0.7:
            at_work.append(split(edges, page, todo, level, part=chance.randint(1, 4)))
        for work in chance.sample(at_work, min(len(at_work), 3)):
            for _ in range(chance.randint(0, 6)):
                if next(work, "end") == "end" or chance.random() < 0.02:
                    at_work.remove(work)
                    break
        if step % 20 == 0:
            assert {user for user, edge in alone.items() if edge.since} <= edges.followers()
    while at_work:
        do_all(at_work.pop(chance.randrange(len(at_work))))
    for user, expected in alone.items():
        assert edges.edge(user) == expected.times()
    assert max(edges.pages()) > 3


class Alone:
    """An edge by its rules: since, ended, newest follow."""

    def __init__(self):
        self.since = self.ended = self.latest = 0

    def times(self):
        return [self.since, self.ended, self.latest]

    def _end(self, time_ms):
        self.ended = max(self.ended, time_ms)
        left = [time for time in (self.since, self.latest) if time > self.ended]
        self.since, self.latest = (left[0] if left else 0), (left[1] if len(left) > 1 else 0)

    def follow(self, time_ms):
        if time_ms <= self.ended:
            return 0, self.ended
        state = 2 if self.since else 1
        follows = [time for time in (self.since, self.latest, time_ms) if time]
        self.since = min(follows)
        self.latest = max(follows) if max(follows) > self.since else 0
        return state, self.since

    def unfollow(self, time_ms):
        had = self.since
        self._end(time_ms)
        return (2 if not had else 0 if self.since else 1), self.since

    def sever(self, time_ms):
        had = self.since
        self._end(max(time_ms, self.since, self.latest))
        return (1 if had else 0), 0

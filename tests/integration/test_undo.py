"""Undo from end to end: a DELETE over HTTP, seen by clients that are connected and by those that come back."""
import pytest
from whole_stack import TTL_S, Stack


@pytest.fixture
def stack(embedded_broker, redis_server, daemon, make_token):
    return Stack(embedded_broker, redis_server, daemon, make_token)


def test_what_is_deleted_leaves_every_screen_and_stays_away(stack, daemon):
    stack.send("ann", "follow", "bob")
    stack.settle()
    ann, cy = stack.viewer("ann"), stack.viewer("cy", "notifications")
    kept = stack.send("bob", "post", "p1")
    gone = stack.send("bob", "post", "p2", to=["cy"])
    ann.until_ids([gone, kept])
    cy.until_ids([gone])
    elsewhere = ann.position  # another device of ann's, that stopped here
    stack.delete("bob", gone)
    ann.until_ids([kept])
    cy.until_ids([])
    removed = [m for m in ann.messages if m["type"] == "remove"]
    assert removed == [{"type": "remove", "feed": "home", "ids": [gone], "final": True, "position": ann.position}]

    back = stack.viewer("ann", position=elsewhere)
    assert (back.outcome, back.ids) == ("window", [kept])
    assert stack.viewer("ann", position=ann.position).outcome == "current"
    assert stack.viewer("ann").ids == [kept]

    stack.delete("bob", gone)  # again
    stack.send("dan", "follow", "bob")
    stack.settle()
    assert stack.viewer("dan").ids == [kept]
    assert stack.viewer("ann", position=ann.position).outcome == "current"


def test_an_undone_follow_goes_on_following(stack):
    follow = stack.send("ann", "follow", "bob")
    bob = stack.viewer("bob", "notifications")
    bob.until_ids([follow])
    stack.delete("ann", follow)
    bob.until_ids([])
    post = stack.send("bob", "post", "p1")
    stack.viewer("ann").until_ids([post])


def test_a_replay_of_the_log_brings_nothing_back(stack, daemon, redis_server):
    stack.send("ann", "follow", "bob")
    kept, gone = stack.send("bob", "post", "p1"), stack.send("bob", "post", "p2", to=["cy", "ann"])
    stack.delete("bob", gone)
    stack.settle()
    keys = ("f:{demo/ann}", "n:{demo/cy}", "n:{demo/ann}", "o:{demo/bob}")
    ann = stack.viewer("ann")
    assert ann.ids == [kept]
    before = [stack.redis.zrange(key, 0, -1, withscores=True) for key in keys]
    stack.fanout.kill9()
    again = daemon("fanout", **{"kafka.brokers": stack.broker.bootstrap, "redis.url": redis_server.url, "kafka.group": "once-more", "feed.ttl_s": TTL_S})
    stack.fanout = again
    stack.settle()
    assert [stack.redis.zrange(key, 0, -1, withscores=True) for key in keys] == before
    assert not any(m["type"] in ("push", "remove") for m in ann.messages)


# ---- unfollow ----


def test_an_unfollow_purges_and_following_again_backfills(stack):
    follow = stack.send("ann", "follow", "bob")
    posts = [stack.send("bob", "post", f"p{i}") for i in range(3)]
    ann = stack.viewer("ann")
    ann.until_ids(posts[::-1])
    stack.send("ann", "unfollow", "bob")
    ann.until_ids([])
    assert {m["final"] for m in ann.messages if m["type"] == "remove"} == {False}
    assert stack.viewer("ann").ids == []
    missed = stack.send("bob", "post", "p9")
    stack.settle()
    assert stack.viewer("ann").ids == []
    stack.send("ann", "follow", "bob")
    ann.until_ids([missed, *posts[::-1]])
    assert follow


def test_kept_entries_stay_but_can_be_undone(stack):
    stack.send("ann", "follow", "bob")
    kept, gone = stack.send("bob", "post", "p1"), stack.send("bob", "post", "p2")
    ann = stack.viewer("ann")
    ann.until_ids([gone, kept])
    stack.send("ann", "unfollow", "bob", data={"entries": "keep"})
    stack.send("bob", "post", "p3")
    stack.delete("bob", gone)
    ann.until_ids([kept])
    stack.settle()
    assert stack.viewer("ann").ids == [kept]

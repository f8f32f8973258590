"""Mutes, blocks, left out verbs and one's own acts, from end to end."""
import pytest
from whole_stack import Stack


@pytest.fixture
def stack(embedded_broker, redis_server, daemon, make_token):
    return Stack(embedded_broker, redis_server, daemon, make_token, partitions=2)


def test_a_muted_person_leaves_the_feeds_until_the_mute_ends(stack):
    stack.send("ann", "follow", "bob")
    stack.settle()
    ann, told = stack.viewer("ann"), stack.viewer("ann", "notifications")
    first = stack.send("bob", "post", "p1", to=["ann"])
    ann.until_ids([first])
    told.until_ids([first])
    stack.send("ann", "mute", "bob")
    ann.until_ids([])
    told.until_ids([])
    stack.send("bob", "post", "p2", to=["ann"])
    stack.settle()
    stack.send("ann", "unmute", "bob")
    stack.settle()
    third = stack.send("bob", "post", "p3", to=["ann"])
    ann.until_ids([third])
    told.until_ids([third])
    assert stack.viewer("ann").ids == [third]


def test_blocked_people_see_nothing_of_each_other(stack):
    stack.send("ann", "follow", "bob")
    stack.send("bob", "follow", "ann")
    stack.settle()
    ann, bob = stack.viewer("ann"), stack.viewer("bob")
    one = stack.send("ann", "post", "p1")
    two = stack.send("bob", "post", "p2")
    bob.until(lambda: one in bob.ids, "ann's post")
    ann.until(lambda: two in ann.ids, "bob's post")
    stack.send("ann", "block", "bob")
    ann.until_ids([])
    bob.until_ids([])
    stack.send("bob", "follow", "ann")
    stack.send("bob", "post", "p3", to=["ann"])
    stack.send("ann", "post", "p4", to=["bob"])
    stack.settle()
    for user in ("ann", "bob"):
        assert stack.viewer(user).ids == []
        assert stack.viewer(user, "notifications").ids == []
    stack.send("ann", "unblock", "bob")
    stack.settle()
    stack.send("ann", "follow", "bob")
    five = stack.send("bob", "post", "p5")
    ann.until(lambda: five in ann.ids, "bob's post after the end of the block")


def test_left_out_verbs(stack):
    stack.send("ann", "follow", "bob")
    stack.send("ann", "filter", "home", kind="feed", data={"exclude": ["like"]})
    stack.settle()
    ann = stack.viewer("ann")
    stack.send("bob", "like", "p1")
    post = stack.send("bob", "post", "p2")
    ann.until_ids([post])
    stack.settle()
    stack.send("ann", "filter", "home", kind="feed", data={"exclude": []})
    stack.settle()
    like = stack.send("bob", "like", "p3")
    ann.until_ids([like, post])


def test_these_are_private_acts(stack):
    stack.send("cy", "follow", "ann")
    stack.settle()
    for verb in ("mute", "unmute", "block", "unblock"):
        stack.send("ann", verb, "bob")
    stack.send("ann", "filter", "home", kind="feed", data={"exclude": ["like"]})
    stack.settle()
    assert stack.viewer("cy").ids == []
    assert stack.viewer("bob", "notifications").ids == []
    assert stack.redis.exists("o:{demo/ann}") == 0


def test_ones_own_acts(embedded_broker, redis_server, daemon, make_token):
    stack = Stack(embedded_broker, redis_server, daemon, make_token, **{"home.own": "true"})
    post = stack.send("ann", "post", "p1")
    ann = stack.viewer("ann")
    ann.until_ids([post])
    stack.delete("ann", post)
    ann.until_ids([])

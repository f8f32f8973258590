"""A broadcast author on a screen that stays connected while the author crosses the threshold up and down."""
from whole_stack import Stack


def test_a_crossing_is_seen_by_nobody(embedded_broker, redis_server, daemon, make_token):
    stack = Stack(embedded_broker, redis_server, lambda name, **options: daemon(name, **options, **(
        {"fanout.broadcast_threshold": 3, "fanout.broadcast_return_percent": 100} if name == "fanout" else {})), make_token)
    for fan in ("ann", "cy"):
        stack.send(fan, "follow", "star")
    posts = [stack.send("star", "post", "p0")]
    ann = stack.viewer("ann")
    ann.until_ids(posts[::-1])
    stack.send("dan", "follow", "star")
    stack.settle()
    posts.append(stack.send("star", "post", "p1"))
    ann.until_ids(posts[::-1])
    assert stack.redis.hget("a:{demo/star}", "broadcast") == b"on"
    assert stack.redis.zcard("f:{demo/ann}") == 2, "the reserved member and what was copied before"
    stack.send("dan", "unfollow", "star")
    stack.settle()
    posts.append(stack.send("star", "post", "p2"))
    ann.until_ids(posts[::-1])
    assert stack.redis.hget("a:{demo/star}", "broadcast") is None
    assert stack.viewer("ann").ids == posts[::-1]

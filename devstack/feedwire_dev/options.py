"""The options of ./run."""

import argparse
import os
import urllib.parse

PAGE_PORT = 8000
EPILOG = """By default Redis and Kafka are private ones that live as long as this run. With --kafka=HOST:PORT the topics `activities`,
`activities.dlq`, `graph` and `feed.commands` are made when they are missing. A Redis URL with a password goes into the environment variable FEEDWIRE_REDIS_URL, because every
user of the machine can read command lines."""


def has_password(url: str) -> bool:
    try:
        return urllib.parse.urlsplit(url).password is not None
    except ValueError:
        return "@" in url


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run",
        description="Sets up, builds and starts the whole of Feedwire on this machine, and plays a real data set in.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--once", action="store_true", help="end after the play-in, with a summary and an exit code")
    parser.add_argument("--kafka", default="embedded", metavar="WHICH", help="embedded (default), apache for a real Apache Kafka on this machine, or HOST:PORT of yours")
    parser.add_argument("--redis", default="", metavar="URL", help="use this Redis instead of a private one: redis://HOST:PORT")
    parser.add_argument("--port", type=int, default=PAGE_PORT, metavar="N", help=f"of the demo page (default {PAGE_PORT}; another one when it is taken)")
    parser.add_argument("--no-play", action="store_true", help="do not play the data set in")
    parser.add_argument("--limit", type=int, metavar="N", help="play in only the first N activities")
    parser.add_argument("--json", metavar="FILE", help="write the figures of the play-in into this file")
    options = parser.parse_args(argv)
    if options.once and options.no_play:
        parser.error("--once ends after the play-in, so it needs one")
    if options.limit is not None and options.limit < 1:
        parser.error("--limit must be 1 or more")
    if not 1 <= options.port <= 65535:
        parser.error("--port must be a number from 1 to 65535")
    if options.kafka not in ("embedded", "apache") and not options.kafka.rpartition(":")[2].isdigit():
        parser.error("--kafka must be embedded, apache or HOST:PORT")
    if has_password(options.redis):
        parser.error("a URL with a password does not belong on a command line; use FEEDWIRE_REDIS_URL=.. ./run")
    options.redis = options.redis or os.environ.get("FEEDWIRE_REDIS_URL", "")
    return options

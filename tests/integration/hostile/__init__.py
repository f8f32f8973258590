"""What strangers and broken clients send, each with the one right answer. The rows are named after the kinds of attack:

S1 foreign origins, S7 tokens where none belong, S16 requests that hide others, S17 heads, S18 paths, S19 injection into answers, S20 names that
would be other keys, S22 headers that look internal, S24 idempotency keys, S26 injection into logs, S29 JSON, S30 compressed bodies, S31 feeds.

Tables only: tests/integration/test_hostile.py sends them. Credentials have their own, schemas/vectors/credentials.json (S2-S6), and so have
names (schemas/vectors/names.json, used here too)."""

"""The acceptance run of fan-out: everything goes wrong while feeds are written, and afterwards every feed is compared with an oracle."""

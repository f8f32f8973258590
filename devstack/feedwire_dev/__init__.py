"""The development stack of Feedwire: starts the real programs on this machine, plays real data in, and serves the demo page.

Standard library only, so that ./run needs no package installer. The integration tests start their servers with the same
modules."""

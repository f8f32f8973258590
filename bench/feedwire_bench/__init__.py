"""Benchmarks of the real programs against the real servers, with the modules of the development stack. Standard library only, so that they run
after ./run has set the machine up."""

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs the tests of tests/guest inside guests, as part of an ordinary pytest run.

The host's pytest collects them like all others, as often as there are kernels
to test (--kernels). Tests that want the same guest share one boot of it: a
second pytest, which stays warm in there, runs what it is told by name and sends
its reports back (worker.py). Whatever the guest's kernel has to say against a
test, and a guest that dies, becomes that test's failure.
"""

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs the tests of tests/guest inside guests, as part of an ordinary pytest run.

The host's pytest collects them like all other tests, once for each kernel to test
(--kernels). Tests that need the same guest share one boot of it: a second pytest
keeps running in the guest, runs the tests that the host names, and sends back their
reports (worker.py). If the guest's kernel reports a problem during a test, or if
the guest dies, the test fails.
"""

# SPDX-License-Identifier: MIT
"""Programs that run bare and under rules, and must print the same: see policy.h."""

import errno
import os

RULED = "RULED" in os.environ
DENIED = os.environ.get("DENIED")


def outcome(call):
    """What a call gives, or the name of its error."""
    try:
        return call()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


def show(what, call):
    print("%s: %s" % (what, outcome(call)), flush=True)


def deny(what, call):
    """Under the rules this call is denied; bare it succeeds."""
    result = outcome(call)
    failed = isinstance(result, str) and result.startswith("E")
    if (result == DENIED) if DENIED else not failed:
        result = "as it should be"
    print("%s: %s" % (what, result), flush=True)


def expect(is_true, what):
    if not is_true:
        print("not true: %s" % (what,), flush=True)

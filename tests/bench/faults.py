# SPDX-License-Identifier: MIT
"""faults.py - what limits and faults cost while they let calls go.

Both ways are recorded; one has the rule, whose turn or limit does not come. Limits that the
kernel keeps cost what it takes to tell it; the others are counted, call by call."""

from measure import (MORE, SOME, against, instructions, nanoseconds, ratio, say, system_calls)
from rules import CYCLE, Ruled, addresses

GOAL_NS = 100

NEVER = "when 1000000000"
PAIR, SOCKET = "write + read on a connection", "socket + close"
MANY = "\n".join([addresses(i) for i in range(1, 1001)] +
                 [f"fail connect tcp 10.9.9.{i}:443 error ETIMEDOUT" for i in range(10)])

# row of work.c, what it does, the rules, calls of a round that they count; None: the kernel's
ROWS = [
    ("write", f"{PAIR}; `fail send`, not its turn", f"fail send error ECONNRESET {NEVER}", 1),
    ("write", f"{PAIR}; `fail recv`, not its turn", f"fail recv error ECONNRESET {NEVER}", 1),
    ("write", f"{PAIR}; `fail send` to another port", "fail send tcp :1 error EPIPE", 1),
    ("write", f"{PAIR}; `fail send`, drawn", "fail send error ECONNRESET probability 0%", 1),
    ("socket", f"{SOCKET}; `fail socket`, not its turn", f"fail socket error ENOBUFS {NEVER}", 1),
    ("socket", f"{SOCKET}; `fail socket after 10h`", "fail socket error ENOBUFS after 10h", 1),
    ("socket", f"{SOCKET}; `fail socket while 1000`", "fail socket error ENOBUFS while 1000", 2),
    ("socket", f"{SOCKET}; `limit memory`, not its turn", f"limit memory {NEVER}", 1),
    ("socket", f"{SOCKET}; `limit sockets 1000`", "limit sockets 1000", 2),
    ("socket", f"{SOCKET}; `limit sockets 1000 tree`", "limit sockets 1000 tree", 2),
    ("connect", f"{CYCLE}; `fail connect`, not its turn", f"fail connect error ETIMEDOUT {NEVER}",
     1),
    ("connect", f"{CYCLE}; `fail connect` to another port", "fail connect :1 error ETIMEDOUT", 1),
    ("connect", f"{CYCLE}; 1,000 rules and 10 faults, none of them matches", MANY, 1),
    ("connect", f"{CYCLE}; `limit sockets 1000`", "limit sockets 1000", 4),
    ("connect", f"{CYCLE}; `limit connections 1000`", "limit connections 1000", 4),
    ("connect", f"{CYCLE}; `limit backlog 16`", "limit backlog 16", None),
    ("socket", f"{SOCKET}; `limit fds 500`", "limit fds 500", None),
    ("socket", f"{SOCKET}; `limit ports 500`", "limit ports 500", None),
    ("connect", f"{CYCLE}; `limit ports 500`", "limit ports 500", None),
]


def added_ns(took, calls):
    """What the rule adds to a call, or to a round."""
    return (took[0] - 1) * took[1] / (calls or 1)


def print_row(ruled, row, title, text, calls):
    took = ruled.ratio(row, text)
    more = [ruled.slope(count, row, text, *lengths) - ruled.slope(count, row, None, *lengths)
            for count, lengths in ((instructions, (SOME, MORE)), (system_calls, (100, 300)))]
    cells = [nanoseconds(took[1]), ratio(took, None, "{:.3f}"),
             against(added_ns(took, calls), calls and GOAL_NS, "{:.0f}"),
             f"{more[0] / (calls or 1):.0f}", f"{more[1]:.0f}", f"{calls or ''}"]
    say(f"| {title} | " + " | ".join(cells) + " |")


def print_table(where, rounds):
    ruled = Ruled(where, rounds)
    say("\n| limits and faults that let calls go | recorded | with the rule | ns a call | "
        "instructions a call | system calls a round | calls counted |\n| :-- |" + " --: |" * 6)
    for row in ROWS:
        print_row(ruled, *row)
    say(f"\nNanoseconds and instructions are those that the rule adds to a call that it counts "
        f"(goal: at most {GOAL_NS} ns), or to a round where the kernel keeps the limit.")

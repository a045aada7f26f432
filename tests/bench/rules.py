# SPDX-License-Identifier: MIT
"""rules.py - what rules cost a program that is recorded anyway.

Both ways are recorded; one has rules. Most tables of rules are long and do not match:
the first table shows how their number counts, the second what a rule does that
matches. A decision is a call that the engine is asked about."""

import os
import subprocess

from measure import (LIBRARY, MORE, SOME, Variant, against, instructions, measure, nanoseconds,
                     ratio, say, slope, system_calls)

COUNTS = (1, 10, 100, 1000, 10000)
GOAL, GOAL_INSTRUCTIONS = 1.02, 100
GOAL_UNTOUCHED = 1.01  # the noise of a good machine


# ---- sets of rules that do not match: the rule with number i, from 1 ----

def ip(i):
    return f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def addresses(i, call="connect tcp"):
    return f"deny {call} {ip(i)}:443"


def ports(i, call="connect tcp"):
    return f"deny {call} :{i}"


def port_ranges(i):
    return f"deny connect tcp :{3 * i}-{3 * i + 1 + i * 7 % 64}"


def prefixes(i):
    if i % 2:
        return f"deny connect tcp [2001:db8:{i:x}::]/48:443"
    return f"deny connect tcp 10.{i >> 8}.{i & 255}.0/24"


def programs(i):
    return f"deny connect tcp in other-program-{i}"


CYCLE = "connect + accept + close"
# row of work.c, what it does, its rules, how many decisions a round takes
GROWTH = [
    ("connect", f"{CYCLE}; other addresses, port 443", addresses, 1),
    ("connect", f"{CYCLE}; other ports", ports, 1),
    ("connect", f"{CYCLE}; ranges of ports", port_ranges, 1),
    ("connect", f"{CYCLE}; IPv4 /24 and IPv6 /48", prefixes, 1),
    ("connect", f"{CYCLE}; `in` other programs", programs, 1),
    ("connect", f"{CYCLE}; rules of accept", lambda i: addresses(i, "accept tcp"), 1),
    ("connect", f"{CYCLE}; rules of any call", lambda i: addresses(i, "any tcp"), 2),
    ("bind", "socket + bind(0) + close; other ports", lambda i: ports(i, "bind tcp"), 1),
    ("udp", "UDP socket + connect + close; other addresses",
     lambda i: addresses(i, "connect udp"), 1),
    ("send", "send + recv; other addresses", addresses, 0),
    ("socket", "socket + close; rules of connect", addresses, 0),
    ("start", "start of /bin/true, joining a session", addresses, None),
]

# ---- rules that match: row of work.c, what it does, the rules ----

FIRST = "allow connect tcp 127.0.0.1\n" + "\n".join(addresses(i) for i in range(1, 1000))
MATCHED = [
    ("connect", f"{CYCLE}; allowed by the first of 1,000 rules", FIRST),
    ("anywhere", f"{CYCLE}; the connect moved", "move connect tcp 127.0.0.1 to 127.0.0.2"),
    ("bind", "socket + bind(0) + close; a port inside the ephemeral range",
     "assign bind tcp :0 from 40000-49999"),
    ("bind", "socket + bind(0) + close; a port outside of it",
     "assign bind tcp :0 from 20000-29999"),
    ("connect", f"{CYCLE}; a source port inside the ephemeral range",
     "assign connect tcp 127.0.0.1 from 40000-49999"),
    ("connect", f"{CYCLE}; a source port outside of it",
     "assign connect tcp 127.0.0.1 from 20000-29999"),
]


class Ruled:
    """Ways to run a program in sessions with and without rules."""

    def __init__(self, where, rounds):
        self.where, self.rounds, self.made = where, rounds, 0

    def way(self, text=None):
        self.made += 1
        session, path = (f"{self.where}/{kind}{self.made}" for kind in ("session", "rules"))
        if text is None:
            return Variant("recorded", LIBRARY, TCPSHIM_SESSION=session)
        with open(path, "w", encoding="ascii") as out:
            out.write(text + "\n")
        return Variant("ruled", LIBRARY, TCPSHIM_SESSION=session, TCPSHIM_RULES_FILE=path)

    def ratio(self, row, text):
        return measure(row, self.way(), self.way(text), self.rounds)

    def slope(self, count, row, text, some, more):
        """What a round of the row takes; the session is there before."""
        way = self.way(text)
        subprocess.run(["/bin/true"], env=way.environment(), check=True)
        result = slope(count, row, way, some, more)
        os.unlink(way.env["TCPSHIM_SESSION"])
        return result


def growth_cell(ruled, row, text, decisions, before, goals):
    """Ratio and instructions a decision more; without decisions: a round more."""
    cell = ratio(ruled.ratio(row, text), goals[0], "{:.3f}")
    if decisions is None:
        return cell
    more = ruled.slope(instructions, row, text, SOME, MORE) - before
    return f"{cell} / {against(more / max(1, decisions), goals[1], '{:.0f}')}"


def growth_goals(row, decisions):
    if decisions is None:
        return None, None
    return (GOAL, GOAL_INSTRUCTIONS) if decisions else (GOAL_UNTOUCHED, 0)


def print_growth(ruled):
    say("\n| rules that do not match | " + " | ".join(f"{n:,}" for n in COUNTS) +
        " | goal, up to 1,000 |\n| :-- |" + " --: |" * (len(COUNTS) + 1))
    for row, title, rule, decisions in GROWTH:
        goals = growth_goals(row, decisions)
        before = None if decisions is None else ruled.slope(instructions, row, None, SOME, MORE)
        cells = [growth_cell(ruled, row, "\n".join(map(rule, range(1, n + 1))), decisions, before,
                             goals if n <= 1000 else (None, None)) for n in COUNTS]
        cells.append(f"≤ {goals[0]} / {goals[1]}" if goals[0] else "")
        say(f"| {title} | " + " | ".join(cells) + " |")


def print_matched(ruled):
    say("\n| rules that match | recorded | with the rule | instructions | system calls |\n"
        "| :-- |" + " --: |" * 4)
    for row, title, text in MATCHED:
        took = ruled.ratio(row, text)
        more = [ruled.slope(count, row, text, *lengths) - ruled.slope(count, row, None, *lengths)
                for count, lengths in ((instructions, (SOME, MORE)), (system_calls, (100, 300)))]
        say(f"| {title} | {nanoseconds(took[1])} | {ratio(took, None, '{:.3f}')} | "
            + " | ".join(against(count, None, "{:.0f}") for count in more) + " |")


def print_tables(where, rounds):
    ruled = Ruled(where, rounds)
    print_growth(ruled)
    print_matched(ruled)
    say("\nA cell of the first: the ratio to the same without rules / user instructions more, a "
        "decision (a round, where the engine is not to be asked). Both ways are recorded.")

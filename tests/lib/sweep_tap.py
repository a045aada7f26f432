# SPDX-License-Identifier: MIT
"""sweep_tap.py RUNS BAD < tap - is it TAP 14, with YAML that means something?"""
import json
import re
import sys

lines = sys.stdin.read().split("\n")
assert lines[0] == "TAP version 14", lines[0]
assert lines[1] == "1..%s" % sys.argv[1], lines[1]
tests = [line for line in lines if re.match(r"(not )?ok ", line)]
assert [int(re.search(r"\d+", line).group()) for line in tests] == list(range(1, len(tests) + 1))
assert len(tests) == int(sys.argv[1])
assert sum(line.startswith("not") for line in tests) == int(sys.argv[2])
for line in lines:
    if line.startswith("  ") and line.strip() not in ("---", "...", "site:"):
        key, value = line.strip().split(" ", 1)
        assert json.loads(value), line

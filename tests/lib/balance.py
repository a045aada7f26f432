#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""balance.py [PROGRAM] - reads a log as JSON Lines: did each process (of that
program) close each name of each socket that it had, once? Names come from births
(socket, socketpair, accept, adopt) and dup, and go by close. A name that came by
fork shows up in the child's close alone."""

import collections
import json
import sys

names = collections.Counter()
own = set()
for line in sys.stdin:
    event = json.loads(line)
    key = (event['pid'], event.get('process'), event.get('sock'))
    if event.get('errno') or len(sys.argv) > 1 and event.get('program') != sys.argv[1]:
        continue
    if event['call'] in ('socket', 'socketpair', 'accept', 'adopt', 'dup'):
        names[key] += 1
        own.add(key)
    elif event['call'] == 'close':
        names[key] -= 1
bad = {key: count for key, count in names.items() if count != 0 and (key in own or count < -1)}
for (pid, _, sock), count in sorted(bad.items()):
    print('process %s, socket %s: %+d names at the end' % (pid, sock, count))
if not names:
    print('no sockets at all')
sys.exit(1 if bad or not names else 0)

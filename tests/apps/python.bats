#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# python3: vfork in subprocess, asyncio, fds passed to another process.

load ../lib/common.bash
load ../lib/audit.bash

setup() {
	needs_strace
}

@test "python3: subprocess with close_fds, the parent's sockets live on" {
	audited "$python" tests/apps/program.py subprocess >"$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "subprocess: fine" ]
	same_tuples --least connect=20 --least accept=20
}

@test "python3: asyncio, TCP and UDP" {
	audited "$python" tests/apps/program.py asyncio >"$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "asyncio: fine" ]
	same_tuples --least connect=30 --least accept=30 --least peer=2
}

@test "python3: sockets sent to another process" {
	audited "$python" tests/apps/program.py rights >"$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "rights: fine" ]
	same_tuples --least connect=5 --least accept=5
}

@test "python3: multiprocessing and threads" {
	audited "$python" tests/apps/program.py processes >"$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "processes: fine" ]
	same_tuples --least connect=40 --least accept=40
}

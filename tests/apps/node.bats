#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# node: libuv closes by syscall(); cluster passes its listener to the workers.

load ../lib/common.bash
load ../lib/audit.bash

setup() {
	needs_strace
	# outside of packages, node needs its own name to be an executable, not a script
	node=$(node -p process.execPath)
}

@test "node: http server and client, udp" {
	audited "$node" tests/apps/program.js http >"$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "http: fine" ]
	same_tuples --least connect=50 --least accept=50 --least peer=1
}

@test "node: cluster of two workers" {
	audited "$node" tests/apps/program.js cluster >"$BATS_TEST_TMPDIR/out"
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "cluster: fine" ]
	same_tuples --least connect=20 --least accept=20
}

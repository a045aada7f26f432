#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# redis-server and redis-benchmark, with a connection for each request.

load ../lib/common.bash
load ../lib/audit.bash

setup() {
	needs_strace
	port=$(free_port)
}

teardown() {
	end_server
}

@test "redis-server answers redis-benchmark" {
	served redis-server --port "$port" --bind 127.0.0.1 ::1 --save '' --dir "$BATS_TEST_TMPDIR" \
		--unixsocket "$BATS_TEST_TMPDIR/socket"
	within 20 listens "$port"
	audited redis-benchmark -h 127.0.0.1 -p "$port" -n 400 -c 10 -k 0 -t ping_mbulk --csv \
		>"$BATS_TEST_TMPDIR/benchmark"
	grep -q '^"PING_MBULK","[1-9]' "$BATS_TEST_TMPDIR/benchmark"
	[ "$(audited redis-cli -h ::1 -p "$port" set key value)" = OK ]
	[ "$(audited redis-cli -s "$BATS_TEST_TMPDIR/socket" get key)" = value ]
	audited redis-cli -p "$port" shutdown nosave
	await_server
	same_tuples --least accept=400 --least connect=400 --least listen=2
}

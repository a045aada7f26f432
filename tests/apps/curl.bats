#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# curl against python3's http.server: the smallest real pair.

load ../lib/common.bash
load ../lib/audit.bash

stacks=-k

setup() {
	needs_strace
	mkdir "$BATS_TEST_TMPDIR/www"
	head -c 300000 /dev/urandom >"$BATS_TEST_TMPDIR/www/file"
}

teardown() {
	end_server
}

serve() {
	port=$(free_port)
	served "$python" "${@:2}" -b "$1" -d "$BATS_TEST_TMPDIR/www" "$port"
	within 20 listens "$port"
}

stop() {
	tell_server TERM
	await_server || [ $? = 143 ]
}

@test "curl fetches a file from http.server" {
	serve 127.0.0.1 -m http.server
	audited curl -sS -o "$BATS_TEST_TMPDIR/got" "http://127.0.0.1:$port/file"
	stop
	cmp "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/www/file"
	same_tuples --least connect=1 --least accept=1 --least listen=1
}

@test "curl fetches fifty times in parallel, over IPv6" {
	serve ::1 tests/apps/server.py
	audited curl -sS -Z -o "$BATS_TEST_TMPDIR/got-#1" "http://\[::1\]:$port/file?[1-50]"
	stop
	for got in "$BATS_TEST_TMPDIR"/got-*; do
		cmp "$got" "$BATS_TEST_TMPDIR/www/file"
	done
	same_tuples --least connect=50 --least accept=50
}

@test "curl is refused, and says so" {
	port=$(free_port)
	run audited curl -sS "http://127.0.0.1:$port/"
	[ "$status" = 7 ]
	same_tuples --least connect=1
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is denied has not happened: no port is taken, nothing leaves, nobody is served;
# and the socket is as it was.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

setup() {
	port=$(free_ports 1)
}

@test "bind: the port stays free; IPv4 rules are for mapped addresses, too" {
	same "deny bind 127.0.0.1:$port" "$policy/deny" bind "$port"
}

@test "connect: nothing leaves, the socket goes elsewhere" {
	same "deny connect tcp 127.0.0.1:$port" "$policy/deny" connect "$port"
}

@test "accept: the peer gets a reset, the next one is served" {
	same 'deny accept tcp 127.0.0.2' "$policy/deny" accept
	same 'deny accept tcp 127.0.0.2' "$policy/deny" accept-waiting
}

@test "accept with an error of the rule says so" {
	DENIED=EPERM same 'deny accept tcp 127.0.0.2 error EPERM' "$policy/deny" accept-error
	DENIED=ECONNABORTED same 'deny accept 127.0.0.2 error ECONNABORTED' "$policy/deny" accept-error
}

@test "sendto, sendmsg, sendmmsg: packets to one port" {
	same "deny send udp :$port" "$policy/deny" send "$port"
}

@test "fast open, UDP connect; AF_UNSPEC dissolves" {
	same "deny connect any 127.0.0.1:$port" "$policy/deny" fast-open "$port"
	same "deny send tcp 127.0.0.1:$port; deny connect udp :$port; deny connect tcp 127.0.0.1:$port" \
		"$policy/deny" fast-open "$port"
}

@test "Python: denied" {
	mkdir "$BATS_TEST_TMPDIR/unix"
	same "deny bind 127.0.0.1:$port; deny connect 127.0.0.1:$port; deny send :$port
		deny accept tcp 127.0.0.2; deny bind unix $BATS_TEST_TMPDIR/unix/no*" \
		"$python" tests/policy/deny.py "$port" "$BATS_TEST_TMPDIR/unix"
}

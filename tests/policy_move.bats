#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is moved goes elsewhere, and the program is told what it asked for, in every call
# that tells it, as the kernel would have told it.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

setup() {
	asked=$(free_ports 8)
	real=$((asked + 1))
}

# only RULES COMMAND...: makes sense under rules alone; says nothing
only() {
	local mode

	for mode in "$session" off; do
		rm -f "$session"
		TCPSHIM_SESSION=$mode ruled "$@" >"$BATS_TEST_TMPDIR/said" 2>&1 || echo "status $?"
		cat "$BATS_TEST_TMPDIR/said"
		[ ! -s "$BATS_TEST_TMPDIR/said" ]
	done
}

@test "bind, connect, accept: every size of buffer, every name of the socket" {
	same "move bind tcp :$asked to :$real; move connect tcp :$asked to :$real" \
		"$policy/move" tcp "$asked" "$real" 127.0.0.1 127.0.0.1
	same "move any tcp 127.0.0.1:$asked to 127.0.0.5:$real" \
		"$policy/move" tcp "$asked" "$real" 127.0.0.1 127.0.0.5
}

@test "the same for IPv6, and from IPv6 to IPv4" {
	same "move any tcp [::1]:$asked to :$real" \
		"$policy/move" tcp "$asked" "$real" ::1 ::1
	same "move any tcp [::1]:$asked to 127.0.0.1:$real" \
		"$policy/move" tcp "$asked" "$real" ::1 ::ffff:127.0.0.1
}

@test "connect that does not wait" {
	same "move connect tcp :$asked to :$real" "$policy/move" waiting "$asked" "$real"
}

@test "listeners everywhere, moved to one place" {
	same "move bind tcp :$asked to 127.0.0.1:$real" \
		"$policy/move" everywhere "$asked" "$real" 0.0.0.0 127.0.0.1 127.0.0.1
	same "move bind tcp :$asked to 127.0.0.1:$real" \
		"$policy/move" everywhere "$asked" "$real" :: ::ffff:127.0.0.1 127.0.0.1
	same "move bind tcp *:$asked to [::1]:$real" \
		"$policy/move" everywhere "$asked" "$real" :: ::1 ::1
	same "move bind tcp 0.0.0.0:$asked to :$real" \
		"$policy/move" everywhere "$asked" "$real" 0.0.0.0 0.0.0.0 127.0.0.3
}

@test "an IPv4 socket has no way to IPv6" {
	only "move any any :$asked to [::1]:$real" "$policy/move" no-way "$asked"
}

@test "to port 0, to a range inside the host's and outside, to auto" {
	local first

	first=$(free_ephemeral_ports 4)
	only "move bind tcp :$asked to 127.0.0.1:0" "$policy/move" to-range "$asked" 0 65535
	only "move bind tcp :$asked to :$((real + 1))-$((real + 4))" \
		"$policy/move" to-range "$asked" $((real + 1)) $((real + 4))
	only "move bind tcp :$asked to :$first-$((first + 3))" \
		"$policy/move" to-range "$asked" "$first" $((first + 3))
	only "move bind tcp :$asked to auto" "$policy/move" to-range "$asked" 0 65535
}

@test "a moved socket goes to a child, through exec, to another process" {
	local rules="move bind tcp :$asked to :$real; move connect tcp :$asked to :$real"

	"$policy/travel" sockets "$asked" "$real" >"$BATS_TEST_TMPDIR/bare"
	ruled "$rules" "$policy/travel" sockets "$asked" "$real" >"$BATS_TEST_TMPDIR/ruled"
	diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/ruled"
}

@test "packets: who answers is who was asked" {
	same "move send udp :$asked to :$real; move connect udp 127.0.0.1:$asked to 127.0.0.1:$real" \
		"$policy/travel" packets "$asked" "$real"
}

@test "packets: two peers at one place" {
	only "move send udp 127.0.0.1:$asked to :$real
		move send udp 127.0.0.9:$((asked + 2)) to 127.0.0.1:$real" \
		"$policy/travel" many-to-one "$asked" "$real" $((asked + 2))
}

@test "Python: moved" {
	local rules="move bind tcp :$asked to :$real; move connect any :$asked to :$real
		move send udp :$asked to :$real"

	"$python" tests/policy/move.py "$asked" "$real" >"$BATS_TEST_TMPDIR/bare" 2>&1
	ruled "$rules" "$python" tests/policy/move.py "$asked" "$real" >"$BATS_TEST_TMPDIR/ruled" 2>&1
	diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/ruled"
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Whom a rule is for: every thread, handler, child and program, and no other than it says.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

setup() {
	port=$(free_ports 2)
}

# says RULES WORDS COMMAND...: with a session and without one, it prints these words
says() {
	local rules=$1 words=$2 mode
	shift 2

	for mode in "$session" off; do
		rm -f "$session"
		run env TCPSHIM_SESSION="$mode" bash -c "
			. tests/lib/common.bash; BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR
			. tests/lib/policy.bash; ruled \"\$@\"" - "$rules" "$@"
		echo "$mode: $output"
		[ "$status" = 0 ]
		[ "${output//$'\n'/ }" = "$words" ]
	done
}

@test "many threads at once" {
	says "deny any udp :$port" '' "$policy/people" threads "$port" $((port + 1))
}

@test "signal handlers in between" {
	says "deny any udp :$port" '' "$policy/people" signals "$port" $((port + 1))
}

@test "children keep the rules: fork, vfork, exec, an empty environment" {
	says "deny connect tcp :$port" \
		'EACCES EACCES EACCES EACCES EACCES EACCES EACCES' \
		"$policy/people" family "$port"
}

@test "a session keeps its rules when the environment is emptied of them" {
	run ruled "deny connect tcp :$port" "$policy/people" emptied "$port"
	[ "$output" = EACCES ]
}

@test "the first rule that matches decides" {
	says "allow connect tcp 127.0.0.1:$port; deny connect any" ECONNREFUSED \
		"$policy/people" child "$port"
	says "deny connect any error EPERM; allow connect tcp 127.0.0.1:$port" EPERM \
		"$policy/people" child "$port"
	says "deny connect udp :$port; deny connect tcp 127.0.0.0/16:$port error EHOSTUNREACH;
		deny connect" EHOSTUNREACH "$policy/people" child "$port"
	says "deny connect tcp 127.0.0.2; deny connect :1-$((port - 1)); deny connect 127.1.0.0/16" \
		ECONNREFUSED "$policy/people" child "$port"
}

@test "in NAME: a name, a path, with * and ?" {
	local name

	for name in people 'p?ople' '*' "$policy/people" '*/policy/p*'; do
		says "deny connect in $name" EACCES "$policy/people" child "$port"
	done
	for name in peopl eople 'p?pl*' '/people' "$policy/peopl"; do
		says "deny connect in $name" ECONNREFUSED "$policy/people" child "$port"
	done
}

@test "Multipath TCP is TCP; calls by their number" {
	says "deny connect tcp :$port; deny bind tcp :$port error EPERM" '' \
		"$policy/people" multipath "$port"
	says "deny connect tcp :$port; deny bind :$port error EPERM; deny send :$port
		deny socket unix error ENFILE" '' "$policy/people" numbers "$port"
}

@test "bindresvport and rresvport are bind" {
	says 'deny bind any' '' "$policy/people" reserved
}

@test "unix sockets: paths, abstract names, patterns" {
	local dir=$BATS_TEST_TMPDIR

	same "deny bind unix $dir/no-*; deny bind unix @policy-$$-no; deny connect unix $dir/x.*
		deny send unix $dir/d.sock" "$policy/people" unix "$dir" "policy-$$-no" "policy-$$-yes"
}

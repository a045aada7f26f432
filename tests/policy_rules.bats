#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Rules that cannot be followed stop the program before it begins: status 125, a message,
# and nothing of it has run.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

# refused MESSAGE VAR=VALUE...: what starts under these variables does not run
refused() {
	local message=$1 program
	shift

	for program in "$policy/people" "$python"; do
		rm -f "$BATS_TEST_TMPDIR/ran"
		run env LD_PRELOAD="$lib" TCPSHIM_SESSION="$session" "$@" \
			"$program" -c "open('$BATS_TEST_TMPDIR/ran', 'w')"
		echo "$status: $output"
		[ "$status" = 125 ]
		[[ "$output" == *"$message"* ]]
		[[ "$output" != *"no such part"* ]]
		[ ! -e "$BATS_TEST_TMPDIR/ran" ]
	done
}

setup() {
	rules=$BATS_TEST_TMPDIR/web.rules
}

@test "a bad rule: place, line, the word underlined, what was expected" {
	refused 'TCPSHIM_RULES:1:20: error: ' 'TCPSHIM_RULES=deny bind tcp :80; alow bind tcp :80'
	[[ "$output" == *"alow bind tcp :80"*"^~~~"*"expected allow, deny"* ]]
	refused 'TCPSHIM_RULES:2:6: error: ' 'TCPSHIM_RULES=deny bind tcp :80
deny bnd tcp :80'
	refused 'error: ' TCPSHIM_RULES='deny bind tcp :80 to :81' TCPSHIM_SESSION=off
}

@test "a bad file: its name; a file that is not there; one that cannot be read" {
	printf 'deny bind tcp :80\n\n  deny bind tcp :99999\n' >"$rules"
	refused "$rules:3:18: error: " TCPSHIM_RULES_FILE="$rules"
	refused "$rules-not" TCPSHIM_RULES_FILE="$rules-not"
	[[ "$output" == *ENOENT* ]]
	refused "$BATS_TEST_TMPDIR" TCPSHIM_RULES_FILE="$BATS_TEST_TMPDIR"
	refused "$rules-not" TCPSHIM_RULES_FILE="$rules-not" TCPSHIM_SESSION=off
	if [ "$(id -u)" != 0 ]; then
		chmod 0 "$rules"
		refused EACCES TCPSHIM_RULES_FILE="$rules"
	fi
}

@test "file and variable together: the file's come first" {
	port=$(free_ports 1)
	echo "deny connect tcp :$port error EPERM" >"$rules"
	export TCPSHIM_RULES_FILE=$rules
	run ruled "allow connect; deny connect error ENETDOWN" "$policy/people" child "$port"
	[ "$output" = EPERM ]
	run ruled 'deny connect error ENETDOWN' "$policy/people" child $((port + 1))
	[ "$output" = ENETDOWN ]
	rm "$session"
	echo "deny bnd" >"$rules"
	refused "$rules:1:6: error: " TCPSHIM_RULES='deny connect'
	echo "deny bind" >"$rules"
	refused "TCPSHIM_RULES:1:6: error: " TCPSHIM_RULES='deny cnnect'
}

@test "rules by file: comments, empty files, CRLF, no newline at the end" {
	port=$(free_ports 1)
	printf '# nothing\n\n' >"$rules"
	run env LD_PRELOAD="$lib" TCPSHIM_SESSION="$session" TCPSHIM_RULES_FILE="$rules" \
		"$policy/people" child "$port"
	[ "$output" = ECONNREFUSED ]
	rm "$session"
	printf '# one\r\ndeny connect tcp :%d # yes\r\n\r\ndeny bind' "$port" >"$rules"
	run env LD_PRELOAD="$lib" TCPSHIM_SESSION="$session" TCPSHIM_RULES_FILE="$rules" \
		"$policy/people" child "$port"
	[ "$output" = EACCES ]
	rm "$session"
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	printf 'deny connect tcp :%d' "$port" >"$BATS_TEST_TMPDIR/pipe" 3>&- &
	run env LD_PRELOAD="$lib" TCPSHIM_SESSION="$session" TCPSHIM_RULES_FILE="$BATS_TEST_TMPDIR/pipe" \
		"$policy/people" child "$port"
	[ "$output" = EACCES ]
}

@test "a session has one set: others are refused, the same and none may join" {
	port=$(free_ports 1)
	export TCPSHIM_SESSION=$session
	run ruled "deny connect tcp :$port" "$policy/people" child "$port"
	[ "$output" = EACCES ]
	run ruled "deny connect tcp :$port" "$policy/people" child "$port"
	[ "$output" = EACCES ]
	run env LD_PRELOAD="$lib" "$policy/people" child "$port"
	[ "$output" = EACCES ]
	refused 'other rules' TCPSHIM_RULES="deny connect udp :$port"
	echo "deny connect tcp :$port" >"$rules"
	refused 'other rules' TCPSHIM_RULES_FILE="$rules" TCPSHIM_RULES="deny connect tcp :$port"
	rm "$session"
	run env LD_PRELOAD="$lib" "$policy/people" child "$port"
	[ "$output" = ECONNREFUSED ]
	refused 'other rules' TCPSHIM_RULES="deny connect tcp :$port"
}

@test "where no session can be made, the rules still hold" {
	port=$(free_ports 1)
	TCPSHIM_SESSION=/nowhere/x.tcpshim run --separate-stderr ruled "deny connect tcp :$port" \
		"$policy/people" child "$port"
	[ "$output" = EACCES ]
	[[ "$stderr" == *"runs by its rules, without a record"* ]]
}

@test "very many rules, and very long ones" {
	port=$(free_ports 1)
	seq 1 20000 | sed 's/.*/deny connect tcp 10.0.0.0:1&/;s/:1\(.....\)$/:\1/;s/:1\(....\)$/:\1/' \
		>"$rules"
	echo "deny connect tcp 127.0.0.1:$port error EPERM" >>"$rules"
	run env LD_PRELOAD="$lib" TCPSHIM_SESSION="$session" TCPSHIM_RULES_FILE="$rules" \
		"$policy/people" child "$port"
	[ "$output" = EPERM ]
	local long
	long=$(printf 'deny connect udp :%d;' $(seq 1 3000))
	rm "$session"
	run ruled "$long deny connect error EHOSTDOWN" "$policy/people" child "$port"
	[ "$output" = EHOSTDOWN ]
	TCPSHIM_SESSION=off run ruled "$long deny connect error EHOSTDOWN" "$policy/people" family "$port"
	[ "$(echo "$output" | sort -u)" = EHOSTDOWN ]
}

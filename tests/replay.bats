#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tcpshim run --replay: a session's seed and rules again.
# shellcheck disable=SC2154 # variables of common.bash

load lib/common.bash

session=$BATS_TEST_TMPDIR/session.tcpshim
bats_require_minimum_version 1.5.0

sockets='import socket
for i in range(40):
	try: socket.socket().close(); print(".", end="")
	except OSError as error: print("x", end="")'

@test "--replay: the same seed, rules and failures again" {
	local first=$BATS_TEST_TMPDIR/first.tcpshim again=$BATS_TEST_TMPDIR/again.tcpshim

	"$tool" run -q -o "$first" -r 'fail socket error ENOBUFS probability 30%; deny bind unix "/tmp/a b*"' \
		-- "$python" -c "$sockets" >"$BATS_TEST_TMPDIR/one"
	TCPSHIM_SEED=7 TCPSHIM_RULES='deny socket' \
		"$tool" run -q --replay "$first" -o "$again" -- "$python" -c "$sockets" \
		>"$BATS_TEST_TMPDIR/other"
	grep -q 'x.*\.\|\..*x' "$BATS_TEST_TMPDIR/one"
	diff "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/other"
	for s in "$first" "$again"; do
		"$tool" report --json "$s" | jq '.session.seed, [.rule_sets[].rules[] | {rule, matched}]'
	done >"$BATS_TEST_TMPDIR/both"
	[ "$(sort "$BATS_TEST_TMPDIR/both" | uniq -c | awk '$1 % 2' | wc -l)" = 0 ]
}

@test "--replay: without rules the seed alone; of changed rules the first, and that is said" {
	"$tool" run -q --seed 0x5eed -o "$session" true
	rm -f "$BATS_TEST_TMPDIR/again"
	"$tool" run -q --replay "$session" -o "$BATS_TEST_TMPDIR/again" true
	[ "$("$tool" report --json "$BATS_TEST_TMPDIR/again" | jq -r '.session.seed, (.rule_sets | length)' | tr '\n' ' ')" = "0x0000000000005eed 0 " ]
	rm -f "$session"
	"$tool" run -q -o "$session" -r 'deny bind tcp :1' "$tool" rules "$session" -r 'deny bind tcp :2'
	run --separate-stderr "$tool" run --replay "$session" true
	[ "$status" = 0 ]
	[[ "$stderr" == *"were changed while it ran"*"-r:1: deny bind tcp :1"* || "$stderr" == *"were changed while it ran"*":1: deny bind tcp :1"* ]]
	[[ "$stderr" != *"tcp :2"* ]]
}

@test "--replay: other rules or another seed are refused; so is what is no session" {
	"$tool" run -q -o "$session" -r 'deny bind tcp :1' true
	for more in '-r=deny bind tcp :2' --seed=3 '-f=/dev/null'; do
		run --separate-stderr "$tool" run --replay "$session" "${more%%=*}" "${more#*=}" true
		[ "$status" = 125 ]
		[[ "$stderr" == "tcpshim run: --replay takes the "*" of a session, no other" ]]
	done
	head -c 9000 /dev/urandom >"$BATS_TEST_TMPDIR/rubbish"
	for file in "$BATS_TEST_TMPDIR/rubbish" "$BATS_TEST_TMPDIR/none" /dev/null "$BATS_TEST_TMPDIR"; do
		run --separate-stderr "$tool" run --replay "$file" touch "$BATS_TEST_TMPDIR/ran"
		[ "$status" = 125 ]
		[[ "$stderr" == "tcpshim run: "* ]]
	done
	run "$tool" run --replay "$session"
	[ "$status" = 125 ]
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "--replay: rules that are damaged, or that mean something else, are not run" {
	"$tool" run -q -o "$session" -r 'fail connect error ETIMEDOUT in damaged' true
	for other in 'dam\nged' '\xff\0aaged'; do
		cp "$session" "$BATS_TEST_TMPDIR/bent"
		"$python" - "$BATS_TEST_TMPDIR/bent" "$other" <<-'END'
			import sys
			other = sys.argv[2].encode().decode("unicode_escape").encode("latin-1")
			data = bytearray(open(sys.argv[1], "rb").read())
			at = data.index(b"damaged")
			data[at:at + 7] = (other + b"xxxxxxx")[:7]
			open(sys.argv[1], "wb").write(data)
		END
		run --separate-stderr "$tool" run --replay "$BATS_TEST_TMPDIR/bent" touch "$BATS_TEST_TMPDIR/ran"
		[ "$status" = 125 ]
		[[ "$stderr" == "tcpshim run: "*": its rules "* ]]
		[ "${#stderr_lines[@]}" = 1 ]
	done
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

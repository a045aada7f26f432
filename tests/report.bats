#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tcpshim report: the same known traffic, as text and as JSON; and files that
# are not what they should be.
# shellcheck disable=SC2154 # variables of common.bash

load lib/common.bash

setup_file() {
	export SESSION=$BATS_FILE_TMPDIR/session.tcpshim
	PORT=$(free_port)
	export PORT
	LD_PRELOAD=$lib TCPSHIM_SESSION=$SESSION "$python" tests/lib/traffic.py "$PORT"
	"$tool" report --json "$SESSION" >"$BATS_FILE_TMPDIR/json"
	"$tool" report "$SESSION" >"$BATS_FILE_TMPDIR/text"
}

# ask EXPRESSION: what Python says of it; r is the report, l, d and f are what it
# says of our listener and destination, and its findings by their ids
ask() {
	"$python" - "$BATS_FILE_TMPDIR/json" "$PORT" "$1" <<-'END'
		import json, sys
		r = json.load(open(sys.argv[1]))
		port = int(sys.argv[2])
		l = next(x for x in r["listeners"] if x["address"].endswith(f":{port}"))
		d = next(x for x in r["destinations"] if x["address"].endswith(f":{port}"))
		refused = next(x for x in r["destinations"] if x["address"].endswith(f":{port + 1}"))
		f = {x["id"]: x for x in r["findings"]}
		print(eval(sys.argv[3]))
	END
}

# expect EXPRESSION WANTED
expect() {
	local got

	got=$(ask "$1")
	if [ "$got" != "$2" ]; then
		echo "$1 is $got, not $2" >&2
		return 1
	fi
}

text_has() {
	grep -qF -- "$1" "$BATS_FILE_TMPDIR/text" || {
		cat "$BATS_FILE_TMPDIR/text" >&2
		return 1
	}
}

@test "the listener: address, backlog, accepted, peak, failures" {
	expect 'l["address"]' "0.0.0.0:$PORT"
	expect 'l["backlog"]' 7
	expect 'l["accepted"]' 11
	expect 'l["peak"]' 1
	expect 'l["failed"]["EMFILE"]' 30
	expect 'l["reuseaddr"]' False
	text_has "0.0.0.0:$PORT"
}

@test "the destination: made, peak, ports, who closed first" {
	expect 'd["made"]' 11
	expect 'd["pending"]' 0
	expect 'd["failed"]' '{}'
	expect 'd["peak"]' 2
	expect 'd["bound_first"]' 1
	expect 'd["closed_first"] + d["closed_by_peer_first"]' 11
	expect 'd["closed_first"]' 4
	expect 'd["local_addresses"]' "['127.0.0.1']"
	expect '1 <= d["local_ports"] <= 11' True
}

@test "failures are counted by errno" {
	expect 'refused["failed"]' "{'ECONNREFUSED': 10}"
	expect 'refused["made"]' 0
	text_has 'ECONNREFUSED 10'
}

@test "the ephemeral range and what is left of it" {
	read -r low high </proc/sys/net/ipv4/ip_local_port_range
	expect 'r["ephemeral"]["low"], r["ephemeral"]["high"]' "($low, $high)"
	expect 'd["capacity"]' $((high - low + 1))
	expect 'r["ephemeral"]["tightest"]["peak"]' 2
	text_has "($low-$high) x 1 local address"
}

@test "UDP: what is bound, and who is called" {
	expect '[x["peers"] for x in r["listeners"] if x["proto"] == "udp"]' '[1]'
	expect '[x["made"] for x in r["destinations"] if x["proto"] == "udp"]' '[1]'
}

@test "sockets that were never closed" {
	expect '[(x["count"], x["use"]) for x in r["never_closed"]]' "[(3, 'connect failed')]"
	text_has 'NEVER CLOSED'
}

@test "each habit is found" {
	expect 'sorted(f)' "['accept-spin', 'any-address', 'bind-before-connect', 'connect-retry', 'fds-exhausted', 'inherited', 'never-closed', 'no-reuseaddr']"
	expect '[x["severity"] for x in r["findings"]] == sorted((x["severity"] for x in r["findings"]), key=["problem", "warning", "note"].index)' True
	expect 'all(x["evidence"] and x["advice"] and x["subject"] for x in r["findings"])' True
}

@test "text and JSON have the same findings" {
	ask '"\n".join(x["title"] for x in r["findings"])' >"$BATS_TEST_TMPDIR/titles"
	[ -s "$BATS_TEST_TMPDIR/titles" ]
	while read -r title; do
		text_has ": $title"
	done <"$BATS_TEST_TMPDIR/titles"
}

@test "the processes, and that all were seen" {
	expect 'r["not_seen"]' '[]'
	expect 'r["totals"]["processes"]' 2
	expect '[x["status"] for x in r["processes"]]' '[0, 0]'
	expect 'r["session"]["live"]' False
}

@test "no colours in a file; no line is too long" {
	run grep -q $'\033' "$BATS_FILE_TMPDIR/text"
	[ "$status" = 1 ]
	run awk -v path="$SESSION" 'length > 100 && $0 != path' "$BATS_FILE_TMPDIR/text"
	[ -z "$output" ]
}

@test "colours on a terminal, unless NO_COLOR" {
	run script -qec "TERM=xterm $tool report $SESSION" /dev/null
	[[ "$output" == *$'\033[1m'* ]]
	run script -qec "TERM=xterm NO_COLOR=1 $tool report $SESSION" /dev/null
	[[ "$output" != *$'\033'* ]]
}

@test "the newest session is taken" {
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR
	run "$tool" report
	[ "$status" = 125 ]
	mkdir "$BATS_TEST_TMPDIR/tcpshim"
	cp "$SESSION" "$BATS_TEST_TMPDIR/tcpshim/a.tcpshim"
	run "$tool" report
	[ "$status" = 0 ]
	[[ "$output" == *"0.0.0.0:$PORT"* ]]
}

@test "a file that is none: an error, status 125" {
	for file in /dev/null /etc/passwd /nonexistent "$BATS_TEST_TMPDIR"; do
		run "$tool" report "$file"
		[ "$status" = 125 ]
		[[ "$output" == *"tcpshim report: "* ]]
	done
}

@test "wrong use: an error, status 125" {
	run "$tool" report --bogus
	[ "$status" = 125 ]
	run "$tool" report "$SESSION" "$SESSION"
	[ "$status" = 125 ]
}

@test "output that cannot be written: an error" {
	run bash -c "'$tool' report '$SESSION' >/dev/full"
	[ "$status" = 125 ]
	run bash -c "'$tool' report --json '$SESSION' >/dev/full"
	[ "$status" = 125 ]
}

@test "a truncated file gives what is left" {
	for size in 4096 1000000 33820672 33824768; do
		cp --sparse=always "$SESSION" "$BATS_TEST_TMPDIR/cut"
		truncate -s $size "$BATS_TEST_TMPDIR/cut"
		run "$tool" report "$BATS_TEST_TMPDIR/cut"
		[ "$status" = 0 ]
		[ "${#lines[@]}" -ge 3 ] || [[ "$output" == *'nothing seen'* ]]
		run "$tool" report --json "$BATS_TEST_TMPDIR/cut"
		[ "$status" = 0 ]
	done
}

@test "rubbish in the file is left out, and said" {
	cp --sparse=always "$SESSION" "$BATS_TEST_TMPDIR/bad"
	first=$((4096 + 65536 * 512 + 4096 * 64))
	for _ in 1 2 3 4 5 6 7 8; do
		head -c 512 /dev/urandom | dd of="$BATS_TEST_TMPDIR/bad" bs=1 conv=notrunc status=none \
			seek=$((first + RANDOM % 4000))
		run "$tool" report "$BATS_TEST_TMPDIR/bad"
		[ "$status" = 0 ]
		"$tool" report --json "$BATS_TEST_TMPDIR/bad" | "$python" -m json.tool >/dev/null
	done
	run "$tool" report "$BATS_TEST_TMPDIR/bad"
	[[ "${lines[0]}" == incomplete:* ]]
}

@test "names of programs are escaped" {
	evil=$BATS_TEST_TMPDIR/$'e\033[31mvil\n"\xff'
	cp /bin/true "$evil"
	LD_PRELOAD=$lib TCPSHIM_SESSION=$BATS_TEST_TMPDIR/evil.tcpshim "$evil"
	run "$tool" report "$BATS_TEST_TMPDIR/evil.tcpshim"
	[[ "$output" == *'e\x1b[31mvil\n"\xff'* ]]
	[[ "$output" != *$'\033'* ]]
	"$tool" report --json "$BATS_TEST_TMPDIR/evil.tcpshim" | "$python" -m json.tool >/dev/null
}

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

# A session under two sets of rules, made anew with so many rules more.
make_ruled() {
	if [ ! -e "$BATS_FILE_TMPDIR/make_ruled" ]; then
		cc -Ishim -I. -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/make_ruled" \
			tests/lib/rules_session.c shim/core/*.c
	fi
	"$BATS_FILE_TMPDIR/make_ruled" "$BATS_TEST_TMPDIR/ruled.tcpshim" "$@"
}

@test "without rules, not a word of them" {
	run grep -iE 'rule|denied|moved|assigned' "$BATS_FILE_TMPDIR/text"
	[ -z "$output" ]
	expect 'r["denied"], r["assigned"], r["rule_sets"]' '([], [], [])'
	expect 'set(r["verdicts"].values())' '{0}'
	expect 'l["asked"], d["asked"]' '([], [])'
}

@test "rules: what was denied, moved and assigned, and how often each matched" {
	make_ruled
	run "$tool" report "$BATS_TEST_TMPDIR/ruled.tcpshim"
	[[ $output == *"6 rules, 2 never matched; calls: 7 denied, 2 moved, 5 assigned"* ]]
	[[ $output == *"127.0.0.1:8080 (asked for :80)"* ]]
	[[ $output == *"127.0.0.1:15432 (asked for 10.0.0.5:5432)"* ]]
	[[ $output == *"note: A rule never matched"*"rule 1 (web.rules:1)"* ]]
	diff -b - <(sed -n '/^DENIED/,/^NEVER CLOSED/p' <<<"$output") <<-'END'
		DENIED
		  times  call     proto  address      error   by               to
		      3  connect  tcp    10.0.0.9:25  EACCES  rule 3 of set 2  nginx
		      2  accept   tcp    10.0.0.7     EACCES  rule 1 of set 1  nginx
		      1  socket   tcp    -            EACCES  rule 1 of set 1  nginx
		      1  bind     tcp    0.0.0.0:22   EACCES  rule 1 of set 1  nginx

		ASSIGNED PORTS
		  rule 4 of set 2: 4 ports of 1,000 (30000-30999), between 30000 and 30009; 4 calls, 1 failed: EADDRINUSE 1

		RULES, set 2 (in force at the end)
		  no.  matched  from         rule
		    1    never  web.rules:1  deny connect tcp 192.0.2.0/24:443
		    2        1  web.rules:2  move connect tcp 10.0.0.5:5432 to 127.0.0.1:15432
		    3        3  web.rules:3  deny connect tcp :25
		    4        5  web.rules:5  assign bind tcp :0 from 30000-30999
		    5    1,234  web.rules:6  allow bind tcp :8080
		    6    never  web.rules:7  deny connect unix /tmp/a\b

		RULES, set 1
		  no.  matched  from         rule
		    1        1  web.rules:1  deny bind tcp :1-79
		    2        1  web.rules:2  move bind tcp :80 to 127.0.0.1:8080

		NEVER CLOSED
	END
}

@test "rules in JSON" {
	make_ruled
	"$tool" report --json "$BATS_TEST_TMPDIR/ruled.tcpshim" | "$python" -c '
import json, sys
r = json.load(sys.stdin)
assert r["verdicts"] == {"denied": 7, "failed": 0, "moved": 2, "assigned": 5, "limited": 0,
                         "delayed": 0}, r["verdicts"]
assert r["denied"][0] == {"call": "connect", "proto": "tcp", "address": "10.0.0.9:25",
                          "program": "nginx", "times": 3, "errno": "EACCES", "rule": 3,
                          "set": 2}, r["denied"]
assert [x["address"] for x in r["denied"]] == ["10.0.0.9:25", "10.0.0.7", None, "0.0.0.0:22"]
assert r["assigned"] == [{"rule": 4, "set": 2, "calls": 4, "ports": 4, "low": 30000,
                          "high": 30009, "failed": {"EADDRINUSE": 1}}], r["assigned"]
first, second = r["rule_sets"]
assert first["number"] == 1 and second["number"] == 2 and second["in_force"], r["rule_sets"]
assert second["since"] == "2026-11-22T12:00:01.000000000Z", second
assert second["rules"][3] == {"number": 4, "rule": "assign bind tcp :0 from 30000-30999",
                              "source": "web.rules", "line": 5, "matched": 5}, second
assert second["rules"][5]["rule"] == r"deny connect unix /tmp/a\b", second
assert [x["asked"] for x in r["listeners"]] == [["0.0.0.0:80"]], r["listeners"]
assert [x["asked"] for x in r["destinations"]] == [["10.0.0.5:5432"]], r["destinations"]
assert not any(x["address"] == "10.0.0.9:25" for x in r["destinations"])
'
}

@test "of many rules, those that matched and some of the rest; JSON has all" {
	make_ruled 3000
	run "$tool" report "$BATS_TEST_TMPDIR/ruled.tcpshim"
	[[ $output == *"3,006 rules, 3,002 never matched"* ]]
	[[ $output == *"and 2,992 more that never matched: --json has all"* ]]
	[ "$(grep -c ' never  web.rules' <<<"$output")" = 10 ]
	"$tool" report --json "$BATS_TEST_TMPDIR/ruled.tcpshim" | "$python" -c '
import json, sys
sets = json.load(sys.stdin)["rule_sets"]
assert len(sets[1]["rules"]) == 3006 and sets[1]["rules"][3005]["number"] == 3006
'
}

@test "rubbish in the rules is left out, and said" {
	local bad=$BATS_TEST_TMPDIR/bad first=$((4096 + 65536 * 512 + 4096 * 64))

	make_ruled 20
	for _ in 1 2 3 4 5 6 7 8; do
		cp --sparse=always "$BATS_TEST_TMPDIR/ruled.tcpshim" "$bad"
		for _ in 1 2 3 4 5 6 7 8; do
			head -c 8 /dev/urandom | dd of="$bad" bs=1 conv=notrunc status=none \
				seek=$((first + 3000 + RANDOM % 9000))
		done
		run "$tool" report "$bad"
		[ "$status" = 0 ]
		[[ $output != *[$'\001'-$'\010\013'-$'\037']* ]]
		"$tool" report --json "$bad" | "$python" -m json.tool >/dev/null
	done
	cp --sparse=always "$BATS_TEST_TMPDIR/ruled.tcpshim" "$bad"
	head -c 4096 /dev/urandom | dd of="$bad" bs=4096 conv=notrunc status=none \
		seek=$((first / 4096))
	run "$tool" report "$bad"
	[[ ${lines[0]} == incomplete:* ]]
	[[ $output == *"RULES"*"deny connect tcp :25"* ]] # the other set is whole
}

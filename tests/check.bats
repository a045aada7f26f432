#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tcpshim check: rules as they are understood, and what is doubtful about them.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash

setup() {
	rules=$BATS_TEST_TMPDIR/web.rules
}

# check ARGUMENT...: its table to $output, its problems to $stderr
check() {
	run --separate-stderr "$tool" check "$@"
}

# A port range inside the host's ephemeral one, and one outside it.
ephemeral() {
	read -r low high </proc/sys/net/ipv4/ip_local_port_range
}

@test "the table: number, place, rule in the language's words, what happens" {
	printf '%s\n' '# a server' '' 'move  bind tcp :80 to 127.0.0.1:8080' \
		'deny bind tcp :1-1023 # no other' 'allow any' >"$rules"
	check -f "$rules"
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[[ "${lines[1]}" =~ ^\ +1\ +"$rules:3"\ +'move bind tcp :80 to 127.0.0.1:8080'\ +'told :80, goes to 127.0.0.1:8080'$ ]]
	[[ "${lines[2]}" =~ ^\ +2\ +"$rules:4"\ +'deny bind tcp :1-1023'\ +'EACCES'$ ]]
	[[ "${lines[3]}" =~ ^\ +3\ +"$rules:5"\ +'allow any any'\ +'goes ahead'$ ]]
	[ "${#lines[@]}" = 4 ]
}

@test "what the table prints can be read again, and is the same" {
	"$tool" check --json -r 'alow any' >/dev/null || [ $? = 125 ]
	printf '%s\n' 'deny connect udp 10.0.0.0/8:53-54 error ECONNREFUSED' \
		'assign bind tcp :0 from auto' 'move connect tcp [::1]:5 to :77' \
		'deny connect unix "/tmp/a \\ b\"*" in app-*' >"$rules"
	"$tool" check --json -f "$rules" | jq -r '.rules[].rule' >"$rules.2"
	"$tool" check --json -f "$rules.2" | jq -r '.rules[].rule' >"$rules.3"
	[ "$(wc -l <"$rules.2")" = 4 ]
	diff "$rules.2" "$rules.3"
	check -f "$rules"
	[[ "${lines[4]}" == *'unix "/tmp/a \\ b\"*" in app-*'* ]]
}

@test "an error: place, line, column, the word underlined; all at once; status 125, no table" {
	printf '%s\n' 'allow any' 'alow bind tcp :80' 'deny bind tcp :99999' >"$rules"
	check -f "$rules"
	[ "$status" = 125 ]
	[ -z "$output" ]
	[[ "$stderr" == *"$rules:2:1: error: "*"alow bind tcp :80"*"^~~~"*allow* ]]
	[[ "$stderr" == *"$rules:3:16: error: "* ]]
}

@test "sources: files and words in their order, stdin, several rules in a word" {
	echo 'deny bind tcp :1' >"$rules"
	run bash -c "echo 'deny bind tcp :4' | '$tool' check -r 'deny bind tcp :2;deny bind tcp :3' \
		-f - -f '$rules' -r 'deny bind tcp :5' -r 'deny bind tcp :6' | awk 'NR > 1 {print \$2, \$6}'"
	[ "$output" = "-r:1 :2
-r:1 :3
stdin:1 :4
$rules:1 :1
-r:1 :5
-r:2 :6" ]
}

@test "without -f and -r: the rules of the environment, the file's first; with none, an error" {
	echo 'deny bind tcp :1' >"$rules"
	TCPSHIM_RULES='deny bind tcp :2' TCPSHIM_RULES_FILE=$rules check
	[[ "${lines[1]}" == *"$rules:1"*:1* ]]
	[[ "${lines[2]}" == *"TCPSHIM_RULES:1"*:2* ]]
	TCPSHIM_RULES='deny bind tcp :2' check -f "$rules"
	[ "${#lines[@]}" = 2 ]
	TCPSHIM_RULES='' check
	[ "$status" = 125 ]
	[[ "$stderr" == "tcpshim check: "*-f*-r* ]]
}

@test "a file that cannot be read is an error; so are a directory and what is too large" {
	for file in "$BATS_TEST_TMPDIR/none" "$BATS_TEST_TMPDIR" /dev/zero; do
		check -f "$file"
		[ "$status" = 125 ]
		[[ "$stderr" == "tcpshim check: cannot read the rules in $file: "* ]]
	done
	check some.rules
	[ "$status" = 125 ]
	[[ "$stderr" == *"some.rules"*-f* ]]
}

@test "no rules at all are none" {
	check -f /dev/null
	[ "$status" = 0 ]
	[[ "$output" == *"no rules"* ]]
}

@test "a rule that can never match: which one decides, and where that stands" {
	printf '%s\n' 'allow any' '# more' 'deny bind tcp :1-1023' 'deny bind tcp :1000-1010' >"$rules"
	check -f "$rules"
	[ "$status" = 0 ]
	[[ "$stderr" == *"$rules:3:1: warning: this rule can never match: rule 1 "*"$rules:1: allow any any"* ]]
	check -r 'deny bind tcp :1-1023' -r 'deny bind tcp :1000-1010'
	[[ "$stderr" == *"-r:2:1: warning: "*"rule 1"* ]]
}

@test "the rule is underlined, also between others in a line" {
	check -r 'deny bind tcp :5;  deny bind tcp :5 ; allow any # deny'
	[[ "$stderr" == *"-r:1:20: warning: "* ]]
	[[ "$stderr" == *"      |                    ^~~~~~~~~~~~~~~~"$'\n'* ]]
}

@test "--strict: 1 if there is a warning, 0 without, 125 with an error" {
	check --strict -r 'deny bind tcp :5; deny bind tcp :5'
	[ "$status" = 1 ]
	check --strict -r 'deny bind tcp :5'
	[ "$status" = 0 ]
	check --strict -r 'deny bind tcp :5; deny bind tcp :5; alow'
	[ "$status" = 125 ]
}

@test "ranges: the kernel's own inside the ephemeral range, ours outside" {
	ephemeral
	check -r "assign bind tcp :0 from $low-$((low + 9))"
	[ -z "$stderr" ]
	[[ "$output" == *"port from $low-$((low + 9)) (by the kernel)"* ]]
	check -r "assign bind tcp :0 from $((low - 10))-$((low + 9))"
	[[ "$output" == *"outside this host's ephemeral range $low-$high: by our own allocator"* ]]
	[[ "$stderr" == *"warning: $((low - 10))-$((low + 9)) is not within this host's ephemeral range $low-$high"* ]]
	check -r "assign bind tcp :0 from auto"
	[ -z "$stderr" ]
}

@test "privileged ports, as an ordinary user" {
	[ "$(id -u)" = 0 ] || skip "needs root to be an ordinary user at will"
	read -r first </proc/sys/net/ipv4/ip_unprivileged_port_start
	[ "$first" -gt 99 ] || skip "no port is privileged here"
	for rule in "move bind tcp :8080 to :99" "assign bind tcp :0 from 99-60000"; do
		run --separate-stderr setpriv --bounding-set -net_bind_service "$tool" check -r "$rule"
		[[ "$stderr" == *"warning: port 99 needs a privilege"*"below $first"* ]]
		check -r "$rule"
		[[ "$stderr" != *privilege* ]]
	done
	run --separate-stderr setpriv --bounding-set -net_bind_service "$tool" check \
		-r "move connect tcp :80 to :99; move bind tcp :80 to :$first"
	[[ "$stderr" != *privilege* ]]
}

@test "limits above the host's" {
	run --separate-stderr bash -c "ulimit -n 100; '$tool' check -r 'limit fds 101'"
	[[ "$stderr" == *"warning: the limit is above the host's own, 100 "* ]]
	run --separate-stderr bash -c "ulimit -n 100; '$tool' check -r 'limit fds 100'"
	[[ "$stderr" != *"above the host"* ]]
	ephemeral
	check -r "limit ports $((high - low + 2))"
	[[ "$stderr" == *"warning: this host has "*" ephemeral ports only"* ]]
	check -r "limit ports $((high - low + 1))"
	[[ "$stderr" != *"ephemeral ports only"* ]]
}

@test "what this version does not enforce is said" {
	check -r 'fail connect tcp :5432 error ETIMEDOUT when 1..3'
	[ "$status" = 0 ]
	[[ "$stderr" == *"warning: this version understands the rule, but does not enforce it"* ]]
}

@test "--json: the same for machines" {
	check --json -r 'deny bind tcp :1-9 error EPERM; deny bind tcp :5'
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	jq -e '.format == 1 and (.rules | length) == 2 and .rules[0].source == "-r"
		and .rules[0].line == 1 and .rules[0].action == "deny" and .rules[0].effect == "EPERM"
		and .rules[0].shadowed_by == null and .rules[1].shadowed_by == 1
		and (.problems | length) == 1 and .problems[0].severity == "warning"
		and .problems[0].column == 33' <<<"$output"
	check --json -r 'alow any'
	[ "$status" = 125 ]
	jq -e '.rules == null and .problems[0].severity == "error"
		and .problems[0].instead == "allow"' <<<"$output"
	check --json --strict -r 'deny bind tcp :5; deny bind tcp :5'
	[ "$status" = 1 ]
}

@test "bytes of a rule reach the terminal escaped" {
	printf 'deny connect unix "/tmp/\x1b[31m\xff"\nal\x1bow\n' >"$rules"
	run -125 "$tool" check -f "$rules"
	[[ "$output" != *$'\x1b'* ]]
	check --json -f "$rules"
	[[ "$output" != *$'\x1b'* ]]
	mkdir "$BATS_TEST_TMPDIR/a"$'\x1b'
	printf 'deny any any\ndeny any any\n' >"$BATS_TEST_TMPDIR/a"$'\x1b/b'
	run "$tool" check -f "$BATS_TEST_TMPDIR/a"$'\x1b/b'
	[ "$status" = 0 ]
	[[ "$output" != *$'\x1b'* ]]
}

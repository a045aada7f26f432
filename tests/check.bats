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

@test "limits and faults in plain words" {
	while IFS='|' read -r rule effect; do
		check -r "$rule"
		[ "$status" = 0 ]
		[ -z "$stderr" ]
		[[ "${lines[1]}" == *"  $effect" ]] || { echo "$rule: ${lines[1]}"; return 1; }
	done <<-'EOF'
		fail connect tcp :5432 error ETIMEDOUT when 1..3|ETIMEDOUT: calls 1 to 3
		fail accept error EMFILE probability 5%|EMFILE: every call, with a chance of 5%
		fail accept error EMFILE probability 0.0125% when 7|EMFILE: call 7, with a chance of 0.0125%
		fail socket error ENOBUFS after 5s for 10s|ENOBUFS: every call, once the session is 5 s old, for 10 s
		fail socket error ENOBUFS for 1500ms|ENOBUFS: every call, in the session's first 1500 ms
		fail connect :443 error ECONNREFUSED while 1|ECONNREFUSED: every call, while 1 socket or more are open
		fail send error ECONNRESET when 3+|ECONNRESET: from call 3 on
		fail send error ECONNRESET when 1+|ECONNRESET: every call
		fail getaddrinfo error EAI_AGAIN when 2+2|EAI_AGAIN: every second call from call 2 on
		fail close error EIO when 2..60+21|EIO (it is closed all the same): every 21st call from call 2 to 60
		delay connect by 200ms jitter 50ms when 1+3|150 ms to 250 ms late: every third call from call 1 on
		delay recv by 1h|1 h late: every call
		limit fds 25|at most 25 descriptors a process, then EMFILE
		limit sockets 1|at most 1 socket a process, then EMFILE
		limit sockets 64 tree|at most 64 sockets in all processes, then ENFILE
		limit ports 16|an ephemeral range of 16 ports
		limit connections 9|at most 9 connections at once, then EADDRNOTAVAIL of connect, EMFILE of accept
		limit connections 9 to 10.0.0.5:5432 error ETIMEDOUT|at most 9 connections to 10.0.0.5:5432 at once, then ETIMEDOUT
		limit backlog 3|a backlog of at most 3
		limit memory error ENOMEM when 11+12|ENOMEM: every 12th call from call 11 on
	EOF
	ephemeral
	check -r "limit ports $low-$((low + 9))"
	[ -z "$stderr" ]
	[[ "$output" == *"an ephemeral range of 10 ports, $low-$((low + 9)) (by the kernel)" ]]
}

@test "a limit that never holds, or is never reached" {
	while IFS='|' read -r first second; do
		check -r "$first" -r "$second"
		[[ "$stderr" == *"-r:2:1: warning: this limit "*"never "*"rule 1 "*"-r:1: $first"* ]] ||
			{ echo "$first; $second"; return 1; }
	done <<-'EOF'
		limit fds 20|limit fds 10
		limit ports 20 in app|limit ports 10 in app
		limit sockets 20 in app*|limit sockets 10 in app-1
		limit backlog 5|limit backlog 6
		limit backlog 5 in *|limit backlog 6
		limit sockets 10 tree|limit sockets 20 tree
		limit sockets 10 tree|limit sockets 10 tree in app
		limit connections 10|limit connections 10 to :80
		limit connections 10 to 10.0.0.0/8|limit connections 11 to 10.0.0.1:80
	EOF
	while IFS='|' read -r first second; do
		check -r "$first" -r "$second"
		[ -z "$stderr" ] || { echo "$first; $second"; return 1; }
	done <<-'EOF'
		limit fds 20|limit fds 10 in app
		limit fds 20 in app|limit fds 10
		limit sockets 20|limit sockets 30 tree
		limit sockets 20 tree in app|limit sockets 10 tree in other
		limit connections 10 to :80|limit connections 10
		limit connections 10|limit connections 9 to :80
		limit memory|limit memory
		fail connect error EINTR|fail connect error EINTR
		fail connect error EINTR|fail connect tcp :80 error ETIMEDOUT when 3
	EOF
}

@test "a fault of calls that are all denied never has a turn; deny accept comes later" {
	while IFS='|' read -r policy fault; do
		check -r "$policy" -r "$fault"
		[[ "$stderr" == *"-r:2:1: warning: this fault never has a turn"* ]] ||
			{ echo "$policy; $fault"; return 1; }
	done <<-'EOF'
		deny connect|fail connect error EINTR
		deny connect tcp 10.0.0.0/8|fail connect tcp 10.0.0.1:80 error EINTR when 3
		deny connect tcp; deny connect|delay connect by 1s
		allow connect udp; deny connect tcp|fail connect tcp error EINTR
		deny bind in app-*|fail bind in app-1 error EINTR
	EOF
	while IFS='|' read -r policy fault; do
		check -r "$policy" -r "$fault"
		[[ "$stderr" != *"never has a turn"* ]] || { echo "$policy; $fault"; return 1; }
	done <<-'EOF'
		deny connect|fail any error EINTR
		deny accept|fail accept error EMFILE
		deny send|fail send error EPIPE
		allow connect tcp :80; deny connect|fail connect error EINTR
		deny connect in app|fail connect error EINTR
	EOF
}

@test "calls that name no path of a unix socket" {
	check -r 'deny accept unix local /run/x.sock'
	[[ "$stderr" == *"warning: this rule can never match: the call names no path"* ]]
	check -r 'deny bind unix /run/x.sock; fail any unix /run/x.sock error EINTR'
	[ -z "$stderr" ]
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

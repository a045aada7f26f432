#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tcpshim explain: what would happen to a call, and which rule says so.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash

setup() {
	rules=$BATS_TEST_TMPDIR/web.rules
	cat >"$rules" <<-'EOF'
		allow  bind    tcp 127.0.0.1:8080
		move   bind    tcp :80 to 127.0.0.1:8080
		deny   bind    tcp :1-1023
		move   connect tcp 10.0.0.5:5432 to 127.0.0.1:15432
		move   connect tcp 10.0.0.6:5432 to [::1]:15432
		assign bind    tcp :0 from 40000-40999
		assign connect tcp 10.0.0.0/8 from auto
		deny   connect unix /run/*.sock error ECONNREFUSED
		deny   accept  tcp 192.0.2.0/24
		deny   send    udp local :53
		deny   connect any in app-worker
	EOF
}

# explain STATUS CALL [OPTION]...
explain() {
	wanted=$1
	shift
	run "$tool" explain -f "$rules" "$@"
	[ "$status" = "$wanted" ] || return 1
}

@test "denied: the rule, its place, the errno; status 3" {
	explain 3 'bind tcp 0.0.0.0:443'
	[ "${lines[0]}" = "bind tcp 0.0.0.0:443: denied by rule 3, $rules:3: deny bind tcp :1-1023" ]
	[ "${lines[1]}" = "  the program sees EACCES: Permission denied" ]
	explain 3 'connect unix /run/x.sock'
	[[ "$output" == *"rule 8, "*"sees ECONNREFUSED"* ]]
}

@test "moved: where to, and what the program is told" {
	explain 0 'connect tcp 10.0.0.5:5432'
	[[ "${lines[0]}" == *": moved by rule 4, $rules:4: "* ]]
	[ "${lines[1]}" = "  it goes to 127.0.0.1:15432; getpeername tells the program 10.0.0.5:5432" ]
	explain 0 'bind tcp [::]:80'
	[[ "$output" == *"goes to 127.0.0.1:8080; getsockname tells the program [::]:80"* ]]
}

@test "a move that the socket cannot make is refused" {
	explain 3 'connect tcp 10.0.0.6:5432'
	[[ "$output" == *"cannot go to [::1]:15432"*"sees EAFNOSUPPORT"* ]]
	explain 0 'connect tcp [::ffff:10.0.0.6]:5432'
	[[ "$output" == *"goes to [::1]:15432"* ]]
}

@test "assigned: the range; a listen that is not bound is asked as a bind to port 0" {
	explain 0 'bind tcp :0'
	[[ "$output" == *"assigned by rule 6, "*"port from 40000-40999 (by the kernel)"* ]] ||
		[[ "$output" == *"port from 40000-40999 (outside"* ]]
	for call in 'listen tcp' 'listen tcp *:0'; do
		explain 0 "$call"
		[[ "$output" == *"assigned by rule 6, "*"as a bind to port 0"* ]]
	done
	explain 0 'listen tcp :9999'
	[[ "$output" == *": allowed: no rule matches"* ]]
	explain 0 'connect tcp 10.1.1.1:80'
	[[ "$output" == *"assigned by rule 7, "*"slice of the session's own"* ]]
	explain 0 'connect tcp 10.1.1.1:80 local 10.9.9.9:1234'
	[[ "$output" == *"allowed by rule 7, "*"it has one"* ]]
}

@test "accept and send have their own ends" {
	explain 3 'accept tcp 192.0.2.9:4000 local :80'
	[[ "$output" == *"denied by rule 9, "*"taken and reset"*"sees the next one, or EAGAIN"* ]]
	run "$tool" explain -r 'deny accept tcp 192.0.2.0/24 error ECONNABORTED' 'accept tcp 192.0.2.9'
	[[ "$output" == *"taken and reset"*"sees ECONNABORTED"* ]]
	explain 0 'accept tcp 192.0.3.9 local :80'
	explain 3 'send udp 8.8.8.8:53 local :53'
	explain 0 'send udp 8.8.8.8:53'
	[[ "$output" == *"no local endpoint yet"* ]]
}

@test "why not the rules before: those for the same call, all with -v" {
	explain 3 'bind tcp 127.0.0.1:90'
	[[ "$output" == *"not rule 1, "*"because the local endpoint 127.0.0.1:90 is not 127.0.0.1:8080"* ]]
	[[ "$output" == *"not rule 2, "*"is not :80"* ]]
	[[ "$output" != *"rule 4"* ]]
	explain 3 'connect unix /run/x.sock'
	[[ "$output" == *"not rule 4, "*"because it is for another protocol"* ]]
	[[ "$output" == *"nor 4 rules for other calls"* ]]
	explain 0 'connect unix @x' -v
	[[ "$output" == *"not rule 1, "*"because it is for other calls"* ]]
	[[ "$output" == *"not rule 8, "*"because @x is not /run/*.sock"* ]]
}

@test "--in: the program's name or path" {
	explain 0 'connect tcp 1.2.3.4:80'
	[[ "$output" == *"not rule 11, "*"say which with --in"* ]]
	explain 0 'connect tcp 1.2.3.4:80' --in curl
	[[ "$output" == *"because the program is curl"* ]]
	explain 3 'connect tcp 1.2.3.4:80' --in app-worker
	explain 3 'connect tcp 1.2.3.4:80' --in /opt/bin/app-worker
}

@test "several calls: 3 if one is denied; words without quotes are one call" {
	explain 3 'bind tcp :80' 'bind tcp :81' 'bind tcp :8080'
	[ "$(grep -c '^bind' <<<"$output")" = 3 ]
	explain 3 bind tcp :81
	[[ "${lines[0]}" == "bind tcp :81: denied "* ]]
}

@test "a call that makes no sense: 125, and what was expected" {
	while IFS='|' read -r call expected; do
		run "$tool" explain -f "$rules" "$call"
		[ "$status" = 125 ]
		[[ "$output" == "tcpshim explain: "*"$expected"* ]]
	done <<-'EOF'
		bnd tcp :80|'bnd': expected socket, bind
		getaddrinfo tcp|'tcp': getaddrinfo has no protocol
		close tcp :80|':80': close has no such endpoint
		recv tcp :80|':80': recv needs a whole address
		bind|expected tcp, udp or unix
		bind sctp :80|'sctp': expected tcp, udp or unix
		bind tcp|expected an endpoint
		bind tcp :65536|':65536': expected an endpoint
		bind tcp 1.2.3:80|'1.2.3:80': expected an endpoint
		bind tcp [::1:80|expected an endpoint
		bind tcp 10.0.0.1|expected a port
		bind tcp :80 remote 1.2.3.4:5|bind has no such endpoint
		bind tcp :80 local :81|one endpoint is enough
		connect tcp :80|needs a whole address
		connect tcp 10.0.0.1:80 local|expected an endpoint behind 'local'
		connect unix|expected a path
		socket tcp :80|socket has no such endpoint
	EOF
	run "$tool" explain -f "$rules"
	[ "$status" = 125 ]
}

@test "rules: words, the environment, those of a session; none is an error" {
	run "$tool" explain -r 'deny bind any' 'bind udp :5'
	[ "$status" = 3 ]
	run env TCPSHIM_RULES='deny bind any' "$tool" explain 'bind udp :5'
	[ "$status" = 3 ]
	run "$tool" explain 'bind udp :5'
	[ "$status" = 125 ]
	run "$tool" explain -r 'dny bind any' 'bind udp :5'
	[ "$status" = 125 ]
	session=$BATS_TEST_TMPDIR/session.tcpshim
	"$tool" run -q -o "$session" -r 'deny bind udp :5' true
	run env TCPSHIM_RULES='allow any' "$tool" explain --session "$session" 'bind udp :5'
	[ "$status" = 3 ]
	[[ "$output" == *"rule 1, -r:1: deny bind udp :5"* ]]
	run "$tool" explain --session "$session" -r 'allow any' 'bind udp :5'
	[ "$status" = 125 ]
	rm "$session"
	"$tool" run -q -o "$session" true
	run "$tool" explain --session "$session" 'bind udp :5'
	[ "$status" = 125 ]
	[[ "$output" == *"has no rules"* ]]
}

# faults RULES CALL...: those of a session that has just begun
faults() {
	run "$tool" explain -r "$@"
	[ "$status" = 0 ]
}

@test "faults: each call has the next turn; the first decides, delays are said" {
	faults 'fail connect tcp :80 error ETIMEDOUT when 2..3; delay connect by 200ms; fail connect error EINTR' \
		'connect tcp 10.0.0.1:80' 'connect tcp 10.0.0.1:80' 'connect tcp 10.0.0.1:81'
	[ "${lines[0]}" = "connect tcp 10.0.0.1:80: allowed: no rule of policy matches" ]
	[ "${lines[1]}" = "  is call 1 of rule 1, -r:1: fail connect tcp :80 error ETIMEDOUT when 2..3" ]
	[ "${lines[2]}" = "      not its turn; ETIMEDOUT: calls 2 to 3" ]
	[ "${lines[4]}" = "      it is 200 ms late" ]
	[ "${lines[6]}" = "      the program sees EINTR: Interrupted system call" ]
	[[ "${lines[8]}" == "  is call 2 of rule 1, "* ]]
	[ "${lines[9]}" = "      the program sees ETIMEDOUT: Connection timed out" ]
	[ "${lines[13]}" = "      rule 1 fails it before" ]
	[[ "${lines[15]}" == "  is call 3 of rule 2, "* ]] # rule 1 does not match
}

@test "faults: what is drawn, what time or sockets decide, is perhaps" {
	faults 'fail accept error EMFILE probability 5%; delay accept by 10ms jitter 5ms after 1s for 2s while 3' \
		'accept tcp local :80'
	[[ "$output" == *"perhaps EMFILE, with a chance of 5%"* ]]
	[[ "$output" == *"perhaps 5 ms to 15 ms late, once the session is 1 s old, for 2 s, while 3 sockets or more are open"* ]]
}

@test "faults: recv, close, getaddrinfo; a call that is denied meets none" {
	faults 'fail recv tcp 10.0.0.1 error ECONNRESET; fail getaddrinfo error EAI_AGAIN; fail close error EIO when 2; fail send error EPIPE' \
		'recv tcp' 'recv tcp 10.0.0.1' getaddrinfo 'close udp' 'send tcp'
	[ "${lines[0]}" = "recv tcp: allowed: no rule matches" ]
	[[ "$output" == *"recv tcp 10.0.0.1: allowed"*"sees ECONNRESET: Connection reset by peer"* ]]
	[[ "$output" == *"sees EAI_AGAIN: Temporary failure in name resolution"* ]]
	[[ "$output" == *"close udp: allowed"*"not its turn; EIO"* ]]
	[[ "$output" == *"sees EPIPE: Broken pipe"* ]]
	run "$tool" explain -r 'deny connect; fail connect error EINTR; limit connections 3' 'connect tcp 10.0.0.1:80'
	[ "$status" = 3 ]
	[[ "$output" != *EINTR* && "$output" != *connections* ]]
}

@test "limits: those that count the call, of several for a process the one that holds" {
	rules='limit fds 5; limit fds 6 in app; limit sockets 9 tree; limit connections 3 to :80; limit ports 4; limit backlog 2'
	run "$tool" explain -r "$rules" 'socket tcp' 'connect tcp 10.0.0.1:80' 'connect tcp 10.0.0.1:81' \
		'accept tcp local :80' 'bind tcp :0' 'bind tcp :80' 'listen tcp :80' --in app
	[ "$status" = 0 ]
	[ "$(grep -c '^  counts for' <<<"$output")" = 10 ]
	[ "$(grep -A1 "^  counts for rule 2" <<<"$output" | tail -1)" = "      at most 6 descriptors a process, then EMFILE" ]
	for rule in 2:2 3:2 4:2 5:3 6:1; do
		[ "$(grep -c "^  counts for rule ${rule%:*}," <<<"$output")" = "${rule#*:}" ]
	done
	run "$tool" explain -r "$rules" 'socket tcp'
	[[ "$output" == *"counts for rule 1, "* && "$output" != *"rule 2"* ]]
}

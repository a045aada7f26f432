#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What fails under a rule fails as it does in the kernel, and leaves behind what the kernel
# leaves. Programs run bare, where the kernel has its reason, and under the rule.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash
load lib/session.bash

setup() {
	exhaust=$build/tests/exhaust
	port=$(free_ports 1)
}

# alike RULES COMMAND...: the same, and the program has come to its end
alike() {
	same "$@" || return
	if grep -E '^(status|cannot go on|needs a port|no such part)' "$BATS_TEST_TMPDIR/bare"; then
		return 1
	fi
}

@test "connect refused: at once, later, told by sixteen ways of asking" {
	alike "fail connect tcp 127.0.0.1:$port error ECONNREFUSED" "$exhaust/faults_connect" at-once "$port"
	alike "fail connect tcp 127.0.0.1:$port error ECONNREFUSED" "$exhaust/faults_connect" later "$port"
}

@test "connect refused: IPv6, mapped, bound, fast open, in a child" {
	local part

	for part in six bound fast-open child; do
		alike "fail connect tcp :$port error ECONNREFUSED" "$exhaust/faults_connect" $part "$port"
	done
}

@test "connect times out: as where nothing comes back" {
	alike "fail connect tcp 127.0.0.1:$port error ETIMEDOUT" "$exhaust/faults_connect" silence "$port"
}

@test "a reset: the connection is gone on both sides, whatever tells it" {
	# each connection has a first send (recv) of its own, which fails
	alike 'fail send tcp error ECONNRESET when 1+1' "$exhaust/faults_bytes" reset-send
	alike 'fail recv tcp error ECONNRESET when 1+1' "$exhaust/faults_bytes" reset-recv
}

@test "a broken pipe: SIGPIPE where the kernel raises it; unix sockets, too" {
	alike 'fail send tcp error EPIPE' "$exhaust/faults_bytes" pipe
	same 'fail send tcp error EPIPE' "$exhaust/faults_bytes" pipe-ends
	alike 'fail send unix error EPIPE' "$exhaust/faults_bytes" unix
}

@test "EAGAIN: nothing is sent, nothing is consumed" {
	alike 'fail recv tcp error EAGAIN when 1+2' "$exhaust/faults_bytes" not-now
}

@test "what the kernel says first, it still says" {
	local error

	for error in ECONNRESET ENOBUFS EINTR ENETDOWN; do
		# in order: the sockets that the program needs, then those that are wrong
		alike "fail send error! $error; fail recv error! $error; fail socket error! $error when 7+1
			fail accept error! $error when 2+1; fail bind error! $error when 3+1
			fail listen error! $error when 3+1; fail connect error! $error when 2+1
			fail close error! $error when 2+1" "$exhaust/faults_bytes" order
	done
}

# A network of one's own, or the test is skipped; with ways that lead nowhere.
apart() {
	space=(unshare -n)
	[ "$(id -u)" = 0 ] || space=(unshare -rn)
	if ! "${space[@]}" true 2>/dev/null; then
		skip "no network namespace to be had here"
	fi
	space+=(sh -c 'ip link set lo up
		ip link add v0 type veth peer name v1 && ip addr add 10.9.0.1/24 dev v0 &&
		ip link set v0 up && ip link set v1 up && ip route add prohibit 10.7.0.0/24
		exec "$@"' sh)
}

@test "a connection that is lost: ETIMEDOUT, and all that follows" {
	apart
	alike 'fail recv tcp error ETIMEDOUT when 1; fail send tcp error ETIMEDOUT when 3' \
		"${space[@]}" "$exhaust/faults_bytes" lost
}

# nowhere ERROR ADDRESS [later]: no way there, in a network of one's own and under a rule
nowhere() {
	local error=$1
	shift

	"${space[@]}" "$exhaust/faults_connect" connect-to "$1" 5 "${@:2}" >"$BATS_TEST_TMPDIR/bare"
	TCPSHIM_SESSION=off ruled "fail connect error $error" \
		"$exhaust/faults_connect" connect-to "$1" 5 "${@:2}" >"$BATS_TEST_TMPDIR/ruled"
	grep -q "$error" "$BATS_TEST_TMPDIR/ruled"
	# of what ICMP has told, POLLERR stays when the error has been read
	sed -i '/^SO_ERROR\|^connect.*-1 [^I]*$/,$s/1\(c\|d\)\b/1\1/; s/ 1c/ 14/g' "$BATS_TEST_TMPDIR/bare"
	sed -i '/^SO_ERROR/,$s/ 201d/ 2015/g' "$BATS_TEST_TMPDIR/bare"
	diff "$BATS_TEST_TMPDIR/bare" "$BATS_TEST_TMPDIR/ruled"
}

@test "no way there: at once or later, as the network says it" {
	apart
	nowhere EHOSTUNREACH 10.9.0.2
	nowhere EHOSTUNREACH 10.9.0.2 later
	nowhere ENETUNREACH 192.0.2.1
	nowhere ENETUNREACH 192.0.2.1 later
	nowhere ENETUNREACH 2001:db8::1 later
	nowhere EACCES 10.7.0.1 later
}

@test "accept: the connection stays, readable, and is the next" {
	alike 'fail accept error EMFILE when 1..5+2; fail accept error EMFILE when 7' \
		"$exhaust/faults_others" accept
}

@test "connect interrupted: it is made all the same" {
	alike 'fail connect error EINTR when 2' "$exhaust/faults_others" interrupted
	ruled 'fail connect error EINTR when 2' "$exhaust/faults_others" interrupted
	has 1 '"call":"connect"' '"errno":"EINTR"' '"verdict":"failed"'
	# the other side's, and this one's: told by SO_ERROR, and by the next connect
	has 3 '"call":"connect"' '"result":0' '"remote":'
}

@test "close has closed; socket, socketpair, bind, listen have made nothing; getaddrinfo" {
	run -0 ruled 'fail close error EIO when 2; fail close error EINTR when 3+' \
		"$exhaust/faults_others" close
	[ "${lines[0]}" = 'close(pair[0]) = -1 EIO' ]
	[ "${lines[1]}" = 'fcntl(pair[0], F_GETFD) = -1 EBADF' ]
	[ "${lines[2]}" = 'recv(pair[1], &byte, 1, 0) = 0' ]
	[ "${lines[4]}" = 'syscall(SYS_close, pair[1]) = -1 EINTR' ]
	[ "${lines[5]}" = 'close(pair[1]) = -1 EBADF' ]
	[ "${lines[7]}" = 'close(pair[0]) = -1 EBADF' ]
	has 1 '"call":"close"' '"errno":"EIO"'
	has 2 '"call":"close"' '"verdict":"failed"'
	run -0 ruled 'fail socket error ENOBUFS when 1..2; fail bind error EADDRINUSE when 1
		fail listen error EADDRINUSE when 1' "$exhaust/faults_others" made
	[[ "$output" = *'socket(AF_INET, SOCK_STREAM, 0) = -1 ENOBUFS'*'-1 -1'*'port 0'*'bind(fd, AT(any)) = 0'* ]]
	run -0 ruled 'fail getaddrinfo error EAI_AGAIN when 1; fail getaddrinfo error EMFILE when 2
		fail getaddrinfo error EAI_FAIL in nobody' "$exhaust/faults_others" resolve
	[ "$output" = $'getaddrinfo: -3\ngetaddrinfo: -11 EMFILE\ngetaddrinfo: 0' ]
}

@test "in signal handlers; and where no other calls may be made" {
	local mode

	for mode in "$session" off; do
		TCPSHIM_SESSION=$mode run -0 ruled 'fail connect error ETIMEDOUT when 2+2' "$exhaust/faults_others" handler
		[ "$output" = $'passed\nfailed\npassed\nfailed\npassed' ]
		rm -f "$session"
		TCPSHIM_SESSION=$mode run -0 ruled 'fail connect error ETIMEDOUT when 2..3+1; fail send error EPIPE
			fail recv error ECONNRESET; fail socket error ENOBUFS when 7; fail accept error EMFILE when 2
			fail bind error EADDRINUSE when 3; fail listen error EADDRINUSE when 3
			fail close error EIO when 2' "$exhaust/faults_others" sandbox
		[ "${lines[-1]}" = alive ]
		[ "${lines[0]} ${lines[1]} ${lines[2]}" = 'connect(fds[0], AT(to)) = -1 ETIMEDOUT connect(fds[1], AT(to)) = -1 EINPROGRESS connect(fds[1], AT(to)) = -1 ETIMEDOUT' ]
		rm -f "$session"
	done
}

@test "the record: EINPROGRESS first, with the rule; then the error" {
	ruled "fail connect tcp 127.0.0.1:$port error ETIMEDOUT" "$exhaust/faults_connect" child "$port"
	has 1 '"call":"connect"' '"errno":"EINPROGRESS"' '"verdict":"failed"' '"rule":1'
	has 1 '"call":"connect"' '"errno":"ETIMEDOUT"' '"verdict":"passed"'
	has 2 '"call":"connect"' ":$port"
}

@test "each message of sendmmsg and recvmmsg is a call" {
	run -0 ruled 'fail send udp error ENOBUFS when 3; fail recv udp error ENOMEM when 2' \
		"$exhaust/faults_bytes" messages
	[ "$(sed 's/.* = //' <<<"$output" | paste -sd' ')" = '2 3 1 4 -1 EAGAIN -1 EFAULT 3 3' ]
}

# fails RULES COUNT: which of so many calls do
fails() {
	run -0 ruled "$1" "$exhaust/faults_count" pattern "$2"
	echo "$1: $output"
	output=$output
}

@test "whose turn it is: when, in all its forms, and rules in order" {
	fails 'fail socket error ENOBUFS when 3' 8
	[ "$output" = ..B..... ]
	fails 'fail socket error ENOBUFS when 3+' 8
	[ "$output" = ..BBBBBB ]
	fails 'fail socket error ENOBUFS when 2..4' 8
	[ "$output" = .BBB.... ]
	fails 'fail socket error ENOBUFS when 2+3' 8
	[ "$output" = .B..B..B ]
	fails 'fail socket error ENOBUFS when 1..5+2' 8
	[ "$output" = B.B.B... ]
	fails 'fail socket error ENOBUFS when 1..2; fail socket error EMFILE when 7' 8
	[ "$output" = BB....M. ]
	fails 'fail socket error ENOBUFS when 2+2; fail socket error EMFILE when 3+3; fail socket error! ENOMEM' 6
	[ "$output" = mBMBmB ]
	fails 'fail socket error ENOBUFS probability 0%' 50
	[[ "$output" != *B* ]]
	fails 'fail socket error ENOBUFS probability 100%' 50
	[[ "$output" != *.* ]]
	fails 'fail socket error ENOBUFS in nobody; fail socket error EMFILE in faults_*' 3
	[ "$output" = MMM ]
}

@test "in time; and while sockets are open" {
	run -0 ruled 'fail socket error ENOBUFS after 500ms for 1s' "$exhaust/faults_count" waiting
	[ "$output" = .B. ]
	run -0 ruled 'fail socket error ENOBUFS while 3' "$exhaust/faults_count" opening 9
	[ "$output" = ...F.F.F. ]
}

@test "threads, processes, programs: the number of failures is exact" {
	run -0 ruled 'fail socket error ENOBUFS when 3+3' "$exhaust/faults_count" many 4 3 250
	[ "$output" = 2000 ]
	run -0 ruled 'fail socket error ENOBUFS when 100..1099' "$exhaust/faults_count" many 4 3 250
	[ "$output" = 1000 ]
}

@test "the seed decides, and chance is fair" {
	local seed one two all=

	TCPSHIM_SEED=1 fails 'fail socket error ENOBUFS probability 30%' 200
	one=$output
	TCPSHIM_SEED=1 fails 'fail socket error ENOBUFS probability 30%' 200
	[ "$output" = "$one" ]
	TCPSHIM_SEED=2 fails 'fail socket error ENOBUFS probability 30%' 200
	two=$output
	[ "$two" != "$one" ]
	# another rule changes nothing of what this one draws
	TCPSHIM_SEED=1 fails 'fail bind error ENOBUFS probability 50%; fail socket error ENOBUFS probability 30%' 200
	[ "$output" = "$one" ]
	for seed in {1..40}; do
		TCPSHIM_SEED=$seed fails 'fail socket error ENOBUFS probability 30%' 200
		all+=${output//./}
	done
	echo "${#all} of 8000"
	# 2400 are expected; 205 are five times the binomial's deviation
	[ ${#all} -gt 2195 ]
	[ ${#all} -lt 2605 ]
}

@test "musl" {
	needs_musl=$(command -v musl-gcc) || skip "no musl"
	"$needs_musl" -std=gnu11 -D_GNU_SOURCE -I. -o "$BATS_TEST_TMPDIR/count" tests/exhaust/faults_count.c
	TCPSHIM_SESSION=off run -0 ruled 'fail socket error ENOBUFS when 2+3' "$BATS_TEST_TMPDIR/count" pattern 8
	[ "$output" = .B..B..B ]
	"$needs_musl" -std=gnu11 -D_GNU_SOURCE -I. -o "$BATS_TEST_TMPDIR/connect" tests/exhaust/faults_connect.c
	alike "fail connect tcp 127.0.0.1:$port error ECONNREFUSED" "$BATS_TEST_TMPDIR/connect" later "$port"
}

@test "a service that was started with its connection: bytes of stdin and stdout" {
	run -0 --separate-stderr "$python" - "$lib" <<-'END'
		import os, socket, subprocess, sys
		listener = socket.create_server(("127.0.0.1", 0))
		client = socket.create_connection(listener.getsockname())
		server, _ = listener.accept()
		client.send(b"hello")
		client.shutdown(socket.SHUT_WR)
		rules = "fail recv error ECONNRESET when 1"
		env = dict(os.environ, LD_PRELOAD=sys.argv[1], TCPSHIM_SESSION="off", TCPSHIM_RULES=rules)
		print(subprocess.run(["cat"], stdin=server, env=env, capture_output=True).stderr.decode())
	END
	[[ "$output" = *'Connection reset by peer'* ]]
}

@test "Python: an interrupted connect that a rule moves; asyncio meets every end" {
	local other

	other=$(free_ports 1)
	TCPSHIM_SESSION=off run -0 --separate-stderr ruled "move connect tcp :$port to 127.0.0.1:$other
		fail connect error EINTR when 1" "$python" tests/exhaust/faults.py moved "$port" "$other"
	[ "$output" = $'True\nhello' ]
	TCPSHIM_SESSION=off run -0 --separate-stderr ruled 'fail connect error ETIMEDOUT when 1
		fail connect error ECONNREFUSED when 2; fail connect error ENETUNREACH when 3
		fail recv tcp error ECONNRESET when 1' "$python" tests/exhaust/faults.py asyncio 5
	[ "$output" = 'ETIMEDOUT ECONNREFUSED ENETUNREACH ECONNRESET served' ]
}

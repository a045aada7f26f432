#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tcpshim diff: what is new and what is gone between two sessions, and what is another in
# every run and yet no difference.
# shellcheck disable=SC2154 # variables of common.bash

load lib/common.bash

bats_require_minimum_version 1.5.0

setup() {
	port=$(free_port)
	dir=$BATS_TEST_TMPDIR
}

# session NAME CODE...: a session of a Python program, to $dir/NAME
session() {
	local name=$1
	shift

	"$tool" run -q -o "$dir/$name" "$python" -c "import socket
def tcp(): return socket.socket()
def udp(): return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def unix(): return socket.socket(socket.AF_UNIX)
host, port, keep = '127.0.0.1', $port, []
def listen(end):
    keep.append(tcp()); keep[-1].bind(end); keep[-1].listen(); return keep[-1]
$1"
}

# differs STATUS LINE...: base and session differ so; and the other way round the signs
# change
differs() {
	local status=$1
	shift

	run -"$status" --separate-stderr "$tool" diff "$dir/base" "$dir/session"
	[ "$stderr" = "" ]
	diff <(printf '%s' "${*:+$(printf '%s\n' "$@")}") <(printf '%s' "$output")
}

@test "a session and itself" {
	session base 'listen((host, port)); tcp().connect((host, port))'
	cp "$dir/base" "$dir/session"
	differs 0
}

@test "new and gone: listeners, bound ports, destinations, peers, paths" {
	session base "listen((host, port)); tcp().connect((host, port))
udp().sendto(b'x', (host, port + 1)); udp().bind((host, port + 2))
unix().connect_ex('/run/no/base')"
	session session "listen((host, port + 3)); tcp().connect((host, port + 3))
udp().sendto(b'x', (host, port + 4)); udp().bind((host, port + 5))
tcp().bind((host, port + 6)); tcp().connect_ex((host, port + 7))
unix().connect_ex('/run/no/session')"
	name=${python##*/}
	differs 1 "+ bind tcp 127.0.0.1:$((port + 6))  $name" \
		"+ bind udp 127.0.0.1:$((port + 5))  $name" \
		"+ listen tcp 127.0.0.1:$((port + 3))  $name" \
		"+ connect tcp 127.0.0.1:$((port + 3))  $name" \
		"+ connect tcp 127.0.0.1:$((port + 7))  $name, failed ECONNREFUSED 1" \
		"+ connect unix /run/no/session  $name, failed ENOENT 1" \
		"+ send udp 127.0.0.1:$((port + 4))  $name" \
		"- bind udp 127.0.0.1:$((port + 2))  $name" \
		"- listen tcp 127.0.0.1:$port  $name" \
		"- connect tcp 127.0.0.1:$port  $name" \
		"- connect unix /run/no/base  $name, failed ENOENT 1" \
		"- send udp 127.0.0.1:$((port + 1))  $name"
}

@test "what is gone alone is no failure" {
	session base 'tcp().connect_ex((host, port)); tcp().connect_ex((host, port + 1))'
	session session 'tcp().connect_ex((host, port))'
	differs 0 "- connect tcp 127.0.0.1:$((port + 1))  ${python##*/}, failed ECONNREFUSED 1"
}

@test "ports of the kernel's choice, clients and random names are no difference" {
	local code="listener = listen((host, 0))
for i in range(int('%s')):
    tcp().connect(listener.getsockname()); listener.accept()
    client = tcp(); client.bind((host, 0)); client.connect(listener.getsockname())
server = udp(); server.bind((host, port)); client = udp(); client.sendto(b'x', (host, port))
server.sendto(b'y', server.recvfrom(9)[1])
import tempfile, os
d = tempfile.mkdtemp(dir='/tmp'); unix().bind(d + '/sock'); os.unlink(d + '/sock'); os.rmdir(d)"

	# shellcheck disable=SC2059
	session base "$(printf "$code" 1)"
	# shellcheck disable=SC2059
	session session "$(printf "$code" 5)"
	differs 0
}

@test "a new listener at any port is new" {
	session base ''
	session session 'listen((host, 0))'
	differs 1 "+ listen tcp 127.0.0.1:0  ${python##*/}, a port that the kernel chose"
}

@test "a port of the kernel's range that was asked for is not any port" {
	read -r _ port </proc/sys/net/ipv4/ip_local_port_range
	while [ -n "$(ss -Hatun "sport = :$port")" ]; do
		port=$((port - 1))
	done
	session base 'listen((host, 0))'
	session session 'listen((host, 0)); listen((host, port))'
	differs 1 "+ listen tcp 127.0.0.1:$port  ${python##*/}"
}

@test "what was denied was tried: that is new, and never gone" {
	session base ''
	"$tool" run -q -r 'deny connect any' -o "$dir/session" "$python" -c \
		"import socket; socket.socket().connect_ex(('127.0.0.1', $port))"
	differs 1 "+ connect tcp 127.0.0.1:$port  ${python##*/}, denied"
	run -0 "$tool" diff "$dir/session" "$dir/base"
	[ "$output" = '' ]
}

@test "what a rule failed was tried; what it did to the bytes of a connection is no difference" {
	local talk="
import socket
s = socket.socket()
s.bind((host, port))
s.listen()
c = socket.create_connection((host, port))
s.accept()[0].send(b'y')
for call in (lambda: c.send(b'x'), lambda: c.recv(9)):
	try: call()
	except OSError: pass"

	session base ''
	"$tool" run -q -r 'fail connect error ETIMEDOUT' -o "$dir/session" "$python" -c \
		"import socket; socket.socket().connect_ex(('127.0.0.1', $port))"
	differs 1 "+ connect tcp 127.0.0.1:$port  ${python##*/}, failed ETIMEDOUT 1"
	for name in base session; do
		rm -f "$dir/$name"
		rules=$([ $name = base ] || echo 'delay send by 1ms; fail recv error ECONNRESET')
		"$tool" run -q -r "$rules" -o "$dir/$name" "$python" -c "
host, port = '127.0.0.1', $port$talk"
	done
	differs 0
}

@test "by program" {
	session base 'tcp().connect_ex((host, port))'
	cp "$python" "$dir/other"
	PYTHONHOME=$("$python" -c 'import sys; print(sys.prefix)') "$tool" run -q \
		-o "$dir/session" "$dir/other" -c \
		"import socket; socket.socket().connect_ex(('127.0.0.1', $port))"
	differs 0
	run -1 "$tool" diff --by-program "$dir/base" "$dir/session"
	[ "${lines[0]}" = "+ connect tcp 127.0.0.1:$port  other, failed ECONNREFUSED 1" ]
	[ "${lines[1]}" = "- connect tcp 127.0.0.1:$port  ${python##*/}, failed ECONNREFUSED 1" ]
}

@test "as JSON" {
	session base 'tcp().connect_ex((host, port))'
	session session "unix().connect_ex('/run/no/\"\\n\\x1b'); listen((host, 0))"
	run -1 --separate-stderr "$tool" diff --json "$dir/base" "$dir/session"
	[ "$(jq -r '.format, .base, .session' <<<"$output")" = "$(printf '%s\n' 1 "$dir/base" "$dir/session")" ]
	[ "$(jq -r '.new | map(.call) | join(" ")' <<<"$output")" = 'listen connect' ]
	[ "$(jq -r '.new[0] | .address, .any_port' <<<"$output")" = $'127.0.0.1:0\ntrue' ]
	[ "$(jq -r '.new[1].path' <<<"$output")" = $'/run/no/"\n\033' ]
	[ "$(jq -r '.gone[0] | .proto, .address, .programs[0], .count, .failed' <<<"$output")" = \
		"$(printf '%s\n' tcp "127.0.0.1:$port" "${python##*/}" 1 1)" ]
	run -0 "$tool" diff --json "$dir/base" "$dir/base"
	[ "$(jq -c '[.new, .gone]' <<<"$output")" = '[[],[]]' ]
}

@test "a terminal obeys nothing of it" {
	session base ''
	session session "unix().connect_ex('/run/no/\\n+ connect tcp 1.2.3.4:5\\x1b[2J')"
	differs 1 "+ connect unix /run/no/\\n+ connect tcp 1.2.3.4:5\\x1b[2J  ${python##*/}, failed ENOENT 1"
}

@test "processes that were not seen are told of" {
	session base ''
	"$tool" run -q -o "$dir/session" bash -c "'$build/tests/stress/static'; :"
	run -0 --separate-stderr "$tool" diff "$dir/base" "$dir/session"
	[[ $stderr == "tcpshim diff: warning: "*"1 process not seen"* ]]
	"$tool" run -q -o "$dir/nothing" "$build/tests/stress/static"
	run -0 --separate-stderr "$tool" diff "$dir/base" "$dir/nothing"
	[[ $stderr == "tcpshim diff: warning: "*"no process was seen" ]]
}

@test "trouble: 125 and a line on stderr" {
	session base ''
	for arguments in "$dir/base" "$dir/base $dir/base $dir/base" "$dir/base $dir/none" \
		"$dir/none $dir/base" "--wrong $dir/base $dir/base"; do
		# shellcheck disable=SC2086
		run -125 --separate-stderr "$tool" diff $arguments
		[ "$output" = "" ]
		[[ $stderr == "tcpshim diff: "* ]]
	done
	session session 'tcp().connect_ex((host, port))'
	run -125 --separate-stderr bash -c "'$tool' diff '$dir/base' '$dir/session' >/dev/full"
	[[ $stderr == *"cannot write"* ]]
}

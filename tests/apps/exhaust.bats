#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Real programs that run short: each kind of limit, some faults, and what each of them does.
# Servers meet 40 clients at once that stay for a moment; then these go, and a new one comes.
# Clients ask 20 times at once.
# shellcheck disable=SC2016 # variables of scripts

bats_require_minimum_version 1.5.0
load ../lib/common.bash
load ../lib/alone.bash

setup() {
	home_of tests/apps
}

# scenario <SCRIPT: a script of bash that fails when a line fails
scenario() {
	{
		printf '%s\n' 'set -euE' 'PATH=$PWD/build:$PATH' \
			'trap '\''echo "line $LINENO: $BASH_COMMAND"; tail -n 5 log'\'' ERR' \
			'trap '\''kill $(jobs -p) 2>/dev/null || true; wait || true'\'' EXIT' \
			"$(declare -f within listens serve ask tell logged finds)"
		cat
	} >"$home/scenario"
	alone bash ./scenario
}

listens() {
	[ -n "$(ss -Hltn "sport = :$1")" ]
}

# serve RULES: run $server, which serves at port 9100 what $request asks for, under them,
# and call it. Its output is in the file log, its session in s.tcpshim.
serve() {
	rm -f s.tcpshim
	# shellcheck disable=SC2086 # words
	tcpshim run -q -o s.tcpshim -r "$1" $server >log 2>&1 &
	within 10 listens 9100
	python3 apps/exhaust_load.py 9100 40 "$request"
	kill %%
	wait %% || true
}

# ask RULES: run $client under them, which asks port 9100 twenty times at once
ask() {
	rm -f s.tcpshim
	# shellcheck disable=SC2086 # words
	tcpshim run -q -o s.tcpshim -r "$1" $client 9100 20 2>log
}

# tell PATTERN COMMAND...: what it prints looks like this
tell() {
	local told
	told=$("${@:2}")

	# shellcheck disable=SC2053 # a pattern
	if [[ $told != $1 ]]; then
		echo "expected $1, but: $told"
		return 1
	fi
}

# logged TEXT [N]: the program has said so, N times at most
logged() {
	local count
	count=$(grep -c -e "$1" log)

	[ "$count" -gt 0 ] && [ "$count" -le "${2-$count}" ]
}

# finds ID: the report has this finding
finds() {
	tcpshim report --json s.tcpshim | grep -q "\"$1\""
}

# Few descriptors: redis counts them at its start, and takes fewer clients or none at all.
# Any other lack it meets by trying again at once, with a line in its log each time, until it
# is over; clients in the queue are then served.
@test "redis-server exits or takes fewer clients by descriptors, spins for all else, recovers" {
	command -v redis-server >/dev/null || skip "no redis here"
	scenario <<-'END'
		request=PING
		server='redis-server --port 9100 --bind 127.0.0.1 --save --daemonize no'
		tcpshim run -q -r 'limit fds 32' $server >log && exit 1
		logged "Your current 'ulimit -n' of 32 is not enough"
		tell '32 of 40, then served' serve 'limit fds 64'
		logged 'maxclients has been reduced to 32' 1
		tell '19 of 40, then served' serve 'limit sockets 20'
		logged 'accept: Too many open files$'
		finds accept-spin
		tell '19 of 40, then served' serve 'limit sockets 20 tree'
		logged 'accept: Too many open files in system$'
		tell '10 of 40, then served' serve 'limit connections 10 to :9100'
		tell '40 of 40, then served' serve 'limit connections 10 to :9101'
		tell '* of 40, then served' serve 'limit memory when 5+5'
		logged 'accept: No buffer space available'
		tell '40 of 40, then served' serve 'fail accept error EMFILE when 10..12'
		logged 'accept: Too many open files' 3
		tell '39 of 40, then served' serve 'fail recv tcp error ECONNRESET when 3'
	END
}

# nginx does not ask its listener for half a second after EMFILE or ENFILE, with one line in its
# log each time; after other errors it goes on at once.
@test "nginx pauses without descriptors and recovers; says 502 without ports" {
	command -v nginx >/dev/null || skip "no nginx here"
	scenario <<-'END'
		{
			echo "daemon off; worker_processes 1; pid $PWD/pid; error_log stderr;"
			echo 'events { worker_connections 256; } http { access_log off;'
			for kind in client_body proxy fastcgi uwsgi scgi; do
				echo "${kind}_temp_path $PWD/$kind;"
			done
			echo 'server { listen 127.0.0.1:9100; location / { return 200 "hi\n"; }'
			echo 'location /behind { proxy_pass http://127.0.0.1:9101; } } }'
		} >nginx.conf
		request='GET / HTTP/1.1'
		server="nginx -c $PWD/nginx.conf"
		tell '2? of 40, then served' serve 'limit fds 32'
		logged 'accept4() failed (24: Too many open files)' 5
		finds accept-spin && exit 1
		# the listener, and two for what the master has to say
		tell '18 of 40, then served' serve 'limit sockets 20'
		tell '17 of 40, then served' serve 'limit sockets 20 tree'
		logged 'accept4() failed (23: Too many open files in system)' 5
		tell '10 of 40, then served' serve 'limit connections 10'
		tell '* of 40, then served' serve 'limit memory when 5+5'
		logged 'accept4() failed (105: No buffer space available)'
		tell '* of 40, then served' serve 'fail accept error EMFILE when 10'
		logged 'accept4() failed (24: Too many open files)' 1
		tell '40 of 40, then served' serve 'fail accept error ECONNABORTED when 4..8'
		tell '40 of 40, then served' serve 'delay recv by 100ms'
		python3 apps/exhaust_server.py 9101 &
		within 10 listens 9101
		request='GET /behind HTTP/1.1'
		tell '4 of 40, then served' serve 'limit ports 4'
		logged 'connect() to 127.0.0.1:9101 failed (99: Cannot assign requested address)'
		tell '35 of 40, then served' serve 'fail connect tcp error ETIMEDOUT when 3..7'
		logged 'connect() failed (110: Connection timed out)' 5
	END
}

# Without descriptors, or memory, asyncio does not ask its listener for a second; but before, it
# tries as often as the backlog is long, and each try has it start to listen again.
@test "asyncio: a server that pauses and recovers, clients that are told the error" {
	scenario <<-'END'
		request='GET / HTTP/1.1'
		server='python3 apps/exhaust_asyncio.py serve 9100'
		tell '2? of 40, then served' serve 'limit fds 32'
		logged 'socket.accept() out of system resource'
		finds accept-spin
		# the listener, and two to wake it up
		tell '17 of 40, then served' serve 'limit sockets 20'
		tell '17 of 40, then served' serve 'limit sockets 20 tree'
		tell '10 of 40, then served' serve 'limit connections 10'
		tell '* of 40, then served' serve 'limit memory when 5+5'
		tell '39 of 40, then served' serve 'fail recv tcp error ECONNRESET when 3'
		tell '40 of 40, then served' serve 'delay recv by 100ms'
		python3 apps/exhaust_server.py 9100 &
		within 10 listens 9100
		client='python3 apps/exhaust_asyncio.py ask'
		tell '*[0-9] EMFILE, *[0-9] answered' ask 'limit fds 20'
		tell '12 EMFILE, 8 answered' ask 'limit sockets 10'
		tell '12 ENFILE, 8 answered' ask 'limit sockets 10 tree'
		tell '16 EADDRNOTAVAIL, 4 answered' ask 'limit ports 4'
		tell '10 EADDRNOTAVAIL, 10 answered' ask 'limit connections 10'
		tell '*[0-9] ENOBUFS, *[0-9] answered' ask 'limit memory when 5+5'
		tell '3 ECONNREFUSED, 17 answered' ask 'fail connect tcp error ECONNREFUSED when 3..5'
		tell '1 ECONNRESET, 19 answered' ask 'fail recv tcp error ECONNRESET when 3'
		tell '20 answered' ask 'delay connect tcp by 300ms'
	END
}

# Without descriptors node gives up a spare one and takes clients in, to close them at once. That
# helps nobody where it is sockets that are short: then it spins.
@test "node: a server that closes clients or spins and recovers, clients that are told the error" {
	command -v node >/dev/null || skip "no node here"
	scenario <<-'END'
		request='GET / HTTP/1.1'
		node=$(node -p process.execPath)
		server="$node apps/exhaust_node.js serve 9100"
		tell '*[0-9] of 40, then served' serve 'limit fds 32'
		finds accept-spin && exit 1
		tell '19 of 40, then served' serve 'limit sockets 20'
		finds accept-spin
		tell '19 of 40, then served' serve 'limit sockets 20 tree'
		tell '10 of 40, then served' serve 'limit connections 10'
		tell '* of 40, then served' serve 'limit memory when 5+5'
		tell '39 of 40, then served' serve 'fail recv tcp error ECONNRESET when 3'
		tell '40 of 40, then served' serve 'delay recv by 100ms'
		python3 apps/exhaust_server.py 9100 &
		within 10 listens 9100
		client="$node apps/exhaust_node.js ask"
		tell '*[0-9] EMFILE, *[0-9] answered' ask 'limit fds 32'
		tell '10 EMFILE, 10 answered' ask 'limit sockets 10'
		tell '10 ENFILE, 10 answered' ask 'limit sockets 10 tree'
		tell '16 EADDRNOTAVAIL, 4 answered' ask 'limit ports 4'
		tell '10 EADDRNOTAVAIL, 10 answered' ask 'limit connections 10'
		tell '*[0-9] ENOBUFS, *[0-9] answered' ask 'limit memory when 5+5'
		tell '3 ECONNREFUSED, 17 answered' ask 'fail connect tcp error ECONNREFUSED when 3..5'
		tell '1 ECONNRESET, 19 answered' ask 'fail recv tcp error ECONNRESET when 3'
		tell '20 answered' ask 'delay connect tcp by 300ms'
	END
}

# Java's HttpClient connects a second time, by itself, where the first try timed out or found no
# port; and asks a second time where an answer breaks off.
@test "Java's HttpClient: tries once more, else tells the error" {
	command -v javac >/dev/null || skip "no Java compiler here"
	scenario <<-'END'
		javac -d . apps/exhaust_ask.java
		python3 apps/exhaust_server.py 9100 &
		within 10 listens 9100
		client='java -XX:TieredStopAtLevel=1 -Xshare:auto -cp . Ask'
		files='SocketException Too many open files'
		tell "*[0-9] $files, *[0-9] answered" ask 'limit fds 20'
		tell "11 $files, 9 answered" ask 'limit sockets 10'
		tell "11 $files in system, 9 answered" ask 'limit sockets 10 tree'
		tell '16 BindException Cannot assign requested address, 4 answered' ask 'limit ports 4'
		tell '10 BindException *, 10 answered' ask 'limit connections 10'
		tell '*[0-9] SocketException No buffer space available, *[0-9] answered' \
			ask 'limit memory when 5+5'
		tell '20 answered' ask 'fail connect tcp error ETIMEDOUT when 3..5'
		tell '20 answered' ask 'fail recv tcp error ECONNRESET when 3'
		tell '20 answered' ask 'delay connect tcp by 300ms'
	END
}

# The queue of a listener: what does not fit is not refused, but asks again after a second.
@test "a short backlog: those who do not fit wait" {
	scenario <<-'END'
		request='GET / HTTP/1.1'
		server='python3 apps/exhaust_asyncio.py serve 9100'
		tcpshim run -q -r 'limit backlog 4' $server >log 2>&1 &
		within 10 listens 9100
		[ "$(ss -Hltn 'sport = :9100' | awk '{print $3}')" = 4 ]
		kill %1
		tell '* of 40, then served' serve 'limit backlog 4'
	END
}

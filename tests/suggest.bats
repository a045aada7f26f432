#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tcpshim suggest: a known session as rules, as a drop-in for systemd and as a table of
# nftables; each is read by those whom it is for. Names that would like to be more than names.
# shellcheck disable=SC2154 # variables of common.bash

load lib/common.bash

bats_require_minimum_version 1.5.0

setup_file() {
	export SESSION=$BATS_FILE_TMPDIR/session.tcpshim
	export PROGRAM=$BATS_FILE_TMPDIR/program.py
	PORT=$(free_port)
	export PORT
	cat >"$PROGRAM" <<-'END'
		import os, socket, sys, tempfile
		port, host = int(sys.argv[1]), "127.0.0.1"
		def tcp(): return socket.socket()
		def udp(): return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		def unix(): return socket.socket(socket.AF_UNIX)
		server = tcp(); server.bind((host, port)); server.listen()
		for i in range(2):
		    socket.create_connection((host, port)); server.accept()
		chosen = [tcp() for i in range(2)]
		for s in chosen:
		    s.bind((host, 0)); s.listen()
		    tcp().connect(s.getsockname()); s.accept()
		tcp().listen()
		for other in (1, 2, 3, 5):
		    tcp().connect_ex((host, port + other))
		answering = udp(); answering.bind(("0.0.0.0", port))
		client = udp(); client.sendto(b"x", (host, port))
		answering.sendto(b"y", answering.recvfrom(9)[1])
		for i in range(9):
		    udp().sendto(b"x", ("127.0.9.%d" % (i + 1), 53))
		inside = tempfile.mkdtemp(dir="/tmp") + "/a b\n\"; deny any #'\\*"
		server = unix(); server.bind(inside); server.listen()
		unix().connect(inside)
		unix().connect_ex("\0abstract; deny any")
		os.unlink(inside); os.rmdir(os.path.dirname(inside))
		server = tcp(); server.bind((host, port + 9)); tcp().connect_ex(("127.0.0.77", 77))
	END
	"$tool" run -q -r 'deny connect tcp 127.0.0.77' -o "$SESSION" "$python" "$PROGRAM" "$PORT"
	"$tool" suggest "$SESSION" >"$BATS_FILE_TMPDIR/rules"
	"$tool" suggest --as systemd "$SESSION" >"$BATS_FILE_TMPDIR/systemd"
	"$tool" suggest --as nft "$SESSION" >"$BATS_FILE_TMPDIR/nft"
}

# has FORM TEXT: a line of the form begins with it; what comes behind is a comment
has() {
	start=$2 awk 'index($0, ENVIRON["start"]) == 1 {
			rest = substr($0, length(ENVIRON["start"]) + 1)
			if (rest ~ /^ *(#|$)/) found = 1} END {exit !found}' "$BATS_FILE_TMPDIR/$1" || {
		cat "$BATS_FILE_TMPDIR/$1" >&2
		return 1
	}
}

# lacks FORM PATTERN
lacks() {
	run grep -E -e "$2" "$BATS_FILE_TMPDIR/$1"
	[ "$output" = "" ]
}

fails() {
	local words=$1
	shift

	run -125 --separate-stderr "$@"
	[ -z "$output" ]
	[[ $stderr == "tcpshim suggest: "*"$words"* ]]
}

@test "rules: what was bound, and port 0 where the kernel chose" {
	has rules "allow bind    tcp 127.0.0.1:$PORT"
	has rules "allow bind    tcp 127.0.0.1:$((PORT + 9))"
	has rules "allow bind    tcp 127.0.0.1:0"
	has rules "allow bind    tcp 0.0.0.0:0"
	has rules "allow bind    udp 0.0.0.0:$PORT"
	has rules "deny  bind    any"
	[ "$(grep -c '^allow bind' "$BATS_FILE_TMPDIR/rules")" = 6 ]
}

@test "rules: destinations; neighbours are a range, ports of the moment the ephemeral ones" {
	read -r low high </proc/sys/net/ipv4/ip_local_port_range
	has rules "allow connect tcp 127.0.0.1:$PORT-$((PORT + 3))"
	has rules "allow connect tcp 127.0.0.1:$((PORT + 5))"
	has rules "allow connect tcp 127.0.0.1:$low-$high"
	has rules "deny  connect any"
	[ "$(grep -c '^allow connect tcp' "$BATS_FILE_TMPDIR/rules")" = 3 ]
	grep -q "^allow connect tcp 127.0.0.1:$((PORT + 5)) .*: once, failed ECONNREFUSED 1," \
		"$BATS_FILE_TMPDIR/rules"
}

@test "rules: peers of UDP, many of one network, and those that may be answered" {
	read -r low high </proc/sys/net/ipv4/ip_local_port_range
	has rules "allow send    udp 127.0.0.1:$PORT"
	has rules "allow send    udp 127.0.0.1:$low-$high"
	has rules "allow send    udp 127.0.9.0/24:53"
	grep -q '^allow send .*/24.* 9 times, .*, 9 hosts$' "$BATS_FILE_TMPDIR/rules"
	has rules "deny  send    udp"
}

@test "rules: clients of this host alone" {
	has rules "allow accept  tcp 127.0.0.0/8"
	has rules "deny  accept  tcp"
}

@test "rules: clients of other hosts restrict nothing, but are told" {
	if ! unshare -rn ip link set lo up 2>/dev/null; then
		skip "no network namespaces for this user here"
	fi
	cat >"$BATS_TEST_TMPDIR/serve" <<-END
		ip link set lo up
		ip address add 10.1.1.1/32 dev lo
		exec "$tool" run -q -o "$BATS_TEST_TMPDIR/far.tcpshim" "$python" -c '
		import socket
		server = socket.socket(); server.bind(("0.0.0.0", $PORT)); server.listen()
		socket.create_connection(("10.1.1.1", $PORT)); server.accept()'
	END
	unshare -rn sh "$BATS_TEST_TMPDIR/serve"
	"$tool" suggest "$BATS_TEST_TMPDIR/far.tcpshim" >"$BATS_TEST_TMPDIR/rules"
	run -1 grep -E '^(allow|deny) +accept' "$BATS_TEST_TMPDIR/rules"
	grep -q '^#   allow accept  tcp 10.1.1.1 .*: once,' "$BATS_TEST_TMPDIR/rules"
	"$tool" suggest --as systemd "$BATS_TEST_TMPDIR/far.tcpshim" | grep -qx 'IPAddressAllow=10.1.1.1'
}

@test "rules: a port of the kernel's range that was asked for" {
	local low high

	read -r low high </proc/sys/net/ipv4/ip_local_port_range
	while [ -n "$(ss -Hatun "sport = :$high")" ]; do
		high=$((high - 1))
	done
	"$tool" run -q -o "$BATS_TEST_TMPDIR/high.tcpshim" "$python" -c "import socket
s = socket.socket(); s.bind(('127.0.0.1', $high)); s.listen()
socket.create_connection(('127.0.0.1', $high))"
	"$tool" suggest "$BATS_TEST_TMPDIR/high.tcpshim" >"$BATS_TEST_TMPDIR/rules"
	grep -q "^allow bind    tcp 127.0.0.1:$high *#" "$BATS_TEST_TMPDIR/rules"
	grep -q "^allow connect tcp 127.0.0.1:$high *#" "$BATS_TEST_TMPDIR/rules"
	[ "$(grep -c ^allow "$BATS_TEST_TMPDIR/rules")" = 2 ]
	"$tool" run -q -o "$BATS_TEST_TMPDIR/any.tcpshim" "$python" -c "import socket
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()"
	"$tool" suggest "$BATS_TEST_TMPDIR/any.tcpshim" >"$BATS_TEST_TMPDIR/rules"
	grep -q '^allow bind    tcp 127.0.0.1:0 *#' "$BATS_TEST_TMPDIR/rules"
	[ "$(grep -c ^allow "$BATS_TEST_TMPDIR/rules")" = 1 ]
}

@test "rules: what was denied is not allowed" {
	lacks rules '127\.0\.0\.77'
	grep -q '^# Denied by rules, so not allowed here: 1 call\.$' "$BATS_FILE_TMPDIR/rules"
}

@test "rules: paths are words, whatever is in them" {
	has rules 'allow bind    unix "/tmp/tmp*/a b?\"; deny any #'\''\\?"'
	has rules 'allow connect unix "/tmp/tmp*/a b?\"; deny any #'\''\\?"'
	has rules 'allow connect unix "@abstract; deny any"'
}

@test "rules: every line is a rule, a comment or empty" {
	lacks rules '^[^#].{0,5}$'
	[ "$(grep -cvE '^(#.*|(allow|deny ) (bind|connect|accept|send) .*|)$' \
		"$BATS_FILE_TMPDIR/rules")" = 0 ]
	"$tool" check -f "$BATS_FILE_TMPDIR/rules" >"$BATS_TEST_TMPDIR/checked"
	[ "$(grep -cE '^(allow|deny)' "$BATS_FILE_TMPDIR/rules")" = \
		"$(grep -cE '^ +[0-9]+ ' "$BATS_TEST_TMPDIR/checked")" ]
}

@test "under the rules the program does the same, and nothing is denied" {
	"$tool" suggest "$SESSION" | grep -v '127.0.0.77' >"$BATS_TEST_TMPDIR/rules"
	sed -i 's/, ("127.0.0.77", 77)//; s/; tcp().connect_ex(("127.0.0.77", 77))//' "$PROGRAM"
	"$tool" run -q --strict -f "$BATS_TEST_TMPDIR/rules" -o "$BATS_TEST_TMPDIR/again.tcpshim" \
		"$python" "$PROGRAM" "$PORT"
	"$tool" diff "$SESSION" "$BATS_TEST_TMPDIR/again.tcpshim"
}

@test "under the rules another port is denied" {
	run -3 "$tool" run -q --strict -f "$BATS_FILE_TMPDIR/rules" \
		-o "$BATS_TEST_TMPDIR/other.tcpshim" \
		"$python" -c "import socket; socket.socket().connect_ex(('127.0.0.1', $PORT + 4))"
}

@test "rules for each program" {
	"$tool" suggest --per-program "$SESSION" >"$BATS_TEST_TMPDIR/rules"
	grep -q "^allow bind    tcp 127.0.0.1:$PORT in ${python##*/} *#" "$BATS_TEST_TMPDIR/rules"
	[ "$(grep -c '^allow bind' "$BATS_TEST_TMPDIR/rules")" = 6 ]
	"$tool" check -f "$BATS_TEST_TMPDIR/rules"
	fails 'nft knows no programs' "$tool" suggest --per-program --as nft "$SESSION"
}

@test "the same session gives the same text" {
	for form in rules systemd nft; do
		"$tool" suggest --as $form "$SESSION" | diff "$BATS_FILE_TMPDIR/$form" -
	done
}

@test "systemd: a drop-in that systemd understands" {
	has systemd "SocketBindAllow=ipv4:tcp:$PORT"
	has systemd "SocketBindAllow=ipv4:udp:$PORT"
	has systemd "IPAddressAllow=127.0.9.0/24"
	[ "$(grep -c '^SocketBindAllow=ipv4:tcp$' "$BATS_FILE_TMPDIR/systemd")" = 1 ]
	[ "$(grep -cvE '^(#.*|\[Service\]|[A-Za-z]+=[^#]*|)$' "$BATS_FILE_TMPDIR/systemd")" = 0 ]
	if ! command -v systemd-analyze >/dev/null; then
		skip "no systemd-analyze here"
	fi
	(printf '[Unit]\nDescription=x\n' && cat "$BATS_FILE_TMPDIR/systemd" &&
		echo 'ExecStart=/bin/true') >"$BATS_TEST_TMPDIR/suggested.service"
	if ! systemd-analyze verify "$BATS_TEST_TMPDIR/suggested.service" \
		>"$BATS_TEST_TMPDIR/verified" 2>&1 &&
		! grep -q suggested.service "$BATS_TEST_TMPDIR/verified"; then
		skip "systemd-analyze verify does not run here: $(head -n 1 "$BATS_TEST_TMPDIR/verified")"
	fi
	run grep suggested.service "$BATS_TEST_TMPDIR/verified"
	[ "$output" = "" ]
}

@test "systemd: families, and what libc does by itself" {
	has systemd "RestrictAddressFamilies=AF_UNIX AF_INET"
	"$tool" run -q -o "$BATS_TEST_TMPDIR/names.tcpshim" "$python" -c \
		'import socket; socket.getaddrinfo("localhost", 80)'
	"$tool" suggest --as systemd "$BATS_TEST_TMPDIR/names.tcpshim" |
		grep -q '^RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK$'
	"$tool" suggest --as nft "$BATS_TEST_TMPDIR/names.tcpshim" | grep -q 'udp dport 53 accept'
}

@test "nft: a table that nft understands" {
	grep -q "tcp sport $PORT accept" "$BATS_FILE_TMPDIR/nft"
	grep -q "tcp dport $PORT-$((PORT + 3)) accept" "$BATS_FILE_TMPDIR/nft"
	grep -q "meta skuid" "$BATS_FILE_TMPDIR/nft"
	if ! command -v nft >/dev/null; then
		skip "no nft here"
	elif ! echo 'table inet x { }' | unshare -rn nft -c -f - 2>/dev/null; then
		skip "nft cannot check here: no user namespaces, or no nf_tables in the kernel"
	fi
	unshare -rn nft -c -f "$BATS_FILE_TMPDIR/nft"
}

@test "nft: a network and a host in it do not overlap" {
	"$tool" run -q -o "$BATS_TEST_TMPDIR/hosts.tcpshim" "$python" -c '
import socket
def udp(): return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(9): udp().sendto(b"x", ("127.0.9.%d" % (i + 1), 53))
udp().connect(("127.0.9.3", 53))'
	"$tool" suggest --as nft "$BATS_TEST_TMPDIR/hosts.tcpshim" >"$BATS_TEST_TMPDIR/nft"
	[ "$(grep -cE '^\s+127\.0\.9\.' "$BATS_TEST_TMPDIR/nft")" = 1 ]
}

@test "a listener that came with the program needs no bind, but answers" {
	"$python" -c "import os, socket, sys
s = socket.socket(); s.bind(('127.0.0.1', $PORT + 40)); s.listen(); s.set_inheritable(True)
os.execv(sys.argv[1], sys.argv[1:] + [str(s.fileno())])" "$tool" run -q \
		-o "$BATS_TEST_TMPDIR/came.tcpshim" "$python" -c "import socket, sys
s = socket.socket(fileno=int(sys.argv[1])); s.listen()
socket.create_connection(s.getsockname()); s.accept()"
	"$tool" suggest "$BATS_TEST_TMPDIR/came.tcpshim" >"$BATS_TEST_TMPDIR/rules"
	run -1 grep '^allow bind' "$BATS_TEST_TMPDIR/rules"
	"$tool" suggest --as nft "$BATS_TEST_TMPDIR/came.tcpshim" |
		grep -q "ip saddr 127.0.0.1 tcp sport $((PORT + 40)) accept"
}

@test "a connect that does not wait is one" {
	"$tool" run -q -o "$BATS_TEST_TMPDIR/async.tcpshim" "$python" -c "import select, socket
server = socket.socket(); server.bind(('127.0.0.1', $PORT)); server.listen()
for i in range(3):
    client = socket.socket(); client.setblocking(False)
    client.connect_ex(('127.0.0.1', $PORT)); select.select([], [client], [])
    client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)"
	"$tool" suggest "$BATS_TEST_TMPDIR/async.tcpshim" |
		grep -q "^allow connect tcp 127.0.0.1:$PORT .*: 3 times, first"
}

@test "a program's name stays a name" {
	local evil=$BATS_TEST_TMPDIR/$'e\n"; #}\\\033[m'

	cp "$python" "$evil"
	PYTHONHOME=$("$python" -c 'import sys; print(sys.prefix)') "$tool" run -q \
		-o "$BATS_TEST_TMPDIR/evil.tcpshim" "$evil" -c \
		"import socket; socket.socket().connect_ex(('127.0.0.1', $PORT))"
	for form in rules systemd nft; do
		"$tool" suggest --as $form "$BATS_TEST_TMPDIR/evil.tcpshim" >"$BATS_TEST_TMPDIR/$form"
		run -1 grep -P '[^\x20-\x7e\t]' "$BATS_TEST_TMPDIR/$form"
		run -1 grep -E '^[^#]*; #' "$BATS_TEST_TMPDIR/$form"
	done
	"$tool" check -f "$BATS_TEST_TMPDIR/rules"
	"$tool" suggest --per-program "$BATS_TEST_TMPDIR/evil.tcpshim" >"$BATS_TEST_TMPDIR/each"
	grep -qF 'in "e?\"; #}\\?[m"' "$BATS_TEST_TMPDIR/each"
	"$tool" check -f "$BATS_TEST_TMPDIR/each"
	grep -qx 'table inet tcpshim_e_________m {' "$BATS_TEST_TMPDIR/nft"
}

@test "moved calls: rules say what was asked for, the others where it went" {
	local other=$((PORT + 20))

	"$tool" run -q -r "move connect tcp 10.0.0.5:5432 to 127.0.0.1:$other" \
		-o "$BATS_TEST_TMPDIR/moved.tcpshim" "$python" -c \
		"import socket; socket.socket().connect_ex(('10.0.0.5', 5432))"
	"$tool" suggest "$BATS_TEST_TMPDIR/moved.tcpshim" |
		grep -q "^allow connect tcp 10.0.0.5:5432 .*, moved to 127.0.0.1:$other,"
	"$tool" suggest --as nft "$BATS_TEST_TMPDIR/moved.tcpshim" | grep -q "tcp dport $other accept"
	"$tool" suggest --as systemd "$BATS_TEST_TMPDIR/moved.tcpshim" |
		grep -qx 'IPAddressAllow=127.0.0.1'
}

@test "sockets of other kinds are not denied by any" {
	"$tool" run -q -o "$BATS_TEST_TMPDIR/other.tcpshim" "$python" -c \
		'import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).bind((0, 0))'
	"$tool" suggest "$BATS_TEST_TMPDIR/other.tcpshim" >"$BATS_TEST_TMPDIR/rules"
	run -1 grep -E '^deny  bind +any' "$BATS_TEST_TMPDIR/rules"
	grep -q '^deny  bind    unix$' "$BATS_TEST_TMPDIR/rules"
}

@test "nginx and curl, audited, then held to it" {
	local dir=$BATS_TEST_TMPDIR behind=$((PORT + 30)) port=$((PORT + 31)) user=

	[ "$(id -u)" != 0 ] || user="user nobody nogroup;"
	mkdir "$dir/www"
	echo hello >"$dir/www/file"
	chmod -R a+rX "$dir" "$BATS_RUN_TMPDIR"
	cat >"$dir/nginx.conf" <<-END
		$user
		worker_processes 2;
		pid $dir/nginx.pid;
		error_log $dir/error.log;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path $dir/body;
			proxy_temp_path $dir/proxy;
			fastcgi_temp_path $dir/fastcgi;
			uwsgi_temp_path $dir/uwsgi;
			scgi_temp_path $dir/scgi;
			server {
				listen 127.0.0.1:$port;
				location / { proxy_pass http://127.0.0.1:$behind; }
			}
			server { listen $behind; root $dir/www; }
		}
	END
	cat >"$dir/serve" <<-END
		nginx -e $dir/error.log -c $dir/nginx.conf || exit
		curl -sS --retry 5 --retry-connrefused http://127.0.0.1:$port/file
		kill -QUIT \$(cat $dir/nginx.pid)
		while [ -e $dir/nginx.pid ]; do sleep 0.05; done
	END
	[ "$("$tool" run -q -o "$dir/nginx.tcpshim" sh "$dir/serve" 3>&-)" = hello ]
	"$tool" suggest --per-program "$dir/nginx.tcpshim" >"$dir/rules"
	for line in "bind    tcp 0.0.0.0:$behind in nginx" "bind    tcp 127.0.0.1:$port in nginx" \
		"connect tcp 127.0.0.1:$behind in nginx" "connect tcp 127.0.0.1:$port in curl"; do
		grep -q "^allow $line *#" "$dir/rules"
	done
	[ "$(grep -c ^allow "$dir/rules")" = 5 ]
	run -0 "$tool" run -q --strict -f "$dir/rules" -o "$dir/held.tcpshim" sh "$dir/serve" 3>&-
	[ "$output" = hello ]
	run -0 "$tool" diff --by-program "$dir/nginx.tcpshim" "$dir/held.tcpshim"
	[ "$output" = "" ]
}

@test "trouble: 125 and a line on stderr" {
	fails 'rules, systemd or nft' "$tool" suggest --as pf "$SESSION"
	fails 'one session at a time' "$tool" suggest "$SESSION" "$SESSION"
	fails 'no.such' "$tool" suggest "$BATS_TEST_TMPDIR/no.such"
	fails '' "$tool" suggest "$PROGRAM"
	run -125 --separate-stderr bash -c "'$tool' suggest '$SESSION' >/dev/full"
	[[ $stderr == *"cannot write"* ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# limit ports: four ephemeral ports, and what a program meets when they are used up. The oracle
# is the kernel: the same program in a network namespace whose ip_local_port_range has four
# ports. The limit must give the same, call by call: where the kernel carries it out, where that
# way is switched off, and in a range where the kernel cannot.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0
load lib/common.bash
load lib/policy.bash

programs=$build/tests/exhaust

setup() {
	space=(unshare -n)
	[ "$(id -u)" = 0 ] || space=(unshare -rn)
	"${space[@]}" true 2>/dev/null || skip "no network namespace to be had here"
}

# alone COMMAND...: in a network namespace of its own, where nobody else takes a port
alone() {
	# shellcheck disable=SC2016 # for the shell inside
	SERVER=5000 "${space[@]}" sh -c 'ip link set lo up && exec "$@"' sh "$@" \
		</dev/null 3>&- || echo "status $?"
}

# really COMMAND...: with four ephemeral ports
really() {
	# shellcheck disable=SC2016
	alone sh -c 'echo 40000 40003 >/proc/sys/net/ipv4/ip_local_port_range && exec "$@"' sh "$@"
}

# limited COMMAND...: with all of them, by $rules, in a session of its own
limited() {
	rm -f "$session"
	alone env LD_PRELOAD="$lib" TCPSHIM_SESSION="$session" TCPSHIM_RULES="$rules" "$@"
}

# way NAME: sets $rules, and what switches the kernel's way off
way() {
	rules='limit ports 4'
	unset TCPSHIM_TEST
	case $1 in
	kernel) ;;
	engine) export TCPSHIM_TEST=no-port-range ;;
	outside) rules='limit ports 20000-20003' ;;
	esac
}

# equal PROGRAM PART...: IPv4 and IPv6, waiting and not, by all three ways
equal() {
	local program=$programs/$1 part later way
	shift

	for part; do
		for FAMILY in 4 6; do
			for later in '' LATER=1; do
				export FAMILY
				really env $later "$program" "$part" >"$BATS_TEST_TMPDIR/real" 2>&1
				for way in ${ways-kernel engine outside}; do
					way "$way"
					limited env $later "$program" "$part" >"$BATS_TEST_TMPDIR/limited" 2>&1
					diff "$BATS_TEST_TMPDIR/real" "$BATS_TEST_TMPDIR/limited" \
						>"$BATS_TEST_TMPDIR/diff" || {
						echo "$part, IPv$FAMILY $later, $way: $rules"
						head -30 "$BATS_TEST_TMPDIR/diff"
						return 1
					}
				done
			done
		done
		! grep -h 'cannot go on\|status' "$BATS_TEST_TMPDIR/real"
	done
}

# ---- the same as on a host with four ports ----

@test "connect: a tuple each, then EADDRNOTAVAIL; other destinations; a reset gives back" {
	equal ports tuples
}

@test "connect: what comes before a port is looked for" {
	equal ports order
}

@test "TIME_WAIT: EADDRNOTAVAIL for a second, and to one destination alone" {
	equal ports time-wait
}

@test "the server closes first: the port is free at once" {
	equal ports server-first
}

@test "connect where bind has taken all ports; bind before connect" {
	equal ports bound
}

@test "IP_BIND_ADDRESS_NO_PORT: bind takes none, connect does" {
	equal ports no-port
}

@test "IPv6 sockets that connect to IPv4 addresses" {
	equal ports mixed
}

@test "fast open: a send takes the port" {
	equal ports fast-open
}

@test "bind(0): EADDRINUSE, whatever the options; a port of one's own choice can be had" {
	equal ports_bind exhausted
}

@test "listen without bind: EADDRINUSE" {
	equal ports_bind listening
}

@test "UDP: connect, sendto and send take a port, then EAGAIN; TCP has ports of its own" {
	equal ports_bind datagrams
}

@test "two sockets and one port: as without a limit" {
	equal ports_bind binding
}

@test "IP_LOCAL_PORT_RANGE of the program's own: as if the limit's were the host's" {
	equal ports_bind own-range
}

@test "who holds a port: duplicates, children, other programs, messages under way" {
	equal ports_hold names children in-flight
}

@test "processes share the ports, and give them back when they are killed" {
	equal ports_hold processes
}

# ---- what differs ----

@test "what connections leave: the kernel's way does the same" {
	ways=kernel equal ports left shared
}

# The engine gives a port by bind, and the kernel takes nothing back from a socket that was bound:
# - refused, or dissolved, it holds its port until it is closed;
# - SO_REUSEPORT, by which connections to different destinations share a port, stays set, and
#   ports that programs have bound with that option are shared, too.
@test "what connections leave: where the engine gives the ports out, this differs" {
	local way

	really "$programs/ports" left >"$BATS_TEST_TMPDIR/real"
	really "$programs/ports" shared >>"$BATS_TEST_TMPDIR/real"
	for way in engine outside; do
		way $way
		limited "$programs/ports" left >"$BATS_TEST_TMPDIR/limited"
		limited "$programs/ports" shared >>"$BATS_TEST_TMPDIR/limited"
		diff "$BATS_TEST_TMPDIR/real" "$BATS_TEST_TMPDIR/limited" |
			grep '^[<>]' >"$BATS_TEST_TMPDIR/diff" || true
		diff - "$BATS_TEST_TMPDIR/diff" <<-'END'
			< bind(fd, AT(local)) = 0
			> bind(fd, AT(local)) = -1 EADDRINUSE
			< it has no port
			> it has a port
			< SO_REUSEPORT 0
			< reach(fd, &to[0]) = -1 EADDRNOTAVAIL
			> SO_REUSEPORT 1
			> reach(fd, &to[0]) = 0
		END
	done
}

# ---- churn ----

@test "churn: what the client closes first uses the ports up, and the record says by which rule" {
	local way

	equal ports churn
	for way in kernel engine outside; do
		way $way
		limited "$programs/ports" churn >"$BATS_TEST_TMPDIR/said"
		diff - "$BATS_TEST_TMPDIR/said" <<<'4 connections, then EADDRNOTAVAIL; none is open'
		"$tool" log --json "$session" >"$BATS_TEST_TMPDIR/log"
		[ "$(jq -s 'map(select(.call == "connect" and .result == 0)) | length' "$BATS_TEST_TMPDIR/log")" = 4 ]
		diff - <(jq -c 'select(.verdict != "passed") | [.call, .errno, .verdict, .rule]' "$BATS_TEST_TMPDIR/log") \
			<<<'["connect","EADDRNOTAVAIL","limited",1]'
	done
}

# ---- the record ----

# verdicts PROGRAM PART: of calls that failed as calls do that find no port
verdicts() {
	limited "$programs/$1" "$2" >/dev/null
	"$tool" log --json "$session" |
		jq -r 'select(.errno == "EADDRINUSE" or .errno == "EADDRNOTAVAIL" or .errno == "EAGAIN") |
			"\(.call) \(.errno) \(.verdict)"' | sort | uniq -c
}

@test "what failed for want of a port was limited; what failed for another reason was not" {
	local way

	for way in kernel engine outside; do
		way $way
		diff - <(verdicts ports_bind datagrams) <<-'END'
			      2 bind EADDRINUSE limited
			      4 connect EAGAIN limited
			      4 send EAGAIN limited
		END
		# TCP bound twice, with and without listening; an address that nobody has
		verdicts ports_bind binding >"$BATS_TEST_TMPDIR/binding"
		! grep limited "$BATS_TEST_TMPDIR/binding"
		grep -q 'bind EADDRINUSE passed' "$BATS_TEST_TMPDIR/binding"
		diff - <(verdicts ports order) <<<'      2 bind EADDRNOTAVAIL passed
      1 connect EADDRNOTAVAIL limited'
	done
}

# ---- which ports ----

# bindable COMMAND...: the first, the last and the number of ports that a program can bind
bindable() {
	limited env RULED=1 "$@" "$policy/share" slice
}

@test "sessions at once have different ports; the processes of one have the same" {
	local low high count last=0 i

	# room for them all, and no more
	# shellcheck disable=SC2016 # for the shell inside
	alone env RULED=1 lib="$lib" TCPSHIM_RULES='limit ports 64' bash -c '
		echo 40000 40767 >/proc/sys/net/ipv4/ip_local_port_range
		for i in $(seq 12); do
			export TCPSHIM_SESSION=$1/$i.tcpshim
			LD_PRELOAD=$lib sh -c "\$1 slice; \$1 slice; sleep 1" sh "$2" >"$1/$i.ports" &
		done
		wait' bash "$BATS_TEST_TMPDIR" "$policy/share"
	head "$BATS_TEST_TMPDIR"/*.ports
	for i in $(seq 12); do
		[ "$(wc -l <"$BATS_TEST_TMPDIR/$i.ports")" = 2 ]
		[ "$(sort -u "$BATS_TEST_TMPDIR/$i.ports" | wc -l)" = 1 ]
	done
	sort -un "$BATS_TEST_TMPDIR"/*.ports >"$BATS_TEST_TMPDIR/all"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/all")" = 12 ]
	while read -r low high count; do
		[ "$count" = 64 ] && [ $((high - low)) = 63 ] && [ "$low" -gt "$last" ]
		last=$high
	done <"$BATS_TEST_TMPDIR/all"
}

@test "claims of sessions that are gone do not pile up" {
	local claims=$BATS_TEST_TMPDIR/state/tcpshim/ports i

	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	rules='limit ports 4'
	sleep 60 3>&- &
	for i in $(seq 12); do # each in a namespace of its own
		bindable >/dev/null
		[ "$i" != 1 ] || ln -s "$! off" "$claims/1-1"
	done
	kill $!
	ls -l "$claims"
	[ -L "$claims/1-1" ]
	[ "$(find "$claims" -type l | wc -l)" = 2 ]
}

@test "a slice is where nobody has a port, and where none is reserved" {
	# of 40000-40019, 40013-40016 are left
	cat >"$BATS_TEST_TMPDIR/some.py" <<-'END'
		import os, socket, subprocess, sys
		for name, value in ("reserved_ports", "40010-40012,41000"), ("port_range", "40000 40019"):
		    open("/proc/sys/net/ipv4/ip_local_" + name, "w").write(value)
		held = []
		for family, kind, port in ((socket.AF_INET, socket.SOCK_STREAM, 40002),
		                           (socket.AF_INET6, socket.SOCK_STREAM, 40005),
		                           (socket.AF_INET, socket.SOCK_DGRAM, 40009),
		                           (socket.AF_INET6, socket.SOCK_DGRAM, 40017)):
		    held.append(socket.socket(family, kind))
		    held[-1].bind(("", port))
		    if kind == socket.SOCK_STREAM:
		        held[-1].listen()
		os.environ.update(LD_PRELOAD=os.environ["lib"], RULED="1")
		for i in range(6):
		    subprocess.run([sys.argv[1], "slice"])
	END
	alone env lib="$lib" TCPSHIM_SESSION=off TCPSHIM_RULES='limit ports 4' \
		"$python" "$BATS_TEST_TMPDIR/some.py" "$policy/share" >"$BATS_TEST_TMPDIR/said"
	diff - <(uniq -c "$BATS_TEST_TMPDIR/said") <<<'      6 40013 40016 4'
}

@test "more ports than the host has: all of them" {
	really env LD_PRELOAD="$lib" TCPSHIM_RULES='limit ports 100' TCPSHIM_SESSION="$session" \
		RULED=1 "$policy/share" slice >"$BATS_TEST_TMPDIR/said"
	diff - "$BATS_TEST_TMPDIR/said" <<<'40000 40003 4'
}

@test "without a record: each program has ports of its own" {
	rules='limit ports 10'
	bindable env TCPSHIM_SESSION=off >"$BATS_TEST_TMPDIR/said"
	read -r low high count <"$BATS_TEST_TMPDIR/said"
	[ "$count" = 10 ] && [ $((high - low)) = 9 ]
}

# The kernel's search for bind goes by pairs.
@test "of an odd number of ports, bind leaves the last one out; connect takes all" {
	local way

	for way in 'limit ports 5' 'limit ports 20000-20004'; do
		rules=$way
		bindable >"$BATS_TEST_TMPDIR/said"
		read -r low high count <"$BATS_TEST_TMPDIR/said"
		[ "$count" = 4 ] && [ $((high - low)) = 3 ]
		limited "$python" -c 'import socket
s = socket.create_server(("127.0.0.1", 5000))
some = []
try:
    while True: some.append(socket.create_connection(("127.0.0.1", 5000)))
except OSError as e: print(len(some), e.errno)' >"$BATS_TEST_TMPDIR/said"
		diff - "$BATS_TEST_TMPDIR/said" <<<'5 99'
	done
}

@test "the limit in NAME holds before the one for all; others have none" {
	local low

	for low in 20000 50000; do
		rules="limit ports $low-$((low + 9)); limit ports $((low + 10))-$((low + 13)) in share"
		bindable >"$BATS_TEST_TMPDIR/said"
		diff - "$BATS_TEST_TMPDIR/said" <<<"$((low + 10)) $((low + 13)) 4"
		rules="limit ports $low-$((low + 9)) in other"
		bindable >"$BATS_TEST_TMPDIR/said"
		read -r _ _ count <"$BATS_TEST_TMPDIR/said"
		[ "$count" = 200 ]
	done
}

@test "assign comes first, and gives the range of the limit back" {
	local low own

	cat >"$BATS_TEST_TMPDIR/both.py" <<-'END'
		import socket, sys
		low, own = map(int, sys.argv[1:])
		def connected(ip):
		    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		    s.connect((ip, 9))
		    return s
		def port(s):
		    return s.getsockname()[1]
		print(port(connected("127.0.0.2")) == own)
		some = [connected("127.0.0.1") for i in range(4)]
		print(sorted(port(s) - low for s in some))
		first = connected("127.0.0.2")
		print(port(first) == own)
		late = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for ip in "127.0.0.2", "127.0.0.1":
		    try:
		        late.connect((ip, 9))
		    except OSError as e:
		        print(e.errno)
		some.pop().close()
		late.connect(("127.0.0.1", 9))
		print(0 <= port(late) - low < 4)
	END
	for TCPSHIM_TEST in '' no-port-range; do
		export TCPSHIM_TEST
		for low in 20000 50000; do
			for own in 21000 51000; do
				rules="assign connect udp 127.0.0.2 from $own; limit ports $low-$((low + 3))"
				limited "$python" "$BATS_TEST_TMPDIR/both.py" $low $own \
					>"$BATS_TEST_TMPDIR/said" 2>&1
				diff - "$BATS_TEST_TMPDIR/said" <<-END
					True
					[0, 1, 2, 3]
					True
					11
					11
					True
				END
			done
		done
	done
}

@test "a socket from a program without a limit gets the range; one that has a port keeps it" {
	cat >"$BATS_TEST_TMPDIR/gives.py" <<-'END'
		import os, socket, sys
		a, b = socket.socket(), socket.socket()
		b.bind(("127.0.0.1", 0))
		for s in a, b:
		    s.set_inheritable(True)
		os.execv(sys.argv[1], [sys.argv[1], "-c", """if True:
		    import socket
		    a, b = socket.socket(fileno=%d), socket.socket(fileno=%d)
		    a.bind(("127.0.0.1", 0))
		    print(a.getsockname()[1], b.getsockname()[1] == %d)
		""" % (a.fileno(), b.fileno(), b.getsockname()[1])])
	END
	ln -s "$python" "$BATS_TEST_TMPDIR/heir"
	for low in 20000 50000; do
		rules="limit ports $low-$low in heir"
		limited "$python" "$BATS_TEST_TMPDIR/gives.py" "$BATS_TEST_TMPDIR/heir" \
			>"$BATS_TEST_TMPDIR/said"
		diff - "$BATS_TEST_TMPDIR/said" <<<"$low True"
	done
}

# ---- what it costs ----

@test "the kernel's way costs one system call a socket, and none elsewhere" {
	can_trace || skip "strace may not trace here (ptrace is forbidden)"
	local calls='socket,setsockopt,getsockopt,bind,connect,getsockname' i

	rules='limit ports 64'
	for i in 100 200; do
		rm -f "$session"
		strace -f -c -U name,calls -e trace=$calls -o "$BATS_TEST_TMPDIR/calls.$i" \
			-E LD_PRELOAD="$lib" -E TCPSHIM_SESSION="$session" -E TCPSHIM_RULES="$rules" \
			-E RULED=1 "$policy/share" fair 40000 40000 "$i" >/dev/null 3>&-
	done
	awk 'NR == FNR { before[$1] = $2; next } $1 ~ /^[a-z]/ && $2 != before[$1] { print $1, $2 - before[$1] }' \
		"$BATS_TEST_TMPDIR/calls.100" "$BATS_TEST_TMPDIR/calls.200" |
		grep 'socket\|sockopt\|bind' | grep -v total | sort >"$BATS_TEST_TMPDIR/more"
	# half of its sockets are given SO_REUSEADDR by the program itself
	diff - "$BATS_TEST_TMPDIR/more" <<-'END'
		bind 100
		setsockopt 150
		socket 100
	END
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# log.bats - tcpshim log, on a made session and on a live one.
# shellcheck disable=SC1091,SC2030,SC2031,SC2154 # what bats and common.bash set

setup_file() {
	source tests/lib/common.bash
	export session=$BATS_FILE_TMPDIR/made.tcpshim
	cc -Ishim -I. -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/make" tests/lib/log_session.c \
		shim/core/*.c
	"$BATS_FILE_TMPDIR/make" "$session"
	export ruled=$BATS_FILE_TMPDIR/ruled.tcpshim
	cc -Ishim -I. -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/make_ruled" tests/lib/rules_session.c \
		shim/core/*.c
	"$BATS_FILE_TMPDIR/make_ruled" "$ruled"
}

setup() {
	source tests/lib/common.bash
	export TZ=UTC
}

# The log without what it says on stderr.
events() {
	"$tool" log "$@" "$session" 2>/dev/null
}

# fails WORDS COMMAND...: with 125, nothing on stdout, and these words on stderr
fails() {
	local words=$1
	shift

	run -125 --separate-stderr "$@"
	[ -z "$output" ]
	[[ $stderr == "tcpshim"*"$words"* ]]
}

bats_require_minimum_version 1.5.0

@test "a line an event, in the manner of strace" {
	diff - <(events) <<-'END'
		12:00:00.000000 nginx[812] start("/usr/bin/nginx")
		12:00:00.001000 nginx[812] socket(inet, tcp) = 6
		12:00:00.002000 nginx[812] bind(6) = 0 127.0.0.1:8080
		12:00:00.003000 nginx[812] listen(6, 511) = 0 127.0.0.1:8080
		12:00:00.123456 nginx[812] accept(6) = 9 127.0.0.1:8080 <- 127.0.0.1:40112
		12:00:00.200000 nginx[812] close(9) = 0 127.0.0.1:8080 <-> 127.0.0.1:40112
		12:00:00.300000 nginx[812] accept(6) = -1 EMFILE (Too many open files)
		12:00:00.350000 cu\x1b[31mrl[900] fork() = 900
		12:00:00.400000 cu\x1b[31mrl[900/901] getaddrinfo("example.org") = 0 93.184.216.34
		12:00:00.500000 cu\x1b[31mrl[900/901] connect(3) = 0 10.1.2.3:40113 -> 93.184.216.34:443
		12:00:00.600000 cu\x1b[31mrl[900/901] connect(4) = -1 ECONNREFUSED (Connection refused) -> 10.9.9.9:81 [failed by rule 2]
		12:00:00.700000 cu\x1b[31mrl[900/901] bind(5) = 0 unix:/tmp/\x1b]0;"evil"\x07, \\ \xff\n.sock
		12:00:00.800000 cu\x1b[31mrl[900/901] getaddrinfo("no.such") = -2 EAI_NONAME (Name or service not known)
		12:00:00.850000 cu\x1b[31mrl[900/901] shutdown(3, SHUT_WR) = 0
		12:00:00.900000 cu\x1b[31mrl[900] exit(3)
	END
}

@test "times are local" {
	[[ $(TZ=XXX-5:30 events | head -n 1) == 17:30:00.000000* ]]
}

@test "JSON: an object a line" {
	events --json | python3 -c '
import json, sys
events = [json.loads(line) for line in sys.stdin]
assert len(events) == 15
accept = events[4]
assert accept == {
    "time": "2026-11-22T12:00:00.123456000Z", "time_ns": 1795348800123456000,
    "took_ns": 6000, "pid": 812, "tid": 812, "process": 1, "program": "nginx",
    "call": "accept", "fd": 6, "family": "inet", "proto": "tcp",
    "local": "127.0.0.1:8080", "remote": "127.0.0.1:40112", "result": 9,
    "verdict": "passed"}, accept
assert events[6]["errno"] == "EMFILE"
assert events[8]["name"] == "example.org" and events[8]["address"] == "93.184.216.34"
assert events[10]["verdict"] == "failed" and events[10]["rule"] == 2
assert events[11]["path"] == "/tmp/\x1b]0;\"evil\"\a, \\ \ufffd\n.sock"
assert events[12]["error"] == "EAI_NONAME"
assert events[14]["call"] == "exit" and events[14]["result"] == 3
'
}

@test "CSV: as many fields in every line as there are names" {
	events --csv | python3 -c '
import csv, sys
rows = list(csv.DictReader(sys.stdin, restkey="more", strict=True))
assert len(rows) == 15
assert all("more" not in row and None not in row.values() for row in rows)
assert rows[4]["remote"] == "127.0.0.1:40112" and rows[4]["arg"] == ""
assert rows[3]["arg"] == "511"
assert rows[8]["remote"] == "93.184.216.34" and rows[8]["text"] == "example.org"
assert rows[11]["text"] == r"""/tmp/\x1b]0;"evil"\x07, \\ \xff\n.sock"""
'
}

@test "no control character of the program comes out" {
	for form in '' --json --csv; do
		[ "$(events $form | wc -l)" -ge 15 ]
		run ! grep -P '[^\n\x20-\x7e]' <(events $form)
	done
}

@test "filters" {
	[ "$(events --call accept,listen | wc -l)" = 3 ]
	[ "$(events --call accept --call exit | wc -l)" = 3 ]
	[ "$(events --process nginx | wc -l)" = 7 ]
	[ "$(events --process 'ng?n*' | wc -l)" = 7 ]
	[ "$(events --process ginx | wc -l)" = 0 ]
	[ "$(events --pid 900 | wc -l)" = 8 ]
	[ "$(events --port 8080 | wc -l)" = 4 ]
	[ "$(events --port 443 | wc -l)" = 1 ]
	[ "$(events --address 127.0.0.1 | wc -l)" = 4 ]
	[ "$(events --address 10.0.0.0/8 | wc -l)" = 2 ]
	[ "$(events --address 10.1.2.3/32 | wc -l)" = 1 ]
	[ "$(events --address 0.0.0.0/0 | wc -l)" = 7 ]
	[ "$(events --address ::1 | wc -l)" = 0 ]
	[ "$(events --address 93.184.216.34 --port 443 | wc -l)" = 1 ]
	[ "$(events --address 93.184.216.34 --port 40113 | wc -l)" = 0 ] # the other end's
	[ "$(events --failures | wc -l)" = 3 ]
	[ "$(events --failures --call connect --pid 900 | wc -l)" = 1 ]
	[ "$(events --csv --failures | wc -l)" = 4 ]
}

@test "what a rule did: both sides of a move, and which rule of which set" {
	diff - <("$tool" log --verdict denied,moved,assigned "$ruled") <<-'END'
		12:00:00.002000 nginx[812] bind(3) = -1 EACCES (Permission denied) 0.0.0.0:22 [denied by rule 1]
		12:00:00.003000 nginx[812] bind(3) = 0 0.0.0.0:80 -> 127.0.0.1:8080 [moved by rule 2]
		12:00:00.005000 nginx[812] accept(3) = -1 EACCES (Permission denied) 127.0.0.1:8080 <- 10.0.0.7:50000 [denied by rule 1]
		12:00:00.006000 nginx[812] accept(3) = -1 EACCES (Permission denied) 127.0.0.1:8080 <- 10.0.0.7:50001 [denied by rule 1]
		12:00:00.007000 nginx[812] socket(inet, tcp) = -1 EACCES (Permission denied) [denied by rule 1]
		12:00:01.001000 nginx[812] connect(4) = 0 127.0.0.1:40000 -> 10.0.0.5:5432 -> 127.0.0.1:15432 [moved by rule 2 of set 2]
		12:00:01.003000 nginx[812] connect(5) = -1 EACCES (Permission denied) -> 10.0.0.9:25 [denied by rule 3 of set 2]
		12:00:01.005000 nginx[812] connect(6) = -1 EACCES (Permission denied) -> 10.0.0.9:25 [denied by rule 3 of set 2]
		12:00:01.007000 nginx[812] connect(7) = -1 EACCES (Permission denied) -> 10.0.0.9:25 [denied by rule 3 of set 2]
		12:00:01.009000 nginx[812] bind(8) = 0 0.0.0.0:30000 [assigned by rule 4 of set 2]
		12:00:01.011000 nginx[812] bind(9) = 0 0.0.0.0:30003 [assigned by rule 4 of set 2]
		12:00:01.013000 nginx[812] bind(10) = 0 0.0.0.0:30006 [assigned by rule 4 of set 2]
		12:00:01.015000 nginx[812] bind(11) = 0 0.0.0.0:30009 [assigned by rule 4 of set 2]
		12:00:01.017000 nginx[812] bind(12) = -1 EADDRINUSE (Address already in use) 0.0.0.0:0 [assigned by rule 4 of set 2]
	END
}

@test "filters by verdict and rule, and by what was asked for" {
	[ "$("$tool" log --verdict denied "$ruled" | wc -l)" = 7 ]
	[ "$("$tool" log --verdict denied --verdict moved "$ruled" | wc -l)" = 9 ]
	[ "$("$tool" log --verdict passed --call bind "$ruled" | wc -l)" = 0 ]
	[ "$("$tool" log --rule 2 "$ruled" | wc -l)" = 2 ]
	[ "$("$tool" log --rule 4 --failures "$ruled" | wc -l)" = 1 ]
	[ "$("$tool" log --port 80 "$ruled" | wc -l)" = 1 ]
	[ "$("$tool" log --port 8080 "$ruled" | wc -l)" = 4 ]
	[ "$("$tool" log --address 10.0.0.5 "$ruled" | wc -l)" = 1 ]
}

@test "JSON and CSV have what was asked for, the rule and its set" {
	"$tool" log --json --verdict moved "$ruled" | python3 -c '
import json, sys
bind, connect = [json.loads(line) for line in sys.stdin]
assert bind["asked"] == "0.0.0.0:80" and bind["local"] == "127.0.0.1:8080", bind
assert bind["rule"] == 2 and "set" not in bind and "path" not in bind, bind
assert connect["asked"] == "10.0.0.5:5432" and connect["remote"] == "127.0.0.1:15432", connect
assert connect["rule"] == 2 and connect["set"] == 2, connect
'
	"$tool" log --csv --rule 2 "$ruled" | python3 -c '
import csv, sys
bind, connect = csv.DictReader(sys.stdin, restkey="more", strict=True)
assert "more" not in bind and None not in bind.values(), bind
assert bind["asked"] == "0.0.0.0:80" and bind["set"] == "1" and bind["text"] == "", bind
assert connect["asked"] == "10.0.0.5:5432" and connect["set"] == "2", connect
'
}

@test "what a rule has failed is a failure, also where the program is yet to know" {
	local session=$BATS_TEST_TMPDIR/failed.tcpshim

	"$tool" run -q -o "$session" -r 'fail connect error ETIMEDOUT' "$python" -c '
import socket
s = socket.socket()
s.setblocking(False)
print(s.connect_ex(("127.0.0.1", 9)))'
	[[ "$("$tool" log --failures --verdict failed "$session")" == \
		*" connect("*") = -1 EINPROGRESS ("*" -> 127.0.0.1:9 [failed by rule 1]" ]]
}

@test "where a call came from: text, JSON and CSV" {
	local session=$BATS_TEST_TMPDIR/sites.tcpshim

	TCPSHIM_SITES=1 "$tool" run -q -o "$session" -r 'fail socket error EMFILE when 2' \
		"$python" -c 'import socket; socket.socket().close()'
	[[ "$("$tool" log --call site "$session")" == *" site(rule 1, turn 1) /"*+0x*" < "*+0x* ]]
	"$tool" log --json --call site "$session" |
		jq -e '.rule == 1 and .turn == 1 and (.frames[0] | test("^/.*\\+0x[0-9a-f]+$"))
			and (has("path") | not)'
	"$tool" log --csv --call site "$session" | python3 -c '
import csv, sys
site, = csv.DictReader(sys.stdin, restkey="more", strict=True)
assert site["text"].startswith("/") and "\0" not in site["text"], site'
}

bind_is_denied() {
	"$tool" log --verdict denied "$1" 2>/dev/null | grep -q denied
}

@test "a rule that came while the session ran is told by its set" {
	local live=$BATS_TEST_TMPDIR/live.tcpshim port

	port=$(free_port)
	mkfifo "$BATS_TEST_TMPDIR/go"
	"$tool" run -q -r "deny bind tcp :$port" -o "$live" "$python" -c '
import socket, sys
def bind():
    try:
        socket.socket().bind(("127.0.0.1", int(sys.argv[1])))
    except OSError:
        pass
bind()
open(sys.argv[2]).read()
bind()
' "$port" "$BATS_TEST_TMPDIR/go" 3>&- &
	within 10 bind_is_denied "$live"
	"$tool" rules "$live" -r "allow bind tcp :1" -r "deny bind tcp 127.0.0.1"
	echo >"$BATS_TEST_TMPDIR/go"
	wait
	run "$tool" log --call bind "$live"
	[ "${#lines[@]}" = 2 ]
	[[ ${lines[0]} == *"127.0.0.1:$port [denied by rule 1]" ]]
	[[ ${lines[1]} == *"127.0.0.1:$port [denied by rule 2 of set 2]" ]]
}

@test "options may stand behind the session" {
	[ "$("$tool" log "$session" --call exit --json 2>/dev/null | wc -l)" = 1 ]
}

@test "what is missing is said, apart from the events" {
	run -0 --separate-stderr "$tool" log "$session"
	[ "$stderr" = "tcpshim log: 12 events are missing: the session or its disk was full" ]
	head -c $(((32 << 20) + (256 << 10) + 4096 + 5000)) "$session" >"$BATS_TEST_TMPDIR/cut.tcpshim"
	run -0 --separate-stderr "$tool" log "$BATS_TEST_TMPDIR/cut.tcpshim"
	[[ $stderr == *"the session is damaged: 2 places"* ]] # the file, and a chunk
}

@test "what cannot be understood is refused, and said" {
	fails "unknown option --frob" "$tool" log --frob
	fails "unknown option -x" "$tool" log -x
	fails "option --port needs a value" "$tool" log --port
	fails "option --json takes no value" "$tool" log --json=1
	fails "70000 is not a port" "$tool" log --port 70000
	fails " is not a port" "$tool" log --port ''
	fails "0 is not a process id" "$tool" log --pid 0
	fails "10.0.0.0/33 is not an address" "$tool" log --address 10.0.0.0/33
	fails "fe80::1%1 is not an address" "$tool" log --address fe80::1%1
	fails "there is no call 'frob', but: socket" "$tool" log --call close,frob
	fails "there is no verdict 'frob', but: passed denied failed" "$tool" log --verdict moved,frob
	fails "0 is not the number of a rule" "$tool" log --rule 0
	fails "65536 is not the number of a rule" "$tool" log --rule 65536
	fails "--json or --csv" "$tool" log --json --csv
	fails "what is 'two'?" "$tool" log one two
	fails "cannot read /proc/none" "$tool" log /proc/none
	fails "not a tcpshim session" "$tool" log "$tool"
	fails "unknown command 'frob'" "$tool" frob
	fails "unknown command 'frob'" "$tool" help frob
	run -125 "$tool"
}

@test "help and version" {
	run -0 "$tool" log --help
	[[ $output == "Usage: tcpshim log"*"--follow"*"--failures"*"--help"* ]]
	help=$output
	run -0 "$tool" log -h
	[ "$output" = "$help" ]
	run -0 "$tool" help log
	[ "$output" = "$help" ]
	for name in run log report; do
		[[ $("$tool" help) == *"  $name "* ]]
	done
	[[ $("$tool" --version) == "tcpshim "[0-9]* ]]
}

@test "with no session named, the newest" {
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR
	fails "there is no session in $XDG_STATE_HOME/tcpshim" "$tool" log
	mkdir "$XDG_STATE_HOME/tcpshim"
	cp --sparse=always "$session" "$XDG_STATE_HOME/tcpshim/"
	[ "$("$tool" log 2>/dev/null | wc -l)" = 15 ]
}

@test "a reader that goes away ends it quietly" {
	$python -c '
import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
# SIGPIPE is ignored here, and so in the child: it must not matter.
done = subprocess.run(sys.argv[1:], stdout=writer, stderr=subprocess.PIPE, restore_signals=False)
assert done.returncode == -13 and done.stderr == b"", done
' "$tool" log "$session"
}

@test "a disk that is full is said" {
	run -125 bash -c "'$tool' log '$session' >/dev/full"
	[[ $output == *"cannot write the output"* ]]
}

@test "colours on a terminal only" {
	run ! grep -q $'\033' <(events)
	on_terminal() {
		script -qec "env $1 '$tool' log '$session'" /dev/null </dev/null
	}
	on_terminal TERM=xterm | grep -q $'\033'
	run ! grep -q $'\033' <(on_terminal 'TERM=xterm NO_COLOR=1')
	run ! grep -q $'\033' <(on_terminal 'TERM=dumb')
}

@test "-f goes on while the session does" {
	local live=$BATS_TEST_TMPDIR/live.tcpshim out=$BATS_TEST_TMPDIR/out

	mkfifo "$BATS_TEST_TMPDIR/go"
	LD_PRELOAD=$lib TCPSHIM_SESSION=$live $python -c '
import socket, sys
socket.socket().bind(("127.0.0.1", 0))
open(sys.argv[1]).read()
socket.socket().bind(("127.0.0.2", 0))
' "$BATS_TEST_TMPDIR/go" 3>&- &
	within 10 test -s "$live"
	"$tool" log -f "$live" >"$out" 3>&- &
	within 10 grep -q 'bind(.) = 0 127.0.0.1' "$out"
	run ! grep -q 127.0.0.2 "$out"
	echo >"$BATS_TEST_TMPDIR/go"
	wait
	grep -q 'bind(.) = 0 127.0.0.2' "$out"
	tail -n 1 "$out" | grep -q 'exit(0)'
}

@test "-f of a session that has ended is the whole of it" {
	[ "$(timeout 10 "$tool" log -f "$session" 2>/dev/null | wc -l)" = 15 ]
}

@test "completion offers what the tool knows" {
	source tools/completion.bash
	tcpshim() { "$tool" "$@"; }
	complete_words() {
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_tcpshim
	}
	complete_words tcpshim re
	[ "${COMPREPLY[*]}" = report ]
	complete_words tcpshim log --f
	[ "${COMPREPLY[*]}" = '--follow --failures' ]
	complete_words tcpshim log --call sh
	[ "${COMPREPLY[*]}" = shutdown ]
	complete_words tcpshim log --call close,list
	[ "${COMPREPLY[*]}" = close,listen ]
	complete_words tcpshim log --pid $$
	[[ " ${COMPREPLY[*]} " == *" $$ "* ]]
	complete_words tcpshim log --port ''
	[ "${#COMPREPLY[@]}" = 0 ]
	complete_words tcpshim report "${session%made*}"
	[[ " ${COMPREPLY[*]} " == *" $session "* ]]
	complete_words tcpshim run -o x bas
	[[ " ${COMPREPLY[*]} " == *' bash '* ]]
	complete_words tcpshim run bash -
	[ "${#COMPREPLY[@]}" = 0 ] # the program's own
	for command in run log report; do
		for option in $("$tool" $command --help | grep -oE -- ' --[a-z]+'); do
			complete_words tcpshim $command "$option"
			[[ " ${COMPREPLY[*]} " == *" $option "* ]]
		done
	done
}

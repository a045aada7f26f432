#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# tcpshim sweep: each call of a program fails once, and what the program then does is told.
# shellcheck disable=SC2154,SC2016 # variables of common.bash; of other shells

bats_require_minimum_version 1.5.0
load lib/common.bash

setup() {
	subject=$(realpath "$build/tests/exhaust/sweep_subject")
	export TMPDIR=$BATS_TEST_TMPDIR
}

# Nothing is left in the temporary directory, and no program runs on.
teardown() {
	[ -z "$(find "$BATS_TEST_TMPDIR" -name 'tcpshim-sweep-*')" ] || return 1
	! pgrep -f "$subject" -u "$(id -u)" --runstates RSD >/dev/null
}

# sweep STATUS ARGUMENT...: the table comes to $table, what is said to $said
sweep() {
	local wanted=$1 status=0
	shift

	table=$BATS_TEST_TMPDIR/table
	said=$BATS_TEST_TMPDIR/said
	"$tool" sweep "$@" >"$table" 2>"$said" 3>&- || status=$?
	cat "$table" "$said"
	[ $status = "$wanted" ]
}

# counts TEXT: the line of sums says so
counts() {
	grep -qE "^[0-9,]+ runs?( of [0-9]+)?: $1; seed 0x[0-9a-f]+$" "$table"
}

# No process has this in its command line, but for zombies.
gone() {
	! pgrep -f "$1" --runstates RSD >/dev/null
}

# The harness of Perl, which may know TAP 13 only.
proves() {
	sed 's/^TAP version 14$/TAP version 13/' "$1" >"$1.13"
	prove -e cat "$1.13"
}

socket=('--fail' 'socket error EMFILE')

@test "a crash is found at the call that is not survived, and alone" {
	sweep 1 "${socket[@]}" --once "$subject" crash 3
	counts '1 crash, 2 same output'
	grep -qE '^  crash +socket any error EMFILE +3 of 3 .* SIGSEGV$' "$table"
}

@test "from there on, the calls behind fail too" {
	sweep 1 "${socket[@]}" --always "$subject" crash 3
	counts '3 crash'
	grep -qE ' 1-3 of 3, and on .* SIGSEGV$' "$table"
}

@test "the command at the end repeats a bad run" {
	sweep 1 "${socket[@]}" --once "$subject" crash 3
	grep -qF -- "-r 'fail socket any error EMFILE when 3' -- $subject crash 3" "$table"
	command=$(sed -n 's/^  tcpshim run/run/p' "$table")
	run -139 bash -c "XDG_STATE_HOME=$BATS_TEST_TMPDIR $tool $command"
}

@test "the command is right for any argument, of any length" {
	word=$'it\'s \\n "$HOME"\t\x01\xff'$(printf '%600s' x)
	sweep 1 "${socket[@]}" --once sh -c 'printf "%s|" "$@"; '"$subject crash 1" - "$word" ''
	command=$(sed -n 's/^  tcpshim run/run -q/p' "$table")
	[ "${command//[^ -~]/}" = "$command" ]
	run bash -c "XDG_STATE_HOME=$BATS_TEST_TMPDIR $tool $command"
	[[ "$output" == "$word||"* ]]
}

@test "the call is told by function, file and line" {
	sweep 0 "${socket[@]}" --once "$subject" loop 2
	line=$(grep -n 'close(make_socket())' tests/exhaust/sweep_subject.c | head -1 | cut -d: -f1)
	grep -qF "at sweep_subject.c:$line" "$table"
	grep -qF "at sweep_subject.c:$((line + 1))" "$table"
}

@test "without debugging information, by path and offset" {
	cp "$subject" "$BATS_TEST_TMPDIR/bare"
	strip "$BATS_TEST_TMPDIR/bare"
	sweep 0 "${socket[@]}" --once "$BATS_TEST_TMPDIR/bare" loop 1
	grep -qE "  $BATS_TEST_TMPDIR/bare\+0x[0-9a-f]+  " "$table"
}

@test "a loop without a pause is a spin, one that makes no call too" {
	sweep 1 "${socket[@]}" --always --timeout 300ms "$subject" spin
	counts '1 spin'
	grep -qE ' [0-9,]+ failing calls a second$' "$table"
	sweep 1 "${socket[@]}" --once --timeout 1s "$subject" busy
	counts '1 spin'
}

@test "a spin is not waited for" {
	SECONDS=0
	sweep 1 "${socket[@]}" --always --timeout 60s "$subject" spin
	counts '1 spin'
	[ $SECONDS -lt 30 ]
}

@test "what does not end is a hang, and is ended, even if it does not want to" {
	sweep 1 "${socket[@]}" --timeout 200ms "$subject" hang
	counts '2 hang'
	sweep 1 "${socket[@]}" --once --timeout 200ms "$subject" stubborn
	counts '1 hang'
}

@test "a socket that nobody closes any more is a leak" {
	sweep 0 --fail 'connect error ETIMEDOUT' "$subject" leak
	counts '2 leak'
	grep -qF '1 socket more than without the fault' "$table"
	grep -qF '3 sockets more than without the fault' "$table"
	sweep 1 --strict --fail 'connect error ETIMEDOUT' "$subject" leak
}

@test "a clean error is told with its last words; a retry is none" {
	sweep 0 "${socket[@]}" --once "$subject" clean
	counts '1 clean error'
	grep -qF 'exit status 1: no <socket> & "none" # \x01\xff: Too many open files' "$table"
	sweep 0 "${socket[@]}" "$subject" retry
	counts '1 clean error, 1 same output'
}

@test "other output and other statuses are told apart; --strict minds" {
	sweep 0 "${socket[@]}" --once "$subject" wrong
	counts '1 other output'
	sweep 0 "${socket[@]}" --once "$subject" status
	counts '1 other status'
	sweep 1 "${socket[@]}" --once --strict "$subject" wrong
	sweep 1 "${socket[@]}" --once --strict "$subject" status
	sweep 0 "${socket[@]}" --once --strict "$subject" clean
	sweep 0 "${socket[@]}" --once "$subject" chatty
	counts '1 other output'
}

@test "a program that never prints the same is not judged by that" {
	sweep 0 "${socket[@]}" --strict --once "$subject" unstable
	counts '1 same output'
	grep -qF 'does not print the same each time' "$table"
}

@test "threads count together" {
	sweep 1 "${socket[@]}" --once "$subject" threads 3
	counts '6 crash'
	grep -qE ' 1-6 of 6 .* SIGABRT$' "$table"
}

@test "a child's crash that nobody looks at is found; one that a shell reports, too" {
	sweep 1 "${socket[@]}" --once "$subject" child
	counts '1 crash, 1 same output'
	grep -qF '1 process of it died without a word' "$table"
	sweep 1 "${socket[@]}" --once sh -c "$subject crash 1; exit \$?"
	grep -qF 'SIGSEGV of a process of it' "$table"
	sweep 1 "${socket[@]}" --once "$subject" realtime
	grep -qE ' signal [0-9]+$' "$table"
}

@test "what outlives the program is ended" {
	sweep 0 "${socket[@]}" --once "$subject" daemon
	counts '2 same output'
	sweep 0 "${socket[@]}" --once "$subject" brood # it does not count as a crash
	counts '1 same output'
}

@test "--unique tries one call of each place" {
	sweep 0 "${socket[@]}" --once --unique "$subject" loop 50
	counts '2 same output'
	grep -qF '49 calls left out' "$table"
	sweep 0 "${socket[@]}" --once "$subject" loop 5
	counts '6 same output'
}

@test "--max keeps the first call of each place" {
	sweep 0 "${socket[@]}" --once --max 2 "$subject" loop 5
	counts '2 same output'
	grep -qF ' 1 of 6 ' "$table"
	grep -qF ' 6 of 6 ' "$table"
	grep -qF '4 runs left out by --max' "$table"
}

@test "without --fail, the usual errors of the calls that are made" {
	sweep 0 --once "$subject" leak
	counts '2 leak, 2 same output'
	for fault in 'socket any error EMFILE' 'connect tcp error ECONNREFUSED' \
		'connect tcp error ETIMEDOUT' 'connect tcp error EADDRNOTAVAIL'; do
		grep -qF "$fault" "$table"
	done
	! grep -qE 'accept|listen|bind' "$table"
}

@test "several faults that match one call are counted apart" {
	sweep 0 --once --fail 'connect tcp error ETIMEDOUT' --fail 'connect 0.0.0.0 error EACCES' \
		--fail 'any error EINTR' "$subject" leak
	grep -qF 'connect tcp error ETIMEDOUT' "$table"
	grep -qE 'connect .*0.0.0.0.* error EACCES +1 of 1 +run_leak at' "$table"
	grep -qE 'any.* error EINTR +3 of 3 ' "$table"
}

@test "rules of -r hold in every run, and are in the command that repeats one" {
	sweep 125 -r 'deny socket' "${socket[@]}" "$subject" clean
	grep -qF 'exit status is 1, not 0' "$said"
	sweep 1 -r 'allow bind any' "${socket[@]}" --once "$subject" crash 1
	grep -qF -- "-r 'allow bind any' -r 'fail socket any error EMFILE when 1'" "$table"
}

@test "TAP: a test a run, bad ones not ok, sites and commands with them" {
	"$tool" sweep "${socket[@]}" --tap "$subject" crash 2 >"$BATS_TEST_TMPDIR/tap" 2>&1 3>&- ||
		[ $? = 1 ]
	cat "$BATS_TEST_TMPDIR/tap"
	run proves "$BATS_TEST_TMPDIR/tap"
	[ "$status" != 0 ]
	[[ "$output" == *"Failed 3/4 subtests"* ]]
	"$python" tests/lib/sweep_tap.py 4 3 <"$BATS_TEST_TMPDIR/tap"
	"$tool" sweep "${socket[@]}" --tap "$subject" clean >"$BATS_TEST_TMPDIR/tap" 3>&-
	proves "$BATS_TEST_TMPDIR/tap"
	"$python" tests/lib/sweep_tap.py 2 0 <"$BATS_TEST_TMPDIR/tap"
}

@test "JUnit XML: well formed whatever the program says" {
	"$tool" sweep "${socket[@]}" --junit "$subject" clean >"$BATS_TEST_TMPDIR/xml" 3>&-
	"$python" - "$BATS_TEST_TMPDIR/xml" <<-'END'
		import sys, xml.etree.ElementTree as tree
		suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
		assert suite.get("tests") == "2" and suite.get("failures") == "0", suite.attrib
		case = suite.findall("testcase")[0]
		assert case.get("classname") == "socket any error EMFILE" and case.get("name") == "when 1"
		assert 'no <socket> & "none" # \\x01\\xff' in case.find("system-out").text
	END
}

@test "-o writes the report to a file, and the table to stdout" {
	sweep 1 "${socket[@]}" --junit -o "$BATS_TEST_TMPDIR/xml" --once "$subject" crash 2
	counts '1 crash, 1 same output'
	"$python" - "$BATS_TEST_TMPDIR/xml" <<-'END'
		import sys, xml.etree.ElementTree as tree
		suite = tree.parse(sys.argv[1]).getroot().find("testsuite")
		assert suite.get("tests") == "2" and suite.get("failures") == "1"
		failure, = suite.findall("testcase/failure")
		assert failure.get("type") == "crash" and failure.get("message") == "SIGSEGV"
		assert "run_crash at sweep_subject.c" in failure.text and "tcpshim run" in failure.text
	END
}

@test "Ctrl-C ends the run that goes on, and reports what there is" {
	local status=0

	"$tool" sweep "${socket[@]}" --timeout 60s --state "$BATS_TEST_TMPDIR/state" \
		"$subject" hang >"$BATS_TEST_TMPDIR/table" 2>&1 3>&- &
	within 5 pgrep -f "^$subject hang" >/dev/null
	sleep 0.5 # beyond the runs without a fault
	kill -INT $!
	wait $! || status=$?
	cat "$BATS_TEST_TMPDIR/table"
	[ $status = 130 ]
	grep -qF '0 runs of 2' "$BATS_TEST_TMPDIR/table"
	grep -qF 'Interrupted' "$BATS_TEST_TMPDIR/table"
}

@test "signal upon signal leaves nothing behind" {
	"$tool" sweep "${socket[@]}" --timeout 60s "$subject" stubborn >/dev/null 2>&1 3>&- &
	within 5 pgrep -f "^$subject stubborn" >/dev/null
	sleep 0.5 # beyond the runs without a fault
	bash -c 'while kill -TERM $1 2>/dev/null; do :; done' - $! # teardown looks
}

@test "killed outright, it takes the program with it" {
	"$tool" sweep "${socket[@]}" --timeout 60s "$subject" stubborn >/dev/null 2>&1 3>&- &
	within 5 pgrep -f "^$subject stubborn" >/dev/null
	sleep 0.5 # beyond the runs without a fault
	pgrep -f "^$subject stubborn" --runstates RSD >/dev/null
	kill -KILL $!
	wait $! || true
	within 5 gone "^$subject stubborn"
	rm -r "$BATS_TEST_TMPDIR"/tcpshim-sweep-* # as nobody else can
}

@test "nohup: a terminal that goes does not end it" {
	local status=0

	nohup "$tool" sweep "${socket[@]}" --once "$subject" slow 3 \
		>"$BATS_TEST_TMPDIR/table" 2>/dev/null 3>&- &
	within 5 pgrep -f "^$subject slow" >/dev/null
	kill -HUP $!
	wait $! || status=$?
	[ $status = 0 ]
	grep -qF '3 runs: 3 same output' "$BATS_TEST_TMPDIR/table"
}

@test "a state file: what was done is not done again" {
	local status=0 state=$BATS_TEST_TMPDIR/state

	"$tool" sweep "${socket[@]}" --once --state "$state" "$subject" slow 8 \
		>"$BATS_TEST_TMPDIR/table" 2>&1 3>&- &
	within 10 grep -qs '^run 0 2 ' "$state"
	kill -TERM $!
	wait $! || status=$?
	[ $status = 143 ]
	done=$(grep -c '^run ' "$state")
	[ "$done" -lt 8 ]
	grep '^run ' "$state" >"$BATS_TEST_TMPDIR/before"
	seed=$(sed -n 's/^seed 0*//p' "$state")
	sweep 0 "${socket[@]}" --once --state "$state" -j 4 "$subject" slow 8
	counts '8 same output'
	grep -qF "seed 0x$seed" "$table"
	head -"$done" <(grep '^run ' "$state") | cmp - "$BATS_TEST_TMPDIR/before"
	sweep 0 "${socket[@]}" --always --max 1 --state "$state" "$subject" slow 8
	[ "$(grep -c '^run ' "$state")" = 9 ] # what was done with other options is kept
}

@test "a state of something else, or a damaged one, is refused" {
	local state=$BATS_TEST_TMPDIR/state good=$BATS_TEST_TMPDIR/good

	sweep 0 "${socket[@]}" --once --state "$state" "$subject" loop 2
	cp "$state" "$good"
	sweep 125 "${socket[@]}" --once --state "$state" "$subject" loop 3
	grep -qF 'other arguments' "$said"
	for change in '$d' '1s/1/2/' '/^id/s/ ./ g/' '/^seed/d' 's/^run 0 1 0/run 0 0 0/' \
		's/^run 0 1 0 8/run 0 1 0 9/' 's/^run 0 1 0/run 0 -1 0/' '$s/$/x/' '$a more' \
		's/x$/x0/' 's/x$/x00/' 's/^run 0 1 0/run 0 99999999999999999999 0/'; do
		sed "$change" "$good" >"$state"
		run ! cmp -s "$state" "$good"
		sweep 125 "${socket[@]}" --once --state "$state" "$subject" loop 2
		grep -qF 'damaged' "$said"
	done
	rm "$state"
	ln -s "$good" "$state"
	sweep 125 "${socket[@]}" --once --state "$state" "$subject" loop 2
	sweep 125 "${socket[@]}" --once --state "$BATS_TEST_TMPDIR" "$subject" loop 2
}

@test "-j makes several runs at once, with the same results" {
	sweep 1 "${socket[@]}" --once -j 4 "$subject" crash 9
	counts '1 crash, 8 same output'
	SECONDS=0
	sweep 1 "${socket[@]}" --once -j 8 --timeout 2s "$subject" hang
	sweep 0 "${socket[@]}" --once -j 8 "$subject" slow 16
	counts '16 same output'
}

@test "a run without a fault must go well" {
	sweep 125 "$subject" nothing
	grep -qF 'nothing to try' "$said"
	sweep 125 "$subject" bogus
	grep -qF 'exit status is 99, not 0' "$said"
	sweep 125 --timeout 200ms sleep 10
	grep -qF 'still ran after 200 ms' "$said"
	sweep 127 nosuchprogram
	sweep 126 /etc/passwd
	sweep 125 "$build/tests/stress/static"
	grep -qF 'statically linked' "$said"
	sweep 0 --expect 99 "${socket[@]}" sh -c "$subject clean && exit 99"
}

@test "wrong use is 125" {
	for wrong in '' '--bogus true' '--fail' '--max 0 true' '--timeout 0 true' '--timeout x true' \
		'-j 0 true' '-j 1000 true' '--expect 256 true' '--seed x true'; do
		# shellcheck disable=SC2086 # words
		run -125 "$tool" sweep $wrong
		[[ "$output" == "tcpshim sweep: "* ]]
	done
	for fault in 'connect error ETIMEDOUT when 3' 'connect error ETIMEDOUT probability 5%' \
		'connect error ETIMEDOUT; accept error EMFILE' ''; do
		run -125 "$tool" sweep --fail "$fault" true
	done
	run -125 "$tool" sweep --fail 'connect error ETIMEOUT' true
	[[ "$output" == "--fail:1:"*"did you mean"* ]]
}

@test "the seed is told, and can be given" {
	sweep 0 --seed 0x2a "${socket[@]}" --once "$subject" loop 1
	grep -qF 'seed 0x2a' "$table"
}

@test "a program of Python" {
	sweep 1 --fail 'connect error ECONNREFUSED' "$python" -c '
import os, socket
server = socket.create_server(("127.0.0.1", 0))
try:
	socket.create_connection(server.getsockname()).close()
except OSError:
	os.abort()'
	counts '2 crash'
}

@test "how far it is: on a terminal in one line, with an estimate; else now and then; -q: not" {
	script -qec "$tool sweep --fail 'socket error EMFILE' --once $subject slow 2" \
		"$BATS_TEST_TMPDIR/terminal" </dev/null >/dev/null 3>&-
	grep -qE $'\rtcpshim sweep: 1 of 2 runs, 0 bad, about [0-9]+ m?s left' \
		"$BATS_TEST_TMPDIR/terminal"
	sweep 0 "${socket[@]}" --once "$subject" slow 2
	[ ! -s "$said" ]
	script -qec "$tool sweep -q --fail 'socket error EMFILE' --once $subject slow 2" \
		"$BATS_TEST_TMPDIR/terminal" </dev/null >/dev/null 3>&-
	! grep -q ' of 2 runs' "$BATS_TEST_TMPDIR/terminal"
}

# The frames of each call that is counted, as lines of JSON.
sites() {
	TCPSHIM_SITES=1 TCPSHIM_SESSION=$BATS_TEST_TMPDIR/session LD_PRELOAD=$lib \
		TCPSHIM_RULES='fail socket error EMFILE when 4294967294' "$@" 3>&-
	"$tool" log --json "$BATS_TEST_TMPDIR/session" | jq -c 'select(.call == "site")'
}

@test "sites: each counted call of each thread and forked child has its own" {
	run sites "$subject" threads 3
	[ "$(grep -c '"turn":' <<<"$output")" = 6 ]
	[ "$(jq -r '.turn' <<<"$(grep '{' <<<"$output")" | sort -n | tr '\n' ' ')" = '1 2 3 4 5 6 ' ]
	[ "$(grep '{' <<<"$output" | jq -r '.frames[0]' | sort -u | wc -l)" = 1 ]
	[[ "$(grep '{' <<<"$output" | jq -r '.frames[0]' | sort -u)" == "$subject+0x"* ]]
	rm "$BATS_TEST_TMPDIR/session"
	run sites "$subject" child
	[ "$(grep '{' <<<"$output" | jq -r .pid | sort -u | wc -l)" = 2 ]
	[ "$(grep '{' <<<"$output" | jq -r '.frames[0]' | sort -u | wc -l)" = 2 ]
}

@test "sites: told of programs that were started without an environment, too" {
	run sites env -i "$subject" loop 1
	[ "$(grep '{' <<<"$output" | jq -r '.frames[0]' | sort -u | wc -l)" = 2 ]
	[[ "$output" != *libtcpshim* ]]
}

@test "sites: a relative path and another directory do not hide the program" {
	cd "$(dirname "$subject")"
	run sites sh -c 'cd / && exec "$OLDPWD/sweep_subject" loop 1'
	[[ "$output" == *"\"frames\":[\"$subject+0x"* ]]
	rm "$BATS_TEST_TMPDIR/session"
	run sites ./sweep_subject loop 1
	[[ "$output" == *"\"frames\":[\"$subject+0x"* ]]
}

@test "sites: without backtrace, the return address alone" {
	musl-gcc -o "$BATS_TEST_TMPDIR/musl" "$(dirname "$BATS_TEST_FILENAME")/exhaust/sweep_subject.c"
	run sites "$BATS_TEST_TMPDIR/musl" loop 2
	[ "$(grep -c '"turn":' <<<"$output")" = 3 ]
	[ "$(grep '{' <<<"$output" | jq -r '.frames | length' | sort -u)" = 1 ]
	[[ "$output" == *"$BATS_TEST_TMPDIR/musl+0x"* ]]
}

@test "sites: none without the setting" {
	run env TCPSHIM_SESSION="$BATS_TEST_TMPDIR/session" LD_PRELOAD="$lib" \
		TCPSHIM_RULES='fail socket error EMFILE when 9' "$subject" loop 2
	[ "$("$tool" log --json "$BATS_TEST_TMPDIR/session" | grep -c '"call":"site"')" = 0 ]
}

@test "completion offers options, and programs behind them" {
	source tools/completion.bash
	tcpshim() { "$tool" "$@"; }
	complete_words() {
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_tcpshim
	}
	for option in $("$tool" sweep --help | grep -oE -- ' --[a-z]+'); do
		complete_words tcpshim sweep "$option"
		[[ " ${COMPREPLY[*]} " == *" $option "* ]]
	done
	complete_words tcpshim sweep --fail 'connect error ETIMEDOUT' bas
	[[ " ${COMPREPLY[*]} " == *' bash '* ]]
	echo >"$BATS_TEST_TMPDIR/a.state"
	complete_words tcpshim sweep --state "$BATS_TEST_TMPDIR/a"
	[ "${COMPREPLY[*]}" = "$BATS_TEST_TMPDIR/a.state" ]
	complete_words tcpshim sweep bash -
	[ "${#COMPREPLY[@]}" = 0 ] # the program's own
}

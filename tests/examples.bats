#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The examples run as they stand; so do those of the README and the manual.
# shellcheck disable=SC2154 # variables of common.bash

bats_require_minimum_version 1.5.0

load lib/common.bash
load lib/alone.bash

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return 1
	PATH=$build:$PATH
}

python() {
	printf '%s\n' 'import socket' "$@" >"$BATS_TEST_TMPDIR/program.py"
	program=("$(command -v /usr/bin/python3 || command -v python3)" "$BATS_TEST_TMPDIR/program.py")
}

@test "no-leaks passes a program that closes its sockets" {
	python 's = socket.socket()' 's.close()' 'print("finished")'
	run examples/no-leaks "${program[@]}"
	[ "$status" = 0 ]
	[ "$output" = finished ]
}

@test "no-leaks fails a program that does not" {
	python 'import os' 's = socket.socket()' 'os._exit(0)'
	run examples/no-leaks "${program[@]}"
	[ "$status" = 1 ]
	[[ $output == "leak: python3"*"1 tcp"* ]]
}

@test "no-leaks gives the status of a program that fails" {
	python 'raise SystemExit(7)'
	run examples/no-leaks "${program[@]}"
	[ "$status" = 7 ]
}

@test "ports-of lists what is listened on and called" {
	python 's = socket.create_server(("127.0.0.1", 0))' \
		'c = socket.create_connection(s.getsockname())' \
		'print(s.getsockname()[1])'
	run --separate-stderr examples/ports-of "${program[@]}"
	[ "$status" = 0 ]
	port=${stderr_lines[0]}
	[ "${lines[0]}" = "connect tcp 127.0.0.1:$port python3" ]
	[ "${lines[1]}" = "listen  tcp 127.0.0.1:$port python3" ]
}

@test "no-leaks finds what is lost when a call fails" {
	python 'import os, sys' 'kept = []' \
		'for _ in range(2):' \
		'    kept.append(socket.socket())' \
		'    if kept[-1].connect_ex(("127.0.0.1", 1)) == 99 and sys.argv[1:] == ["close"]:' \
		'        kept.pop().close()' \
		'os._exit(0)'
	export TCPSHIM_RULES='fail connect error EADDRNOTAVAIL'
	run examples/no-leaks "${program[@]}"
	[ "$status" = 1 ]
	[[ $output == *"2 tcp"* ]]
	run examples/no-leaks "${program[@]}" close
	[ "$status" = 0 ]
}

@test "backs-off: a program that waits between its tries, one that does not, one that never calls" {
	python 'import sys, time' 'server = socket.create_server(("127.0.0.1", 0))' \
		'while sys.argv[1:] and socket.socket().connect_ex(server.getsockname()) != 0:' \
		'    time.sleep(float(sys.argv[1]))'
	run examples/backs-off "${program[@]}" 0.02
	[ "$status" = 0 ]
	run examples/backs-off "${program[@]}" 0
	[ "$status" = 1 ]
	[[ $output == *"connect failed 5 times in a row"* ]]
	run examples/backs-off "${program[@]}"
	[ "$status" = 4 ]
}

@test "nginx-survives: it waits for a descriptor, and serves again" {
	command -v nginx >/dev/null || skip "no nginx here"
	home_of examples
	cat >"$home/step" <<-'END'
		PATH=$PWD/build:$PATH
		examples/nginx-survives
	END
	run alone bash step
	[ "$status" = 0 ]
	[ "${lines[0]}" = "here I am" ]
	[ "${lines[1]}" = "here I am" ]
	[[ "${lines[2]}" == "out of descriptors: accept failed"* ]]
}

@test "test_fetch.py: without ports only the patient client passes its tests" {
	home_of examples
	cat >"$home/step" <<-'END'
		PATH=$PWD/build:$PATH
		tests() { "$@" python3 -B -m unittest -k "$client" examples/test_fetch.py; }
		client=Hasty tests || exit 1
		client=Patient tests tcpshim run -q --strict -r 'limit ports 4' || exit 2
		client=Hasty tests tcpshim run -q -r 'limit ports 4' 2>said && exit 3
		grep 'Cannot assign requested address' said
	END
	alone bash step
}

@test "the README's operator, auditor and tester: what is printed there is what happens" {
	home_of README.md examples tests/lib/console.py
	alone python3 console.py README.md
}

@test "guard writes what a program does, and fails when it does more" {
	home_of examples
	cat >"$home/ci" <<-'END'
		PATH=$PWD/build:$PATH
		examples/backend >up &
		until [ -s up ]; do sleep 0.05; done
		examples/guard job.rules curl -s http://127.0.0.1:9000/ >page || exit 1
		grep -q 'allow connect tcp 127.0.0.1:9000' job.rules || exit 2
		examples/guard job.rules curl -s http://127.0.0.1:9000/ >page || exit 3
		examples/guard job.rules sh -c 'curl -s http://127.0.0.1:9001/; true' 2>said
		[ $? = 3 ] && grep -q 'connect.*127.0.0.1:9001 .denied' said
		status=$?
		kill %1
		exit $status
	END
	alone bash ci
}

@test "local-only.rules: servers for all are servers for this host, nobody else is there" {
	python 's = socket.create_server(("", 8000))' \
		'print(s.getsockname()[0])' \
		'for peer in ("127.0.0.1", 8000), ("127.0.0.2", 8000), ("192.0.2.1", 80):' \
		'    print(socket.socket().connect_ex(peer))'
	home_of "$BATS_TEST_TMPDIR/program.py" examples
	run alone build/tcpshim run -q -o session -f examples/local-only.rules python3 program.py
	[ "$output" = "0.0.0.0
0
111
101" ]
	run tcpshim log --csv --verdict denied "$home/session"
	[ "${#lines[@]}" = 2 ]
	[[ "${lines[1]}" == *connect*192.0.2.1:80* ]]
}

@test "every rule file of the examples is without a doubt" {
	for file in examples/*.rules; do
		run tcpshim check -f "$file"
		[ "$status" = 0 ]
		[[ $output != *'never match'* ]]
	done
}

# examples_of PAGE SECTION: what stands there between .EX and .EE, as it is read
examples_of() {
	awk -v section="$2" '/^\.SH/ {on = index($0, section); next}
		on && /^\.E[XE]/ {copies = /X/; if (!copies) print ""; next}
		on && copies' "$1" | sed -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" \
		-e 's/\\(ha/^/g' -e 's/\\(ti/~/g' -e 's/\\e/\\/g'
}

# are_rules PAGE SECTION...: the examples of these sections
are_rules() {
	local page=$1 section
	shift

	for section in "$@"; do
		examples_of "$page" "$section" >"$BATS_TEST_TMPDIR/rules"
		[ -s "$BATS_TEST_TMPDIR/rules" ]
		run tcpshim check -f "$BATS_TEST_TMPDIR/rules"
		echo "$section: $output"
		[ "$status" = 0 ]
	done
}

@test "every rule in tcpshim.rules(5), tcpshim.limits(5) and tcpshim.faults(5) is one" {
	are_rules shim/tcpshim.rules.5 DESCRIPTION ENDPOINTS 'IN NAME' ACTIONS EXAMPLES
	are_rules shim/tcpshim.limits.5 DESCRIPTION EXAMPLES
	are_rules shim/tcpshim.faults.5 'FAIL AND DELAY' TURNS EXAMPLES
}

@test "the diagnostics in tcpshim.rules(5) are those that are printed" {
	cd "$BATS_TEST_TMPDIR"
	printf '\n\nalow bind tcp :80\n' >web.rules
	run --separate-stderr tcpshim check -f web.rules
	[ "$status" = 125 ]
	[ "$stderr" = "$(examples_of "$OLDPWD/shim/tcpshim.rules.5" DIAGNOSTICS)" ]
}

@test "the manual pages are without a warning" {
	if ! command -v groff >/dev/null; then
		skip "no groff here"
	fi
	for page in tools/*.[1-8] shim/*.[1-8]; do
		run groff -man -ww -Tutf8 -P-c -z "$page"
		[ "$status" = 0 ]
		[ "$output" = "" ]
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The house keeps its promises: who includes whom, what goes in and out of the
# library, and the form of the files.

load lib/common.bash

# not_in ALLOWED: the lines of stdin that the file ALLOWED does not have
not_in() {
	sort -u | comm -23 - <(sort -u "$1")
}

nothing() {
	if [ -n "$output" ]; then
		echo "$output"
		return 1
	fi
}

# includes_only FOLDER PATTERN: every "..." include of its files matches
includes_only() {
	run bash -c "grep -n '^#include \"' $1/*.[ch] | grep -vE '#include \"($2)'"
	nothing
}

@test "sys includes sys alone" {
	includes_only shim/sys 'sys/'
}

@test "core includes core alone" {
	includes_only shim/core 'core/'
}

@test "preload includes sys, core and preload" {
	includes_only shim/preload '(sys|core|preload)/'
}

@test "tools include core and tools, never preload" {
	includes_only tools '(core|tools)/|[a-z_]+\.h"'
}

@test "core calls nothing that allocates, does I/O, asks the clock or sets errno" {
	local object

	for object in "$build"/lib/shim/core/*.o; do
		nm -u "$object" | awk -v file="${object##*/}" '{print $2}' |
			not_in <(nm --defined-only "$build"/lib/shim/core/*.o | awk 'NF == 3 {print $3}' |
				cat - tests/core.allowed) | sed "s|^|${object##*/}: |"
	done >"$BATS_TEST_TMPDIR/calls"
	run cat "$BATS_TEST_TMPDIR/calls"
	nothing
}

@test "core has no variables" {
	run bash -c "size -A '$build'/lib/shim/core/*.o |
		awk '\$1 ~ /^\.(data|bss|tdata|tbss)(\$|\.[^r])/ && \$2 > 0 {print}
			/:\$/ {file = \$1}'"
	nothing
}

# The names of calls.def, one a line.
call_names() {
	sed -nE -e 's/^CALL\([A-Z_]+, [^,]+, ([a-zA-Z0-9_]+),.*/\1/p' \
		-e 's/^CALL_VOID\([A-Z_]+, ([a-zA-Z0-9_]+),.*/\1/p' \
		-e 's/^(BUILT|ALIAS)\(([a-zA-Z0-9_]+)[,)].*/\2/p' shim/sys/calls.def | sort -u
}

@test "the library exports the names of calls.def and no other" {
	[ "$(call_names | wc -l)" -gt 70 ]
	nm -D --defined-only "$lib" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | sort -u \
		>"$BATS_TEST_TMPDIR/exports"
	run diff <(call_names) "$BATS_TEST_TMPDIR/exports"
	nothing
}

@test "every name of calls.def is called by a test program" {
	sed -n 's|^/\* calls: \(.*\) \*/$|\1|p' tests/calls/*.c | tr ' ' '\n' | sort -u \
		>"$BATS_TEST_TMPDIR/exercised"
	run not_in "$BATS_TEST_TMPDIR/exercised" < <(call_names)
	nothing
}

@test "a program that claims to test a name does call it" {
	for file in tests/calls/*.c; do
		sed -n 's|^/\* calls: \(.*\) \*/$|\1|p' "$file" | tr ' ' '\n' | while read -r name; do
			grep -v '^/\*' "$file" tests/calls/observe.h | grep -qE "\b$name\b" ||
				echo "$file: $name"
		done
	done >"$BATS_TEST_TMPDIR/claims"
	run cat "$BATS_TEST_TMPDIR/claims"
	nothing
}

@test "the library imports only what is on the list" {
	nm -D --undefined-only "$lib" | awk '{print $NF}' | sed 's/@.*//' >"$BATS_TEST_TMPDIR/imports"
	run not_in tests/imports.allowed <"$BATS_TEST_TMPDIR/imports"
	nothing
}

@test "the library has no fortified symbol, which musl would not have" {
	run bash -c "nm -D --undefined-only '$lib' | grep -E '_chk(@|$)'"
	nothing
}

@test "the library needs libc alone, resolved at start" {
	readelf -dW "$lib" >"$BATS_TEST_TMPDIR/dynamic"
	run bash -c "grep NEEDED '$BATS_TEST_TMPDIR/dynamic' | grep -vE '\[(libc\.so\.6|ld-linux[^]]*)\]'"
	nothing
	grep -q 'FLAGS.*NOW' "$BATS_TEST_TMPDIR/dynamic"
}

@test "the library's thread-locals are of the initial-exec model, and small" {
	readelf -dW "$lib" | grep -q STATIC_TLS || [ -z "$(tls_bytes)" ]
	[ $((16#$(tls_bytes))) -le 128 ]
	run bash -c "nm -D '$lib' | grep __tls_get_addr"
	nothing
}

tls_bytes() {
	readelf -lW "$lib" | awk '$1 == "TLS" {sub("0x", "", $6); print $6}'
}

sources() {
	find shim tools tests examples -name '*.[ch]' | sort
}

# scripts_of PATTERN: files whose first line names such an interpreter
scripts_of() {
	find .ci tests tools examples -type f -exec awk -v pattern="^#!.*/(env )?($1)\$" \
		'FNR == 1 {if ($0 ~ pattern) print FILENAME; nextfile}' {} + | sort
}

@test "C files are formatted by .clang-format" {
	sources | xargs clang-format --dry-run -Werror
}

@test "scripts pass shellcheck" {
	scripts_of 'sh|bash' | xargs shellcheck -x -P SCRIPTDIR -P . -S warning
	# a bats test is a subshell, and what it loads shares variables with it
	(scripts_of bats; find tests -name '*.bash' | sort) |
		xargs shellcheck -x -S warning -e SC2030,SC2031,SC2034,SC2154
}

@test "no file is longer than 500 lines" {
	run bash -c "find shim tools tests examples .ci Makefile -type f ! -name '*.pyc' -print0 |
		xargs -0 wc -l | awk '\$2 != \"total\" && \$1 > 500'"
	nothing
}

@test "every file says its licence" {
	run bash -c "find shim tools tests .ci Makefile -type f ! -name '*.pyc' ! -name '*.allowed' -print0 |
		xargs -0 grep -L 'SPDX-License-Identifier: MIT'"
	nothing
}

@test "the top level holds what the design names" {
	run bash -c "ls -A | grep -vxE 'build(-.*)?|\.git' | grep -vxE \
		'Makefile|README.md|shim|tools|tests|examples|LICENSE|CHANGELOG.md|\.ci|\.clang-format|\.gitignore'"
	nothing
}

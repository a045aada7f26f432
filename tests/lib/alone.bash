# SPDX-License-Identifier: MIT
# alone.bash - run something as an ordinary user who has the machine's ports for
# himself: the policies of the tests speak of fixed ones. For bats.
# shellcheck shell=bash disable=SC2154

# home_of FILE...: a place of that user's own, $home, with a copy of these, and build/.
# Skips the test where there is no network namespace to be had.
home_of() {
	home=$BATS_TEST_TMPDIR/home
	space=(unshare -n)
	[ "$(id -u)" = 0 ] || space=(unshare -rn)
	if ! "${space[@]}" true 2>/dev/null; then
		skip "no network namespace to be had here"
	fi
	mkdir -p "$home/build"
	cp -r "$@" "$home"
	cp "$tool" "$lib" "$home/build"
	chmod -R a+rX "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	[ "$(id -u)" != 0 ] || chown -R nobody "$home"
}

inside='ip link set lo up; cd "$0" && exec "$@"'

# alone COMMAND...: in $home, in a network namespace, without any privilege
alone() {
	local user=(unshare --map-user="$(id -u)" --map-group="$(id -g)")

	if [ "$(id -u)" = 0 ]; then
		user=(setpriv --bounding-set=-all --inh-caps=-all
			--reuid=nobody --regid=nogroup --clear-groups)
	fi
	"${space[@]}" sh -c "$inside" "$home" "${user[@]}" env HOME="$home" \
		XDG_STATE_HOME="$home/state" PATH="/usr/bin:/usr/sbin:$PATH" "$@" 3>&-
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# When a changed value takes effect, and what the kernel takes for one: what apply has to know.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

timeout=node.session.timeo.replacement_timeout

setup() {
	start_tgtd
	tgtd_volume 1 "$iqn" Amazon 'Storage Gateway'
	start_iscsid
	iscsiadm -m discovery -t st -p "$portal"
	log_in "$iqn"
}

node() { # OPTION...
	iscsiadm -m node -T "$iqn" -p "$portal" "$@"
}

@test "a session keeps its values until a login by a record that was changed" {
	sed -i "s/^$timeout = .*/$timeout = 600/" /etc/iscsi/iscsid.conf
	expect_session "$iqn" recovery_tmo=120
	node --logout
	log_in "$iqn"
	expect_session "$iqn" recovery_tmo=120

	node -o update -n "$timeout" -v 600
	expect_session "$iqn" recovery_tmo=120
	node --logout
	log_in "$iqn"
	expect_session "$iqn" recovery_tmo=600
}

# What is written, and what the file shows then; none where it is refused.
@test "the kernel checks a session's timeout, and takes anything for a disk's" {
	local file row written expected status=0
	for row in recovery_tmo:600:600 recovery_tmo:0:0 recovery_tmo:off:off recovery_tmo:-1:none \
		recovery_tmo:abc:none recovery_tmo:120:120 \
		timeout:600:600 timeout:abc:0 timeout::0 timeout:-1:17179868 timeout:30:30; do
		IFS=: read -r file written expected <<<"$row"
		if [ "$file" = timeout ]; then
			file=$(disk_of "$iqn")/timeout
		else
			file=$(session_of "$iqn")/recovery_tmo
		fi
		[ "$expected" != none ] || expected=$(cat "$file")
		echo "$written" >"$file" || :
		[ "$(cat "$file")" = "$expected" ] ||
			{ echo "$row: it is $(cat "$file")"; status=1; }
	done
	return "$status"
}

@test "a new login brings a disk's own timeout back, a rescan does not" {
	echo 600 >"$(disk_of "$iqn")/timeout"
	node --rescan
	settle
	[ "$(timeout_of "$iqn")" = 600 ]
	node --logout
	log_in "$iqn"
	[ "$(timeout_of "$iqn")" = 30 ]
}

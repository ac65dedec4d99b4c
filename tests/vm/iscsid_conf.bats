#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# iscsid.conf as iscsid and iscsiadm take it, which only a running iscsid can tell.

# shellcheck disable=SC2154 # guest.bash has the names of the volume, its gateway and its values
load guest

timeout=node.session.timeo.replacement_timeout
rows=$BATS_TEST_DIRNAME/rows

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	start_tgtd
	tgtd_volume 1 "$iqn" Amazon 'Storage Gateway'
}

discover() {
	run -0 iscsiadm -m discovery -t st -p "$portal" "$@"
}

@test "our reader takes every form of a line of iscsid.conf as discovery does" {
	local row expected got n=0 status=0
	start_iscsid
	: >/etc/iscsi/iscsid.conf
	discover
	cp "$record" default
	for row in "$rows"/*.record; do
		# The first lines say whose record it is; but a byte order mark goes before them.
		if [ "$(head -c 3 "$row")" = $'\xef\xbb\xbf' ]; then
			head -n -6 "$row"
		else
			tail -n +7 "$row"
		fi >/etc/iscsi/iscsid.conf
		discover
		expected=$(cat "${row%.record}.expected")
		case $expected in
		*' = '*) got=$(grep -F -- "${expected%% = *} = " "$record") ;;
		*)	# our reader found nothing: neither did iscsiadm, if its own default stands
			got=$(grep -F -- "$expected = " "$record") || :
			expected=$(grep -F -- "$expected = " default) || : ;;
		esac
		if [ "$got" != "$expected" ]; then
			printf 'of this iscsid.conf discovery takes "%s", we "%s":\n' "$got" "$expected"
			cat -A /etc/iscsi/iscsid.conf
			status=1
		fi
		n=$((n + 1))
	done
	echo "$n rows"
	[ "$n" -gt 50 ]
	return "$status"
}

@test "without iscsid, a record is made without iscsid.conf, and the status is 0" {
	echo "$timeout = 600" >/etc/iscsi/iscsid.conf
	iscsiadm -m node -o new -T "$iqn" -p "$portal,1"
	[ "$(recorded "$timeout")" = 120 ]
	rm -r /etc/iscsi/nodes
	start_iscsid
	iscsiadm -m node -o new -T "$iqn" -p "$portal,1"
	[ "$(recorded "$timeout")" = 600 ]
}

@test "without iscsid.conf, records get what is compiled in, and nobody is told" {
	rm /etc/iscsi/iscsid.conf
	start_iscsid
	discover
	[ "$(recorded "$timeout")" = 120 ]
	[ "$(recorded 'node.conn\[0\].timeo.login_timeout')" = 30 ]
	[ "$(recorded node.session.initial_login_retry_max)" = 4 ]
}

@test "plain discovery takes a record's own values away, discovery -o new leaves them" {
	start_iscsid
	discover
	iscsiadm -m node -T "$iqn" -p "$portal" -o update -n "$timeout" -v 600
	discover -o new
	[ "$(recorded "$timeout")" = 600 ]
	discover
	[ "$(recorded "$timeout")" = 120 ]
}

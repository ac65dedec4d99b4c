# SPDX-License-Identifier: MIT
# disconnect by names of portals, on a host whose names are its /etc/hosts alone. What it logs out of
# is tests/vm/disconnect.bats'.
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr

load helpers

iqn=iqn.1997-05.com.amazon:myvolume

setup() {
	need unshare
	HOST=$BATS_TEST_TMPDIR/host
	mkdir -p "$HOST/etc/iscsi/send_targets"
	echo "InitiatorName=iqn.1993-08.org.debian:01:1" >"$HOST/etc/iscsi/initiatorname.iscsi"
	echo 'hosts: files' >"$HOST/etc/nsswitch.conf"
	echo '127.0.0.9 gateway.example' >"$HOST/etc/hosts"
}

# record PORTAL: one of the volume
record() {
	local dir=$HOST/etc/iscsi/nodes/$iqn/$1,3260,1
	mkdir -p "$dir"
	printf '%s\n' '# BEGIN RECORD 2.1.8' "node.name = $iqn" 'node.tpgt = 1' \
		'iface.iscsi_ifacename = default' "node.conn[0].address = $1" \
		'node.conn[0].port = 3260' '# END RECORD' >"$dir/default"
	chmod -R go= "$HOST/etc/iscsi/nodes"
}

on_host() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare -rmn bash -c 'mount --bind "$0/etc" /etc || exit 99; exec "$@"' "$HOST" "$@"
}

@test "a portal whose name cannot be looked up fails disconnect and devices, with what to do" {
	local command
	record 10.0.0.1
	for command in disconnect 'disconnect --forget' "disconnect --target $iqn" devices; do
		# shellcheck disable=SC2086 # words
		run -1 --separate-stderr on_host sgw-init $command gateway.exmaple
		[ -z "$output" ]
		[[ $stderr == "sgw-init: gateway.exmaple: cannot look up host 'gateway.exmaple'"*", and no session or record here has it"*"give the address"* ]]
	done
	[ -e "$HOST/etc/iscsi/nodes/$iqn/10.0.0.1,3260,1/default" ]
	run -1 on_host sgw-init disconnect --forget 10.0.0.1 gateway.exmaple
	[ -e "$HOST/etc/iscsi/nodes/$iqn/10.0.0.1,3260,1/default" ]
}

@test "a portal's name that has an address without a session is no failure" {
	run -0 on_host sgw-init disconnect gateway.example
	[[ $output == *"nothing to log out of"* ]]
	run -0 on_host sgw-init devices gateway.example
}

@test "a portal's name that a record bears need not be looked up" {
	record lost.example
	run -0 on_host sgw-init disconnect lost.example
	[[ $output == *"nothing to log out of"* ]]
	run -1 on_host sgw-init disconnect lost.example:3261
	run -0 on_host sgw-init devices lost.example
}

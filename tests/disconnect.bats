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

@test "disconnect fails for a target or portal of which there is neither a session nor a record" {
	local what forget
	record 127.0.0.9
	for what in "--target ${iqn}e" 10.9.9.9 "10.9.9.9 --target $iqn" 'gateway.example 10.9.9.9' \
		'gateway.example:3261' 127.0.0.9:3261; do
		for forget in '' --forget; do
			# shellcheck disable=SC2086 # words
			run -1 --separate-stderr on_host sgw-init disconnect $what $forget
			[ -z "$output" ]
			[[ $stderr == *"misspelled? sgw-init devices lists the sessions" ]]
		done
	done
	[[ $stderr == "sgw-init: 127.0.0.9:3261: no session and no record here has it for its portal; "* ]]
	run -1 on_host sgw-init disconnect --target "${iqn}e"
	[[ $output == "sgw-init: ${iqn}e: there is neither a session nor a record of it; "* ]]
	[ -e "$HOST/etc/iscsi/nodes/$iqn/127.0.0.9,3260,1/default" ]
	run -0 on_host sgw-init disconnect --all
	run -0 on_host sgw-init devices 10.9.9.9
}

@test "disconnect where there is a record but no session has nothing to do, and that is no failure" {
	local what
	record 127.0.0.9
	for what in "--target $iqn" 127.0.0.9 gateway.example "gateway.example --target $iqn"; do
		# shellcheck disable=SC2086 # words
		run -0 on_host sgw-init disconnect $what
		[[ $output == *"nothing to log out of"* ]]
	done
	run -0 on_host sgw-init devices gateway.example
}

@test "a portal's name that a record bears need not be looked up" {
	record lost.example
	run -0 on_host sgw-init disconnect lost.example
	[[ $output == *"nothing to log out of"* ]]
	run -1 on_host sgw-init disconnect lost.example:3261
	run -0 on_host sgw-init devices lost.example
}

# SPDX-License-Identifier: MIT
# What a host logs in to at boot (node.startup), and what it is logged in to now: check tells where
# these differ. The kernel is pretended (kernel.bash); on a real one it is tests/vm/procedure.bats'.

load helpers
load kernel

iqn=iqn.1997-05.com.amazon:myvolume

setup() {
	need socat unshare jq ip
	stock_host
	pretend_kernel
	start_target --volume myvolume:1M --portal 127.0.0.1:0
	sgw-init apply --root "$HOST" "$PORTAL"
	record=$HOST/etc/iscsi/nodes/$iqn/${PORTAL/:/,},1/default
}

startup() { # VALUE
	sed -i "s/^node.startup = .*/node.startup = $1/" "$record"
}

# findings: the verdict of each that is about boots, by check on the live host
findings() {
	on_kernel sgw-init check --output json |
		jq -r '.findings[] | select(.verdict == "not at boot" or .verdict == "down") |
			"\(.severity) \(.place) \(.verdict)"'
}

@test "check warns of a session that nobody logs in to at boot, and apply --connect mends it" {
	add_session "$iqn" "$PORTAL" default "$record"
	startup manual
	run -0 on_kernel sgw-init check
	[[ $output == *warning*"$iqn at $PORTAL"*"not at boot"*"at boot nobody logs in by it (node.startup)"* ]]
	[[ $output == *"still to do for $iqn at $PORTAL: have it logged in at boot: sgw-init apply --connect"* ]]
	[ "$(findings)" = "warning record not at boot" ]
	run -0 on_kernel sgw-init apply
	[[ $output == *"have it logged in at boot: sgw-init apply --connect"* ]]
	on_kernel sgw-init apply --connect
	[ "$(value_of "$record" node.startup)" = automatic ]
	[ -z "$(findings)" ]
	startup onboot
	[ -z "$(findings)" ]
	sed -i '/^node.startup/d' "$record"
	[ "$(findings)" = "warning record not at boot" ]
}

@test "check fails where what the host logs in to at boot has no session, and names the login" {
	startup automatic
	run -3 on_kernel sgw-init check
	[[ $output == *error*"$iqn at $PORTAL"*down*"there is no session: its device is not there"* ]]
	[[ $output == *"log in: sgw-init connect $PORTAL --target $iqn; or, where it is to stay away: sgw-init disconnect --target $iqn --forget"* ]]
	[ "$(findings)" = "error record down" ]
	# Nobody can tell of a tree that is not the host's own.
	sgw-init check --root "$HOST"
	run -0 --separate-stderr on_kernel sgw-init apply
	[[ $output == *"log in: sgw-init connect $PORTAL --target $iqn"* ]]
	[ -z "$stderr" ]

	on_kernel sgw-init connect "$PORTAL" --target "$iqn"
	[ -z "$(findings)" ]
	startup manual
	remove_session "$(session_of "$iqn")"
	[ -z "$(findings)" ]
}

@test "a target that is logged in elsewhere misses nothing, and --forget ends what is missed" {
	startup automatic
	add_session "$iqn" "127.0.0.9:3260" default "$record"
	[ -z "$(findings)" ]
	remove_session "$(session_of "$iqn")"
	[ "$(findings)" = "error record down" ]
	on_kernel sgw-init disconnect --target "$iqn" --forget
	[ -z "$(findings)" ]
}

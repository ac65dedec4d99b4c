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

# old: as a record is that was there when the host booted
old() {
	touch -d @1 "$record"
}

# findings: the verdict of each that is about boots, by check on the live host
findings() {
	on_kernel sgw-init check --output json |
		jq -r '(.findings[] | select(.verdict == "not at boot" or .verdict == "down") |
			"\(.severity) \(.verdict)"), "no more"' | paste -sd,
}

@test "check warns of a session that nobody logs in to at boot, and apply --connect mends it" {
	add_session "$iqn" "$PORTAL" default "$record"
	startup manual
	run -0 on_kernel sgw-init check
	[[ $output == *warning*"$iqn at $PORTAL"*"not at boot"*"at boot nobody logs in by it (node.startup)"* ]]
	[[ $output == *"still to do for $iqn at $PORTAL: have it logged in at boot: sgw-init apply --connect"* ]]
	[ "$(findings)" = "warning not at boot,no more" ]
	run -0 on_kernel sgw-init apply
	[[ $output == *"have it logged in at boot: sgw-init apply --connect"* ]]
	on_kernel sgw-init apply --connect
	[ "$(value_of "$record" node.startup)" = automatic ]
	[ "$(findings)" = "no more" ]
	startup onboot
	[ "$(findings)" = "no more" ]
	sed -i '/^node.startup/d' "$record"
	[ "$(findings)" = "warning not at boot,no more" ]
}

@test "where apply --connect would log in to other targets check names a command for the one record" {
	local other=iqn.1997-05.com.amazon:another
	cp -r "$HOST/etc/iscsi/nodes/$iqn" "$HOST/etc/iscsi/nodes/$other"
	sed -i "s/^node.name = .*/node.name = $other/" "$HOST/etc/iscsi/nodes/$other"/*/default
	add_session "$iqn" "$PORTAL" default "$record"
	startup manual
	run -0 on_kernel sgw-init check
	[[ $output == *"have it logged in at boot: iscsiadm -m node -T $iqn -p $PORTAL -I default -o update -n node.startup -v automatic"* ]]
	add_session "$other" "$PORTAL" default "$record"
	run -0 on_kernel sgw-init check
	[[ $output == *"still to do for $iqn at $PORTAL: have it logged in at boot: sgw-init apply --connect"* ]]
}

@test "check fails where what the host logs in to at boot has no session, and names the login" {
	startup automatic
	run -0 on_kernel sgw-init check # no boot has come yet
	[[ $output == *warning*"$iqn at $PORTAL"*down*"is not logged in yet: its device is not there"* ]]
	[ "$(findings)" = "warning down,no more" ]
	old
	run -3 on_kernel sgw-init check
	[[ $output == *error*"$iqn at $PORTAL"*down*"there is no session: its device is not there"* ]]
	[[ $output == *"log in: sgw-init connect $PORTAL --target $iqn; or, where it is to stay away: sgw-init disconnect --target $iqn --forget"* ]]
	[ "$(findings)" = "error down,no more" ]
	# Nobody can tell of a tree that is not the host's own.
	sgw-init check --root "$HOST"
	run -0 --separate-stderr on_kernel sgw-init apply
	[[ $output == *"log in: sgw-init connect $PORTAL --target $iqn"* ]]
	[ -z "$stderr" ]

	# Of one that is coming up nobody knows the target yet.
	mkdir "$HOST/sys/class/iscsi_session/session7"
	echo '(null)' >"$HOST/sys/class/iscsi_session/session7/targetname"
	[ "$(findings)" = "no more" ]
	rm -r "$HOST/sys/class/iscsi_session/session7"

	run -0 --separate-stderr on_kernel sgw-init connect "$PORTAL" --target "$iqn"
	[[ $stderr != *"lack wanted values"* ]]
	[ "$(findings)" = "no more" ]
	startup manual
	remove_session "$(session_of "$iqn")"
	[ "$(findings)" = "no more" ]
}

@test "the record that is told is the one of the boot, whichever was asked for" {
	local second=$HOST/etc/iscsi/nodes/$iqn/127.0.0.9,3260,1/default
	mkdir "${second%/*}"
	sed "s/^node.conn\[0\].address = .*/node.conn[0].address = 127.0.0.9/; s/^\(node.conn\[0\].port = \).*/\13260/" \
		"$record" >"$second"
	sed -i "s/^node.startup = .*/node.startup = onboot/" "$second"
	startup manual
	touch -d @1 "$second"
	run -3 on_kernel sgw-init check
	[[ $output == *"still to do for $iqn at 127.0.0.9:3260: log in: sgw-init connect 127.0.0.9:3260 --target $iqn"* ]]
	[ "$(findings)" = "error down,no more" ]
}

@test "a target that is logged in elsewhere misses nothing, and --forget ends what is missed" {
	startup automatic
	old
	add_session "$iqn" "127.0.0.9:3260" default "$record"
	[ "$(findings)" = "no more" ]
	remove_session "$(session_of "$iqn")"
	[ "$(findings)" = "error down,no more" ]
	on_kernel sgw-init disconnect --target "$iqn" --forget
	[ "$(findings)" = "no more" ]
}

# SPDX-License-Identifier: MIT
# A volume has one path: of a target's records one is logged in by at boot, and check tells where
# there are two, or two sessions. The kernel is pretended (kernel.bash); on a real one it is
# tests/vm/one_path.bats'.

load helpers
load kernel

iqn=iqn.1997-05.com.amazon:myvolume

setup() {
	need socat unshare jq ip
	stock_host
	pretend_kernel
	start_target --volume myvolume:1M --portal 127.0.0.1:0 --portal 127.0.0.2:0
	first=$(record "$PORTAL")
	# shellcheck disable=SC2153 # start_target sets it
	second=$(record "$PORTAL2")
}

record() { # PORTAL
	echo "$HOST/etc/iscsi/nodes/$iqn/${1/:/,},1/default"
}

apply() {
	sgw-init apply --root "$HOST" "$@"
}

# both_records STARTUP OF-SECOND: as found
both_records() {
	apply "$PORTAL" >/dev/null
	apply "$PORTAL2" >/dev/null
	sed -i "s/^node.startup = .*/node.startup = $1/" "$first"
	sed -i "s/^node.startup = .*/node.startup = $2/" "$second"
}

# startup VALUE OF-SECOND: that they have these now
startup() {
	local now
	now="$(value_of "$first" node.startup) $(value_of "$second" node.startup)"
	[ "$now" = "$1 $2" ] || { echo "node.startup is $now"; return 1; }
}

# expect_twice COUNT: so many findings of check are of a second record or session
expect_twice() {
	local found
	found=$(sgw-init check --root "$HOST" --output json |
		jq '[.findings[] | select(.verdict == "twice")] | length')
	[ "$found" -eq "$1" ] || { echo "$found are twice"; return 1; }
}

# session_by PORTAL: sessionN, with the disk sdgwN
session_by() {
	add_session "$iqn" "$1" default "$(record "$1")"
}

@test "apply --connect has a target logged in at boot by the record of its session alone" {
	local row
	both_records manual manual
	session_by "$PORTAL2"
	for row in 'manual manual' 'automatic automatic' 'automatic manual'; do
		# shellcheck disable=SC2086 # two words
		both_records $row
		run -0 on_kernel sgw-init apply --connect
		startup manual automatic
		run -0 on_kernel sgw-init apply --connect
		[[ $output == "nothing to change" ]]
		expect_twice 0
	done
}

@test "without a session apply --connect keeps to the record that is automatic, and logs in by it alone" {
	both_records automatic automatic
	run -0 --separate-stderr on_kernel sgw-init apply --connect --output json
	[ "$(jq -c '[.actions[].portal], [.connected[].portal]' <<<"$output" | xargs)" = "[$PORTAL] [$PORTAL]" ]
	startup automatic manual
}

@test "a record made beside an automatic one is manual, also where iscsid.conf has automatic" {
	sed -i '/^node.startup/d' "$CONF"
	echo 'node.startup = automatic' >>"$CONF"
	apply "$PORTAL"
	[ "$(value_of "$first" node.startup)" = automatic ]
	run -3 sgw-init check --root "$HOST" "$PORTAL2" --output diff
	[[ $output == *"+node.startup = manual"* ]]
	apply "$PORTAL2"
	startup automatic manual
	expect_twice 0
	rm -r "$HOST/etc/iscsi/nodes/$iqn"
	apply "$PORTAL" "$PORTAL2"
	startup automatic manual
	sed -i 's/^node.startup = .*/node.startup = manual/' "$first"
	rm "$second"
	apply "$PORTAL2"
	startup manual automatic
}

@test "check warns of two records that a target is logged in by at boot, with what mends it" {
	both_records automatic automatic
	run -0 sgw-init check --root "$HOST"
	[[ $output == *"warning"*"$iqn at $PORTAL2"*twice*"at boot this host logs in by it and by the target's record at $PORTAL (interface default), which shows one device twice"* ]]
	[[ $output == *"still to do for $iqn at $PORTAL2: have one of them logged in at boot: sgw-init apply --connect"* ]]
	expect_twice 1
	run -0 apply
	[[ $output == *"warning: $iqn at $PORTAL2: at boot this host logs in by it and by "* ]]
	startup automatic automatic
	on_kernel sgw-init apply --connect
	expect_twice 0
	# Of records with a leading login open-iscsi takes one by itself.
	sed -i 's/^node.startup = .*/node.startup = automatic/' "$second"
	expect_twice 1
	sed -i 's/^node.leading_login = .*/node.leading_login = Yes/' "$first" "$second"
	grep -qx 'node.leading_login = Yes' "$first"
	expect_twice 0
}

@test "check warns of two sessions of a target, which show one volume as two disks" {
	both_records automatic automatic
	session_by "$PORTAL"
	session_by "$PORTAL2"
	run -0 sgw-init check --root "$HOST"
	[[ $output == *"warning"*"session2 ($iqn)"*twice*"session1 goes to this target as well: sdgw1 and sdgw2 are one device, and who writes to both spoils what is on it"* ]]
	[[ $output == *"still to do for session2 ($iqn): log out of one of them once nothing uses it (sgw-init devices tells): sgw-init disconnect $PORTAL2 --target $iqn --forget"* ]]
	# Which one goes is the administrator's to say: until then both records stay.
	run -0 on_kernel sgw-init apply --connect
	[[ $output == *"warning: session2 ($iqn): session1 goes to this target as well"* ]]
	startup automatic automatic
	on_kernel sgw-init disconnect "$PORTAL2" --target "$iqn" --forget
	[ ! -e "$second" ]
	expect_twice 0
}

@test "of two sessions by one portal the number tells which is to end" {
	apply "$PORTAL"
	session_by "$PORTAL"
	session_by "$PORTAL"
	run -0 sgw-init check --root "$HOST"
	[[ $output == *"session2 ($iqn): log out of one of them once nothing uses it (sgw-init devices tells): iscsiadm -m session -r 2 --logout"* ]]
}

# held_by NAME SESSION: a multipath device of that name holds its disk
held_by() {
	local disk=$HOST/sys/class/iscsi_session/session$2/device/target$2:0:0/$2:0:0:0/block/sdgw$2
	mkdir -p "$disk/holders/dm-$1" "$HOST/sys/block/dm-$1/dm"
	echo "mpath-36001$1" >"$HOST/sys/block/dm-$1/dm/uuid"
	echo "mpath$1" >"$HOST/sys/block/dm-$1/dm/name"
}

@test "two paths that multipathd has joined are told as such, and nothing of them is changed" {
	both_records automatic automatic
	session_by "$PORTAL"
	session_by "$PORTAL2"
	held_by a 1
	held_by a 2
	run -0 sgw-init check --root "$HOST"
	[[ $output == *"session2 ($iqn)"*twice*"it is a path of the multipath device mpatha, and session1 another; AWS describes one path to a volume"* ]]
	[[ $output != *"spoils"* && $output != *disconnect* && $output != *"apply --connect"* ]]
	# Nor where one of them is down for the moment.
	on_kernel iscsiadm -m node -T "$iqn" -p "$PORTAL2,1" -I default --logout
	run -0 on_kernel sgw-init apply --connect
	startup automatic automatic
	# Two multipath devices are two disks still.
	session_by "$PORTAL2"
	held_by b 3
	run -0 sgw-init check --root "$HOST"
	[[ $output == *"sdgw1 and sdgw3 are one device"* ]]
}

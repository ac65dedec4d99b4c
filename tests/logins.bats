# SPDX-License-Identifier: MIT
# apply --connect and --relogin, connect and disconnect where the kernel is pretended (kernel.bash):
# what they tell, and what they leave alone. On a real one it is tests/vm/live.bats'.

load helpers
load kernel

iqn=iqn.1997-05.com.amazon:myvolume

setup() {
	need socat unshare jq ip
	HOST=$BATS_TEST_TMPDIR/host
	stock_root "$HOST"
	pretend_kernel
}

# tuned [sgw-target's options]: a gateway's records, made by apply; all of the host is as wanted.
tuned() {
	start_target "$@"
	sgw-init apply --root "$HOST" "$PORTAL"
}

# stale TARGET [INTERFACE]: a session of it that pings as often as the stock settings have it.
stale() {
	add_session "$1" "$PORTAL" "${2-default}" "$(record_of "$1" "${2-default}")" recv_tmo=5
}

record_of() { # TARGET INTERFACE
	echo "$HOST/etc/iscsi/nodes/$1/127.0.0.1,$PORT,1/$2"
}

# told LIST KEY...: the values of these keys in a list of the document in $output, a line each
told() { # LIST KEY...
	local list=$1 keys
	shift
	keys=$(printf ', .%s' "$@")
	jq -r ".${list}[] | [${keys#, }] | map(tostring) | join(\" \")" <<<"$output"
}

@test "apply --relogin for programs tells of each session what became of it, and why" {
	local name=iqn.1997-05.com.amazon:volume n
	tuned --targets 4
	for n in 01 02 03 04; do
		stale "$name-$n"
	done
	echo "$name-03" >"$HOST/refused"
	# shellcheck disable=SC2016 # for the inner shell
	run -1 --separate-stderr on_kernel sh -c '
		mount -t tmpfs /dev/sdgw2 /mnt && sgw-init apply --relogin --output json'
	[ "$(jq -r '.schema, .dry_run, .changed, .entry' <<<"$output" | xargs)" = \
		'sgw-init/apply/1 false false null' ]
	[ "$(told actions action why | sort -u)" = 'log-in-again recv_tmo' ]
	[ "$(told relogin target portal result why)" = "\
$name-01 $PORTAL done recv_tmo
$name-02 $PORTAL in-use recv_tmo
$name-03 $PORTAL logged-out recv_tmo
$name-04 $PORTAL not-tried recv_tmo" ]
	[ "$(jq -c '.relogin[] | select(.error == null) | .result' <<<"$output" | xargs)" = 'done not-tried' ]
	[[ $(jq -r '.relogin[1].error.text' <<<"$output") == "in use: mounted on /mnt (sdgw2)"* ]]
	[[ $(jq -r '.relogin[2].error.text' <<<"$output") == *"it is logged out: once that is mended: sgw-init connect $PORTAL --target $name-03" ]]
}

@test "a --relogin whose session comes up with another value ends there, and says which value" {
	local name=iqn.1997-05.com.amazon:volume
	tuned --targets 2
	stale "$name-01"
	stale "$name-02"
	echo "$name-01" >"$HOST/odd"
	run -1 --separate-stderr on_kernel sgw-init apply --relogin --output json
	[ "$(told relogin result)" = $'not-as-wanted\nnot-tried' ]
	[[ $(jq -r '.relogin[0].error.text' <<<"$output") == "recv_tmo is not as wanted after the login: see sgw-init check" ]]
	# shellcheck disable=SC2154 # run sets it
	[[ $stderr == *"sgw-init: session3 ($name-01): recv_tmo is not as wanted after the login: see sgw-init check"* ]]
}

@test "apply --connect for programs tells of each record what became of it" {
	local name=iqn.1997-05.com.amazon:volume
	tuned --targets 3
	echo "$name-02" >"$HOST/refused"
	stale "$name-03"
	run -1 --separate-stderr on_kernel sgw-init apply --connect --output json
	[ "$(jq -r '.schema' <<<"$output")" = sgw-init/apply/1 ]
	[ "$(told actions action target)" = "\
log-in $name-01
log-in $name-02" ]
	[ "$(told connected target portal result session)" = "\
$name-01 $PORTAL connected session2
$name-02 $PORTAL failed null" ]
	[ "$(jq -c '.connected[0].devices' <<<"$output")" = \
		'[{"name":"sdgw2","type":"disk","nodes":[{"node":"/dev/sdgw2","links":[]}],"ready":true}]' ]
	[[ $(jq -r '.connected[1].error.text' <<<"$output") == "the target refused this host"* ]]
}

@test "apply --connect and --relogin with nothing to log in to say so to programs" {
	tuned --volume myvolume:1M
	on_kernel sgw-init connect
	run -0 --separate-stderr on_kernel sgw-init apply --connect --relogin --output json
	[ "$(jq -c '.actions, .relogin, .connected' <<<"$output" | xargs)" = '[] [] []' ]
	run -0 --separate-stderr on_kernel sgw-init apply --output json
	[ "$(jq -c '.relogin, .connected' <<<"$output" | xargs)" = 'null null' ]
}

@test "a session that --connect brings up with another value fails it, and the value is named" {
	tuned --volume myvolume:1M
	echo "$iqn" >"$HOST/odd"
	run -1 on_kernel sgw-init apply --connect
	[[ $output == *"$iqn  $PORTAL  connected  session1"* ]]
	[[ $output == *"sgw-init: session1 ($iqn): recv_tmo is not as wanted after the login: see sgw-init check"* ]]
	remove_session session1
	run -1 on_kernel sgw-init apply --connect --set noop-out-interval=40
	[[ $output == *"recv_tmo is not as wanted after the login: see sgw-init check --set noop-out-interval=40"* ]]
}

@test "a session that ends while apply is at work needs its values no more" {
	tuned --volume myvolume:1M
	stale "$iqn"
	echo 120 >"$HOST/sys/class/iscsi_session/session1/recovery_tmo"
	rm "$HOST/etc/udev/rules.d/60-sgw-init.rules"
	# shellcheck disable=SC2016 # for the stand-in
	echo '. "$ROOT/tests/kernel.bash"; [ ! -e "$HOST/sys/class/iscsi_session/session1" ] || remove_session session1' \
		>>"$BATS_TEST_TMPDIR/bin/udevadm"
	sed -i '1s/sh$/bash/' "$BATS_TEST_TMPDIR/bin/udevadm"
	run -0 on_kernel sgw-init apply
	[[ $output == *recovery_tmo*120*600* ]]
	[ -z "$(session_of "$iqn")" ]
}

@test "a disk whose timeout the rule did not set has it after --connect all the same" {
	tuned --volume myvolume:1M
	echo "$iqn" >"$HOST/late"
	run -0 on_kernel sgw-init apply --connect
	[ "$(cat "$HOST"/sys/class/iscsi_session/session1/device/target*/*/timeout)" = 600 ]
	run -0 on_kernel sgw-init check
}

@test "a session that cannot be logged out keeps disconnect from none of the others" {
	local name=iqn.1997-05.com.amazon:volume
	tuned --targets 3
	on_kernel sgw-init connect
	echo "$name-01" >"$HOST/stuck"
	run -1 on_kernel sgw-init disconnect --all
	[[ $output == *"$name-01 at $PORTAL: the logout failed"*"[iscsiadm: 10 ISCSI_ERR_LOGOUT]"* ]]
	[ "$(session_of "$name-01"; session_of "$name-02"; session_of "$name-03")" = session1 ]
}

@test "--relogin ends at a session that cannot be logged out, which stands as it was" {
	local name=iqn.1997-05.com.amazon:volume
	tuned --targets 2
	stale "$name-01"
	stale "$name-02"
	echo "$name-01" >"$HOST/stuck"
	run -1 --separate-stderr on_kernel sgw-init apply --relogin --output json
	[ "$(told relogin result)" = $'not-logged-out\nnot-tried' ]
	[ "$(session_of "$name-01"; session_of "$name-02")" = $'session1\nsession2' ]
}

@test "on a terminal --relogin says that an interrupt waits for the login" {
	tuned --volume myvolume:1M
	stale "$iqn"
	run -0 on_kernel script -qec "sgw-init apply --relogin" /dev/null
	[[ $output == *"logging in to $iqn (1 of 1); an interrupt waits for it"* ]]
}

@test "connect waits for a login that somebody else has begun" {
	tuned --volume myvolume:1M
	echo "$iqn" >"$HOST/taken"
	run -0 on_kernel sgw-init connect
	[[ $output == *"$iqn  $PORTAL  connected  session1"* ]]
}

@test "--wait says how long a device may take to come after a login" {
	local command
	tuned --volume myvolume:1M
	echo "$iqn" >"$HOST/bare"
	for command in connect 'apply --connect' 'apply --relogin'; do
		[ "$command" = connect ] || remove_session "$(session_of "$iqn")"
		[ "$command" != 'apply --relogin' ] || stale "$iqn"
		SECONDS=0
		# shellcheck disable=SC2086 # words
		run -1 on_kernel sgw-init $command --wait 300ms
		[ "$SECONDS" -lt 30 ]
		[[ $output == *"sgw-init: $iqn at $PORTAL: session"*" is up, but no device came within 0.3 s: look at dmesg"* ]]
	done
	[[ $output == *"$iqn  $PORTAL  logged in again, not as wanted  recv_tmo"* ]]
	run -2 sgw-init apply --wait 3
	[[ $output == *"--wait goes with --connect or --relogin"* ]]
	run -2 sgw-init connect --wait soon
	[[ $output == *"--wait takes 1ms to 3600s, such as 3 or 500ms, not 'soon'"* ]]
}

@test "what is still to do is typed with the values and the scope that were asked for" {
	local command asked='--set noop-out-interval=40 --scope targets'
	tuned --volume myvolume:1M
	stale "$iqn"
	# shellcheck disable=SC2086 # several words
	run -0 on_kernel sgw-init apply $asked
	command=$(sed -n 's/^still to do .* uses its devices: //p' <<<"$output")
	[ "$command" = "sgw-init apply $asked --relogin" ]
	run -0 on_kernel bash -c "$command"
	[ "$(value_of "$(record_of "$iqn" default)" 'node.conn\[0\].timeo.noop_out_interval')" = 40 ]
	run -3 sgw-init check --root "$HOST" "$PORTAL"
	# shellcheck disable=SC2086
	run -0 sgw-init check --root "$HOST" "$PORTAL" $asked
}

@test "connect by a record that lacks wanted values says so before and after, and is no failure" {
	tuned --volume myvolume:1M
	sed -i 's/noop_out_interval = .*/noop_out_interval = 5/' "$(record_of "$iqn" default)"
	cp "$(record_of "$iqn" default)" "$HOST/before"
	run -0 --separate-stderr on_kernel sgw-init connect
	[[ $output == *"  connected  session1"* ]]
	[[ $stderr == *"1 of 1 records lack wanted values, and so will their sessions: check names them, and before a login they are mended with: sgw-init apply"* ]]
	[[ $stderr == *"1 value of these sessions and devices is not as wanted: sgw-init check names what"* ]]
	cmp "$HOST/before" "$(record_of "$iqn" default)"
	run -3 on_kernel sgw-init check
}

@test "what needs a new login is listed session by session: by apply, its dry run and check" {
	local name=iqn.1997-05.com.amazon:volume n line needs
	tuned --targets 4
	sed -i 's/^node.startup = .*/node.startup = automatic/' "$HOST"/etc/iscsi/nodes/*/*/default
	for n in 01 02 03; do
		stale "$name-$n"
	done
	add_session "$name-04" "$PORTAL" default "$(record_of "$name-04" default)"
	rm -r "$HOST/etc/iscsi/nodes/$name-03"
	needs=$(printf '%s\n' "session1 $name-01 $PORTAL recv_tmo true" \
		"session2 $name-02 $PORTAL recv_tmo true" "session3 $name-03 $PORTAL recv_tmo false")

	for line in '-0 apply' '-3 check'; do
		# shellcheck disable=SC2086 # the words of the command
		run ${line% *} sgw-init ${line#* } --root "$HOST"
		[ "$(grep -c 'still to do for' <<<"$output")" -eq 3 ]
		for n in 1 2; do
			[[ $output == *"still to do for session$n ($name-0$n): log in again once nothing uses its devices: sgw-init apply --relogin"* ]]
		done
		[[ $output == *"still to do for session3 ($name-03): it has no record to log in again by"* ]]
		# shellcheck disable=SC2086
		run ${line% *} --separate-stderr sgw-init ${line#* } --root "$HOST" --output json
		[ "$(told needs_login session target portal why relogin)" = "$needs" ]
	done

	run -0 --separate-stderr sgw-init apply --root "$HOST" --dry-run --output json
	[ "$(told needs_login session target portal why relogin)" = "$needs" ]
	run -0 --separate-stderr sgw-init apply --root "$HOST" --dry-run
	[ "$output" = "nothing to change
session1 ($name-01) would need a new login for recv_tmo: --relogin makes it
session2 ($name-02) would need a new login for recv_tmo: --relogin makes it
session3 ($name-03) would need a new login for recv_tmo: it has no record to log in again by" ]
	run -0 --separate-stderr sgw-init apply --root "$HOST" --dry-run --output diff
	[ "$(grep -c "^# session[123] ($name-0[123]) would need a new login for recv_tmo: " <<<"$output")" -eq 3 ]
}

@test "after --relogin what it could not do is what still needs a login" {
	local name=iqn.1997-05.com.amazon:volume
	tuned --targets 2
	stale "$name-01"
	stale "$name-02"
	# shellcheck disable=SC2016 # for the inner shell
	run -1 --separate-stderr on_kernel sh -c '
		mount -t tmpfs /dev/sdgw1 /mnt && sgw-init apply --relogin --output json'
	[ "$(told needs_login session target)" = "session1 $name-01" ]
	# shellcheck disable=SC2016 # for the inner shell
	run -1 on_kernel sh -c 'mount -t tmpfs /dev/sdgw1 /mnt && sgw-init apply --relogin'
	[[ $output == *"still to do for session1 ($name-01): log in again"* ]]
	[[ $output == *"end that with: umount /mnt; where umount finds it busy, this tells who is in it: fuser -vm /mnt"$'\n'* ]]
}

@test "--relogin whose iscsiadm is killed in the midst of a logout still owes the login" {
	tuned --volume myvolume:1M
	stale "$iqn"
	echo "$iqn" >"$HOST/killed"
	# Both among the same processes: of others nobody knows whether they still are at work.
	# shellcheck disable=SC2016 # for the inner shell
	run -0 on_kernel bash -c '. "$ROOT/tests/kernel.bash"
		! sgw-init apply --relogin && [ -z "$(session_of "$1")" ] && sgw-init apply' bash "$iqn"
	[[ $output == *"iscsiadm was ended by signal 9; iscsid may go on with it by itself"* ]]
	[[ $output == *"apply --relogin logged out of it and was cut off: logged in again"* ]]
	[ -n "$(session_of "$iqn")" ]
}

@test "nothing is logged out of where who uses it cannot be seen" {
	tuned --volume myvolume:1M
	stale "$iqn"
	local command
	for command in 'disconnect --all' 'apply --relogin'; do
		# shellcheck disable=SC2086 # words
		run -1 on_kernel setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace sgw-init $command
		[[ $output == *"who uses its devices is for root alone to see, with the capability CAP_SYS_PTRACE"* ]]
		[ "$(session_of "$iqn")" = session1 ]
	done
}

@test "undo --disconnect that fails tells whom it has logged out" {
	local name=iqn.1997-05.com.amazon:volume format
	tuned --targets 2
	stale "$name-01"
	stale "$name-02"
	for format in table json; do
		echo "$name-02" >"$HOST/stuck"
		run -1 --separate-stderr on_kernel sgw-init undo --disconnect --output $format
		[[ $output == *"logged out"* && $output == *"$name-01"* ]]
		[[ $output != *"$name-02"* ]]
		[[ $stderr == *"$name-02"* ]]
		[ -z "$(session_of "$name-01")" ]
		[ -n "$(session_of "$name-02")" ]
		stale "$name-01"
	done
}

# left_alone WORDS COMMAND: with that done on the host --relogin leaves the session, forced or not
left_alone() {
	local force
	for force in '' --force; do
		# shellcheck disable=SC2016 # for the inner shell
		run -1 on_kernel bash -c "$2"' && sgw-init apply --relogin '"$force"
		echo "$output"
		[[ $output == *"$1"* && $output == *"in use: left as it is"* ]]
		[ -n "$(session_of "$iqn")" ]
		[ "$(<"$HOST/sys/class/iscsi_connection/connection1:0/recv_tmo")" = 5 ]
	done
}

@test "--relogin, forced or not, leaves the disk that this host runs from" {
	tuned --volume myvolume:1M
	stale "$iqn"
	left_alone "in use: this host's /boot (sdgw1)" \
		'mount -t tmpfs /dev/sdgw1 /boot'
}

@test "--relogin, forced or not, leaves a disk that serves as swap" {
	tuned --volume myvolume:1M
	stale "$iqn"
	printf '%s\n' $'Filename\tType\tSize\tUsed\tPriority' \
		'/dev/sdgw1 partition 1024 0 -2' >"$HOST/swaps"
	# shellcheck disable=SC2016 # for the inner shell
	left_alone 'in use: swap (sdgw1)' 'mount --bind $HOST/swaps /proc/swaps'
}

@test "--relogin, forced or not, leaves a mounted disk with a swap file on it" {
	tuned --volume myvolume:1M
	stale "$iqn"
	printf '%s\n' $'Filename\tType\tSize\tUsed\tPriority' \
		'/mnt/swap file 1024 0 -2' >"$HOST/swaps"
	# shellcheck disable=SC2016 # for the inner shell
	left_alone 'in use: swap in /mnt/swap (sdgw1); mounted on /mnt (sdgw1)' \
		'mount -t tmpfs /dev/sdgw1 /mnt; mount --bind $HOST/swaps /proc/swaps'
}

@test "--relogin, forced or not, leaves a drive whose tape somebody has open" {
	local iqn
	tuned --gateway tape
	iqn=$(basename "$HOST"/etc/iscsi/nodes/*-tapedrive-01)
	stale "$iqn"
	# shellcheck disable=SC2016 # for the inner shell
	left_alone 'in use: open by bash, process ' 'exec 9<>/dev/ptmx && sgw-init() { command sgw-init "$@" 9>&-; }'
}

@test "--relogin takes a mounted disk from under its mount with --force alone" {
	local mount='mount -t tmpfs /dev/sdgw1 /mnt'
	tuned --volume myvolume:1M
	stale "$iqn"
	run -1 on_kernel sh -c "$mount && sgw-init apply --relogin"
	[[ $output == *"in use: mounted on /mnt (sdgw1)"* ]]
	run -0 on_kernel sh -c "$mount && sgw-init apply --relogin --force"
	[[ $output == *"$iqn: taken from under its users: mounted on /mnt (sdgw1)"*"logged in again"* ]]
	[ "$(session_of "$iqn")" = session2 ]
}

# another_record PORTAL INTERFACE: of the volume, with all that its first one has
another_record() {
	local record=$HOST/etc/iscsi/nodes/$iqn/${1/:/,},1/$2
	[ -d "${record%/*}" ] || mkdir -m 700 "${record%/*}"
	sed -e "s/^iface.iscsi_ifacename = .*/iface.iscsi_ifacename = $2/" \
		-e "s/^node.conn\[0\].address = .*/node.conn[0].address = ${1%:*}/" \
		"$(record_of "$iqn" default)" >"$record"
	chmod 600 "$record"
}

@test "of a target with two interfaces --relogin logs in each session again, one by one" {
	tuned --volume myvolume:1M
	another_record "$PORTAL" second
	stale "$iqn"
	stale "$iqn" second
	run -0 --separate-stderr on_kernel sgw-init apply --relogin --output json
	[ "$(told relogin result)" = $'done\ndone' ]
	[ "$(session_of "$iqn" "$PORTAL" default) $(session_of "$iqn" "$PORTAL" second)" = 'session3 session4' ]
}

@test "of a target with two portals --relogin logs in each session again, one by one" {
	tuned --volume myvolume:1M
	another_record "127.0.0.2:$PORT" default
	stale "$iqn"
	add_session "$iqn" "127.0.0.2:$PORT" default "$(record_of "$iqn" default)" recv_tmo=5
	run -0 --separate-stderr on_kernel sgw-init apply --relogin --output json
	[ "$(told relogin portal result)" = "\
$PORTAL done
127.0.0.2:$PORT done" ]
	[ "$(session_of "$iqn" "$PORTAL") $(session_of "$iqn" "127.0.0.2:$PORT")" = 'session3 session4' ]
}

@test "a target that is connected elsewhere is left as it is, told how, and no failure" {
	tuned --volume myvolume:1M
	another_record "127.0.0.2:$PORT" default
	another_record "$PORTAL" second
	on_kernel sgw-init connect --target "$iqn" "$PORTAL" >/dev/null
	run -0 on_kernel sgw-init connect
	[ "$(grep -c '  connected elsewhere  session1' <<<"$output")" -eq 2 ]
	[[ $output == *"warning: $iqn at $PORTAL: session1 of this target goes through $PORTAL by the interface default, and a second one would show its device twice"* ]]
	[[ $output == *"warning: $iqn at 127.0.0.2:$PORT: session1 of this target goes through $PORTAL by the interface default, "* ]]
	[ "$(<"$HOST/sessions")" = 1 ]
	run -0 --separate-stderr on_kernel sgw-init connect --output json
	[ "$(told targets portal result session)" = "\
$PORTAL already session1
$PORTAL elsewhere session1
127.0.0.2:$PORT elsewhere session1" ]
	[ "$(jq -r '.ok, .missing_records' <<<"$output" | xargs)" = 'true 0' ]
	# Whoever asks for one way alone is told the same.
	run -0 on_kernel sgw-init connect "127.0.0.2:$PORT" --target "$iqn"
	[[ $output == *"  127.0.0.2:$PORT  connected elsewhere  session1"* ]]
}

@test "a session without a connection is told by its name, and stays" {
	tuned --volume myvolume:1M
	stale "$iqn"
	rm -r "$HOST/sys/class/iscsi_connection/connection1:0"
	run -1 on_kernel sgw-init disconnect --all
	[[ $output == *"sgw-init: $iqn, session1: it has no connection, and so no portal to name to iscsiadm"* ]]
	[[ $output != *":0"* ]]
	[ -e "$HOST/sys/class/iscsi_session/session1" ]
}

@test "a portal that answers at its second address is no trouble" {
	tuned --volume myvolume:1M
	another_record "gateway.example:$PORT" default
	rm -r "$(dirname "$(record_of "$iqn" default)")"
	echo 'hosts: files' >"$HOST/etc/nsswitch.conf"
	echo 'multi on' >"$HOST/etc/host.conf"
	printf '%s gateway.example\n' ::1 127.0.0.1 >"$HOST/etc/hosts"
	run -0 --separate-stderr on_kernel sgw-init connect
	[[ $output == *"gateway.example:$PORT  connected  session1"* ]]
	[[ $stderr == 'sgw-init: warning: udevd does not run'* && $stderr != *$'\n'* ]]
}

# discovered TARGET...: their records, as iscsiadm's discovery makes them, and its links to them
discovered() {
	local target dir=$HOST/etc/iscsi/send_targets/127.0.0.1,$PORT
	mkdir -p "$dir"
	echo '# BEGIN RECORD' >"$dir/st_config"
	chmod -R go= "$HOST/etc/iscsi/send_targets"
	for target; do
		sed -i -e 's/^node.discovery_type = .*/node.discovery_type = send_targets/' \
			-e "/^node.discovery_type/i node.discovery_address = 127.0.0.1\nnode.discovery_port = $PORT" \
			"$(record_of "$target" default)"
		ln -s "/etc/iscsi/nodes/$target/127.0.0.1,$PORT,1" "$dir/$target,127.0.0.1,$PORT,1,default"
	done
}

@test "disconnect --forget leaves nothing of a record, as iscsiadm does, and undo brings all of it back" {
	local name=iqn.1997-05.com.amazon:volume
	tuned --targets 2
	discovered "$name-01" "$name-02"
	tree_state "$HOST/etc" >"$BATS_TEST_TMPDIR/before"
	run -0 on_kernel sgw-init disconnect --forget --target "$name-01"
	[[ $output == *"1 record removed"* ]]
	[ -z "$(find "$HOST/etc/iscsi" -path "*$name-01*")" ]
	[ "$(find "$HOST/etc/iscsi/nodes" "$HOST/etc/iscsi/send_targets" -path "*$name-02*" | wc -l)" -eq 4 ]
	[ -e "$HOST/etc/iscsi/send_targets/127.0.0.1,$PORT/st_config" ]
	on_kernel sgw-init undo
	tree_state "$HOST/etc" | diff "$BATS_TEST_TMPDIR/before" -
}

@test "disconnect --forget leaves another interface's record, and a link that is none of the record's" {
	local link=$HOST/etc/iscsi/send_targets/127.0.0.1,PORT/$iqn,127.0.0.1,PORT,1,default
	tuned --volume myvolume:1M
	another_record "127.0.0.2:$PORT" default
	discovered "$iqn"
	link=${link//PORT/$PORT}
	ln -sfn /etc/elsewhere "$link"
	tree_state "$HOST/etc" >"$BATS_TEST_TMPDIR/before"
	run -0 on_kernel sgw-init disconnect --forget "$PORTAL"
	[ "$(readlink "$link")" = /etc/elsewhere ]
	[ -e "$HOST/etc/iscsi/nodes/$iqn/127.0.0.2,$PORT,1/default" ]
	[ ! -e "$HOST/etc/iscsi/nodes/$iqn/127.0.0.1,$PORT,1" ]
	on_kernel sgw-init undo
	tree_state "$HOST/etc" | diff "$BATS_TEST_TMPDIR/before" -
	# One that was not there does not come.
	rm "$link"
	on_kernel sgw-init disconnect --forget --target "$iqn"
	[ ! -e "$HOST/etc/iscsi/nodes/$iqn" ]
	on_kernel sgw-init undo
	[ ! -L "$link" ]
	[ -e "$(record_of "$iqn" default)" ]
}

@test "disconnect --forget removes the records of all interfaces, and undo brings them back" {
	tuned --volume myvolume:1M
	another_record "$PORTAL" second
	another_record "127.0.0.2:$PORT" second
	another_record "127.0.0.2:$PORT" third
	tree_state "$HOST/etc" >"$BATS_TEST_TMPDIR/before"
	run -0 on_kernel sgw-init disconnect --forget "127.0.0.2:$PORT"
	[[ $output == *"2 records removed"* ]]
	run -0 on_kernel sgw-init disconnect --forget --target "$iqn"
	[[ $output == *"2 records removed"* ]]
	[ ! -e "$HOST/etc/iscsi/nodes/$iqn" ]
	on_kernel sgw-init undo
	on_kernel sgw-init undo
	tree_state "$HOST/etc" | diff "$BATS_TEST_TMPDIR/before" -
}

@test "undo of a forgotten record is no failure where its discovery is gone" {
	tuned --volume myvolume:1M
	discovered "$iqn"
	on_kernel sgw-init disconnect --forget --target "$iqn"
	rm -r "$HOST/etc/iscsi/send_targets"
	run -0 on_kernel sgw-init undo
	[ -e "$(record_of "$iqn" default)" ]
	[ ! -e "$HOST/etc/iscsi/send_targets" ]
}

# forgetting_is_refused PLACE REASON PREPARATION: what is prepared keeps the records from being
# removed, and so nothing is logged out of.
forgetting_is_refused() {
	echo "case: $3"
	run -1 --separate-stderr on_kernel bash -c "$3"' && exec sgw-init disconnect --all --forget'
	echo "$output" "$stderr"
	[ -z "$output" ]
	[[ $stderr == "sgw-init: $1: $2"* ]]
	[ "$(session_of "$iqn")" = session1 ]
	[ -e "$(record_of "$iqn" default)" ]
}

@test "disconnect --forget logs out of nothing where the record cannot be removed" {
	local record journal=/var/lib/sgw-init/journal again='mount -o remount,bind,ro'
	tuned --volume myvolume:1M
	discovered "$iqn"
	record=$(record_of "$iqn" default)
	record=${record#"$HOST"}
	on_kernel sgw-init connect
	tree_state "$HOST" >"$BATS_TEST_TMPDIR/before"
	forgetting_is_refused "$record" 'it is a bind mount' "mount --bind $record $record"
	forgetting_is_refused "${record%/*}" 'cannot write in this directory: Read-only' \
		"mount --bind /etc/iscsi /etc/iscsi && $again /etc/iscsi"
	forgetting_is_refused "/etc/iscsi/send_targets/127.0.0.1,$PORT" \
		'cannot write in this directory: Read-only' \
		"mount --bind /etc/iscsi/send_targets{,} && $again /etc/iscsi/send_targets"
	forgetting_is_refused "$journal" 'cannot write in this directory: Read-only' \
		"mount --bind $journal{,} && $again $journal"
	forgetting_is_refused "$journal" 'only 0 bytes are free' \
		"mount -t tmpfs -o size=4k,mode=700 none $journal && { cat /dev/zero >$journal/full; } 2>/dev/null; true"
	forgetting_is_refused /run/lock/sgw-init.lock 'this is no file of root' \
		'mount -t tmpfs none /run/lock && mkfifo /run/lock/sgw-init.lock'
	tree_state "$HOST" | diff "$BATS_TEST_TMPDIR/before" -
	mkdir "$HOST/sys/class/iscsi_session/session9"
	forgetting_is_refused 'no record is removed' 'session9 is there, but its target cannot be read' true
	rmdir "$HOST/sys/class/iscsi_session/session9"
	on_kernel sgw-init disconnect --all --forget
	[ ! -e "$HOST$record" ]
}

@test "disconnect --forget waits for who has locked the database before it logs out" {
	tuned --volume myvolume:1M
	on_kernel sgw-init connect
	: >"$HOST/run/lock/iscsi/lock.write"
	# shellcheck disable=SC2016 # for the inner shell
	run -143 on_kernel bash -c '
		sgw-init disconnect --all --forget &
		until [ -e /run/lock/iscsi/sgw-init.* ]; do kill -0 $! || exit 99; done
		kill $! && wait $!'
	[ "$(session_of "$iqn")" = session1 ]
	[ -e "$(record_of "$iqn" default)" ]
	[ "$(ls "$HOST/run/lock/iscsi")" = lock.write ]
	rm "$HOST/run/lock/iscsi/lock.write"
	run -0 on_kernel sgw-init disconnect --all --forget
	[[ $output == *"1 record removed"* ]]
}

@test "where the disk fills up between logout and removal, disconnect --forget says what is done and what to type" {
	local full='mount -t tmpfs -o size=64k,mode=755 none /var/lib'
	tuned --volume myvolume:1M
	on_kernel sgw-init connect
	sed -i 's|remove_session|{ cat /dev/zero >/var/lib/full; } 2>/dev/null; &|' \
		"$BATS_TEST_TMPDIR/bin/iscsiadm"
	run -1 --separate-stderr on_kernel bash -c "$full && sgw-init disconnect --target $iqn $PORTAL --forget"
	[[ $output == *"$iqn  $PORTAL  session1  disconnected"* && $output != *"record"* ]]
	[[ $stderr == *"No space left on device; 1 session is logged out of all the same; once that is mended: sgw-init disconnect $PORTAL --target $iqn --forget" ]]
	[ -z "$(session_of "$iqn")" ]
	[ -e "$(record_of "$iqn" default)" ]
	run -0 on_kernel sgw-init disconnect "$PORTAL" --target "$iqn" --forget
	[[ $output == *"1 record removed"* ]]
}

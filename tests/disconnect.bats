# SPDX-License-Identifier: MIT
# disconnect by names of portals, on a host whose names are its /etc/hosts alone. What it logs out of
# is tests/vm/disconnect.bats'.
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr

load helpers

iqn=iqn.1997-05.com.amazon:myvolume

setup() {
	need unshare jq
	HOST=$BATS_TEST_TMPDIR/host
	mkdir -p "$HOST/etc/iscsi/send_targets" "$HOST/run" "$HOST/var/lib"
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
	unshare -rmn bash -c '
		for dir in etc run var/lib; do
			mount --bind "$0/$dir" "/$dir" || exit 99
		done
		exec "$@"' "$HOST" "$@"
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

# forget WHAT...: sets ID to the entry that did it
forget() {
	run -0 on_host sgw-init disconnect --forget "$@"
	[[ $output =~ "take it back with: sgw-init undo "([-0-9TZ]+)$ ]]
	ID=${BASH_REMATCH[1]}
}

# was_forgotten PORTAL ID WHAT...: that is all there is to say of it, and no failure.
was_forgotten() {
	run -0 --separate-stderr on_host sgw-init disconnect "${@:3}"
	[ "$output" = "nothing to do: $iqn at $1:3260 was forgotten by $2; sgw-init undo $2 brings its record back" ]
	[ -z "$stderr" ]
}

@test "disconnect --forget a second time has nothing to do, says which entry forgot, and what brings it back" {
	local forget dir=$HOST/etc/iscsi/nodes/$iqn/127.0.0.9,3260,1
	record 127.0.0.9
	sed 's/= default/= second/' "$dir/default" >"$dir/second"
	forget --target "$iqn"
	[[ $output == *"2 records removed"* ]]
	for forget in '' --forget; do
		# shellcheck disable=SC2086 # none, or one word
		{
			was_forgotten 127.0.0.9 "$ID" --target "$iqn" $forget
			was_forgotten 127.0.0.9 "$ID" 127.0.0.9 $forget
			was_forgotten 127.0.0.9 "$ID" gateway.example $forget
			was_forgotten 127.0.0.9 "$ID" gateway.example --target "$iqn" $forget
		}
	done
	run -0 --separate-stderr on_host sgw-init disconnect --forget 127.0.0.9 --output json
	[ "$(jq -c 'del(.schema)' <<<"$output")" = '{"ok":true,"sessions":[],"removed_records":[],"entry":null,"forgotten":[{"target":"'"$iqn"'","portal":"127.0.0.9:3260","entry":"'"$ID"'"}]}' ]
	# Of all there is, nothing was named.
	run -0 on_host sgw-init disconnect --forget --all
	[ "$output" = $'no session of a Storage Gateway: nothing to log out of\nno record to remove' ]
	run -0 on_host sgw-init undo "$ID"
	[ -e "$dir/default" ]
}

@test "what was forgotten is told from what was never here" {
	local what
	record 127.0.0.9
	forget --all
	for what in "--target ${iqn}e" 10.9.9.9 "10.9.9.9 --target $iqn" "127.0.0.9 --target ${iqn}e" \
		'127.0.0.9 10.9.9.9' gateway.example:3261; do
		# shellcheck disable=SC2086 # words
		run -1 --separate-stderr on_host sgw-init disconnect --forget $what
		[ -z "$output" ]
		[[ $stderr == *"misspelled? sgw-init devices lists the sessions" ]]
	done
}

@test "a record that came back is forgotten no more, whoever brought it back and whoever removed it" {
	local first dir=$HOST/etc/iscsi/nodes/$iqn
	record 127.0.0.9
	forget --target "$iqn"
	on_host sgw-init undo
	rm -r "$dir"
	run -1 on_host sgw-init disconnect --forget --target "$iqn"
	[[ $output == "sgw-init: $iqn: there is neither a session nor a record of it; "* ]]

	# By somebody else: it is there to be forgotten, by an entry of its own.
	record 127.0.0.9
	forget --target "$iqn"
	first=$ID
	record 127.0.0.9
	forget --target "$iqn"
	[ "$ID" != "$first" ]
	was_forgotten 127.0.0.9 "$ID" --target "$iqn"
	# Its undo brings it back, which the first knows nothing of.
	on_host sgw-init undo
	rm -r "$dir"
	run -1 on_host sgw-init disconnect --forget --target "$iqn"
	[[ $output == *"there is neither a session nor a record of it"* ]]
}

@test "what an apply made after the record was forgotten, and its undo took away, is forgotten as it was" {
	local dir=$HOST/etc/iscsi/nodes
	stock_root "$HOST"
	start_target --volume myvolume:1M
	apply "$PORTAL"
	run -0 on_host sgw-init disconnect --forget --target "$iqn"
	apply "$PORTAL"
	rm -r "${dir:?}/$iqn"
	run -1 on_host sgw-init disconnect --forget --target "$iqn"
	apply "$PORTAL"
	undo
	undo
	[ ! -e "$dir/$iqn" ]
	run -0 on_host sgw-init disconnect --forget --target "$iqn"
	[[ $output == "nothing to do: $iqn at $PORTAL was forgotten by "* ]]
	on_host sgw-init undo
	[ -e "$dir/$iqn" ]
}

@test "where one portal was forgotten and another is there, disconnect does what is left" {
	record 127.0.0.9
	record 10.0.0.1
	forget 10.0.0.1
	record 10.0.0.1 # others brought it back
	forget 127.0.0.9
	run -0 on_host sgw-init disconnect --forget 10.0.0.1 gateway.example
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} == "nothing to do: $iqn at 127.0.0.9:3260 was forgotten by $ID; "* ]]
	[[ ${lines[1]} == "1 record removed; "* ]]
	[ -z "$(find "$HOST/etc/iscsi/nodes" -name default)" ]
}

@test "a portal whose name only the forgotten record bore need not be looked up" {
	record lost.example
	forget lost.example
	was_forgotten lost.example "$ID" lost.example --forget
	run -1 on_host sgw-init disconnect --forget list.example
	[[ $output == "sgw-init: list.example: cannot look up host"* ]]
}

@test "disconnect --forget that was cut off is taken back first, and so can be done again" {
	record 127.0.0.9
	forget --target "$iqn"
	rm "$HOST/var/lib/sgw-init/journal/$ID/done"
	run -1 on_host sgw-init disconnect --target "$iqn"
	run -0 --separate-stderr on_host sgw-init disconnect --forget --target "$iqn"
	[[ $stderr == "sgw-init: warning: $ID, which was interrupted, was rolled back" ]]
	[[ $output == *"1 record removed; "* ]]
}

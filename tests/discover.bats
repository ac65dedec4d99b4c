# SPDX-License-Identifier: MIT
# discover: what portals offer, without root, kernel or trace.
# shellcheck disable=SC2153,SC2154 # PORTAL is set by start_target, stderr by run --separate-stderr

load helpers

@test "discover lists the ten drives and the changer of a Tape Gateway" {
	start_target --gateway tape
	run -0 --separate-stderr sgw-init discover "$PORTAL"
	[ "${#lines[@]}" -eq 12 ]
	[[ $output == *-mediachanger* ]]
	[[ $output == *-tapedrive-10* ]]
	[[ ${lines[1]} == *tape* ]]
}

@test "discover asks several portals at once, and one that is dead delays none" {
	start_target --volume one:1M
	first=$PORTAL
	start_target --volume two:1M
	run -1 --separate-stderr sgw-init discover "$first" 127.0.0.1:1 "$PORTAL"
	[[ $output == *"amazon:one"* ]]
	[[ $output == *"amazon:two"* ]]
	[[ $stderr == *"127.0.0.1:1"*"refused"* ]]
}

@test "discover takes host names and IPv6, and JSON says it all" {
	start_target --portal '[::1]:0' --volume six:1M
	run -0 --separate-stderr sgw-init discover "$PORTAL" --output json
	[ "$(jq -r '.schema' <<<"$output")" = sgw-init/discover/1 ]
	[ "$(jq -r '.portals[0].targets[0].name' <<<"$output")" = iqn.1997-05.com.amazon:six ]
	[ "$(jq -r '.portals[0].kind' <<<"$output")" = volume ]
	start_target --volume name:1M
	run -0 --separate-stderr sgw-init discover "localhost:$PORT"
	[[ $output == *"amazon:name"* ]]
}

@test "discover follows an answer of a thousand targets" {
	start_target --targets 1000
	run -0 --separate-stderr sgw-init discover "$PORTAL"
	[ "${#lines[@]}" -eq 1001 ]
}

@test "a portal that is none is told by its words" {
	local portal
	for portal in '' '127.0.0.1:0' '127.0.0.1:65536' '127.0.0.1:3260x' '[::1' 'no such host:1'; do
		echo "case: '$portal'"
		run -1 sgw-init discover "$portal"
		[[ $output == sgw-init:* ]]
	done
}

#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helpers

setup() {
	HOST=$BATS_TEST_TMPDIR/host
	mkdir -p "$HOST/etc/sgw-init/profile.d"
}

# site NAME TEXT: a site profile of this host.
site() {
	printf '%s\n' "$2" >"$HOST/etc/sgw-init/profile.d/$1"
}

profile() {
	sgw-init profile "$@" --root "$HOST"
}

# value SETTING [OPTION...]: what the volume profile wants, and where that comes from.
value() {
	profile show volume --output json "${@:2}" |
		jq -r --arg name "$1" '.profile.settings[] | select(.name == $name) | "\(.value) \(.origin)"'
}

@test "profile list names the profiles and where they come from" {
	run -0 profile list
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[1]} == "volume  Volume Gateway  built-in profile" ]]
	[[ ${lines[2]} == "tape    Tape Gateway    built-in profile" ]]

	site 10-ours.xml '<profile name="tape"><title>Our tapes</title></profile>'
	run -0 profile list --output json
	[ "$(jq -r .schema <<<"$output")" = sgw-init/profile/1 ]
	[ "$(jq -r '.profiles[1].title' <<<"$output")" = "Our tapes" ]
	[ "$(jq -r '.profiles[1].origin' <<<"$output")" = \
		"built-in profile, $HOST/etc/sgw-init/profile.d/10-ours.xml" ]
	[ "$(jq -r '.profiles[0].origin' <<<"$output")" = "built-in profile" ]
}

@test "profile show tells value, rule, places, keys, what they need, AWS's heading and why" {
	run -0 profile show volume
	[[ $output == *"replacement-timeout           600      seconds  exact     built-in profile"* ]]
	[[ $output == *"max-burst-length              1048576  bytes    at-least  built-in profile"* ]]
	[[ $output == *"record       16776192    login    node.session.iscsi.MaxBurstLength"* ]]
	[[ $output == *"registry     60          reboot   Control\Class\{4D36E97B"*"MaxRequestHoldTime"* ]]
	[[ $output == *"device       30          nothing  timeout"* ]]
	[[ $output == *"Source: Customizing Your Linux iSCSI Settings"* ]]
	[[ $output == *"How long commands wait for a lost connection"* ]]
	[[ $output == *"Backup software may work best with other"* ]]
}

@test "profile show prints each number of AWS's page as JSON" {
	run -0 profile show volume --output json
	[ "$(jq -r .schema <<<"$output")" = sgw-init/profile/1 ]
	[ "$(jq -r '.profile.settings[] | "\(.name) \(.value)"' <<<"$output")" = \
"replacement-timeout 600
noop-out-interval 60
noop-out-timeout 600
first-burst-length 262144
max-burst-length 1048576
max-recv-data-segment-length 262144
disk-timeout 600" ]
	[ "$(jq -r '.profile.settings[] | select(.name == "disk-timeout") | .places[].place' \
		<<<"$output")" = "udev-rule
device
registry" ]
}

@test "the tape profile has no udev rule, and tells what open-iscsi says of NOP-Outs" {
	run -0 profile show tape --output json
	[ "$(jq '[.profile.settings[].places[] | select(.place == "udev-rule" or .place == "device")] |
		length' <<<"$output")" -eq 0 ]
	[[ $(jq -r .profile.note <<<"$output") == *"open-iscsi's README advises to switch them off"* ]]
}

@test "a site profile goes over the built-in one, --profile over it, --set over all" {
	site 20-b.xml '<profile name="volume"><setting name="disk-timeout" value="702"/></profile>'
	site 10-a.xml '<profile name="volume"><setting name="disk-timeout" value="701"/>
		<setting name="noop-out-interval" value="61"/></profile>'
	site 30-readme.txt 'not a profile'
	echo '<profile name="volume"><setting name="disk-timeout" value="703"/></profile>' \
		>"$BATS_TEST_TMPDIR/mine.xml"

	[ "$(value disk-timeout)" = "702 $HOST/etc/sgw-init/profile.d/20-b.xml:1" ]
	[ "$(value noop-out-interval)" = "61 $HOST/etc/sgw-init/profile.d/10-a.xml:2" ]
	[ "$(value disk-timeout --profile "$BATS_TEST_TMPDIR/mine.xml")" = \
		"703 $BATS_TEST_TMPDIR/mine.xml:1" ]
	[ "$(value disk-timeout --profile "$BATS_TEST_TMPDIR/mine.xml" --set disk-timeout=704)" = \
		"704 --set" ]
	[ "$(value replacement-timeout --set recovery_tmo=800)" = "800 --set" ]
}

@test "a site profile may add a setting of its own" {
	run -0 profile show volume --output json --profile "$ROOT/tests/data/profiles/backup.xml"
	[ "$(jq -r '.profile.settings[-1] | "\(.name) \(.value) \(.rule) \(.severity)"' \
		<<<"$output")" = "queue-depth 64 at-least warning" ]
	# No text is empty: it may tell its source and why, or not.
	[ "$(jq -c '.profile.settings[-1] | [.source, .why]' <<<"$output")" = \
		'[null,"Its manual asks for more commands at once."]' ]
	sed 's|<why>.*</why>||; s|<profile.*>|&<title/>|' "$ROOT/tests/data/profiles/backup.xml" \
		>"$BATS_TEST_TMPDIR/terse.xml"
	run -0 profile show volume --output json --profile "$BATS_TEST_TMPDIR/terse.xml"
	[ "$(jq -c '[.profile.title, (.profile.settings[-1] | .source, .why)]' <<<"$output")" = \
		'[null,null,null]' ]
}

@test "--set refuses what it does not know and what is out of range, and names what there is" {
	run -2 profile show volume --set disk-timeout=0
	[[ $output == "sgw-init: --set disk-timeout: '0' is no number of seconds from 1 to 86400" ]]
	run -2 profile show volume --set disktimeout=600
	[[ $output == *"--set disktimeout: "*"disk-timeout"* ]]
	run -2 profile show volume --set disk-timeout
	[[ $output == *"KEY=VALUE is expected"* ]]
}

@test "NOP-Outs are switched off by both settings, not by one" {
	[ "$(value noop-out-timeout --set noop-out-interval=0 --set noop-out-timeout=0)" = "0 --set" ]
	run -2 profile show volume --set noop-out-interval=0
	[[ $output == *"both as 0 (no NOP-Outs) or both above 0" ]]
}

@test "a broken site profile stops with its file, line and reason" {
	site 10-broken.xml '<profile name="volume">
<setting name="disk-timeout" value="ten"/></profile>'
	for command in list "show volume"; do
		# shellcheck disable=SC2086
		run -1 --separate-stderr profile $command
		[ "$output" = "" ]
		# shellcheck disable=SC2154
		[ "$stderr" = "sgw-init: $HOST/etc/sgw-init/profile.d/10-broken.xml:2: \
value='ten' in <setting>: expected a whole number" ]
	done
}

@test "profile validate accepts a sound file and says which profile it is for" {
	run -0 profile validate "$ROOT/tests/data/profiles/backup.xml"
	[[ ${lines[1]} == *backup.xml*volume*valid ]]
}

@test "the examples of sgw-profile(5) are sound profiles" {
	cd "$BATS_TEST_TMPDIR"
	awk '/^<\?xml/ { file = "example" ++n ".xml" } file { print >file } /^<\/profile>/ { file = "" }' \
		"$ROOT/cli/sgw-profile.5"
	run -0 profile validate example*.xml
	[[ $(tr -s ' ' <<<"$output") == *$'\nexample1.xml volume valid\nexample2.xml tape valid' ]]
}

@test "profile validate names file, line and reason of each bad file, and goes on to the next" {
	cd "$BATS_TEST_TMPDIR"
	printf '<profile name="volume">\n<seting/></profile>' >one.xml
	printf '<profile name="volume"><setting name="noop-out-timeout" value="0"/></profile>' >two.xml
	printf '\177ELF\0\0' >three.xml
	run -1 --separate-stderr profile validate one.xml two.xml three.xml absent.xml
	# shellcheck disable=SC2154
	[ "${#stderr_lines[@]}" -eq 4 ]
	[[ ${stderr_lines[0]} == "sgw-init: one.xml:2: <seting> does not belong in <profile>"* ]]
	[[ ${stderr_lines[1]} == "sgw-init: two.xml:1: "*"both as 0"* ]]
	[[ ${stderr_lines[2]} == "sgw-init: three.xml:1: not well-formed XML"* ]]
	# shellcheck disable=SC2154
	[ "$(tr -s ' ' <<<"$output")" = "FILE PROFILE RESULT
one.xml refused
two.xml volume refused
three.xml refused
absent.xml refused" ]
	[[ ${stderr_lines[3]} == "sgw-init: absent.xml: cannot be opened: No such file"* ]]

	run -1 profile validate --output json one.xml "$ROOT/tests/data/profiles/backup.xml"
	[ "$(jq -c '[.files[].valid]' <<<"$output")" = "[false,true]" ]
	[ "$(jq -r '.files[0].error.place' <<<"$output")" = "one.xml:2" ]
}

@test "a profile can read no other file and ask for no great memory" {
	cd "$BATS_TEST_TMPDIR"
	echo secret >other
	printf '<!DOCTYPE profile [<!ENTITY x SYSTEM "%s/other">]>\n' "$PWD" >external.xml
	echo '<profile name="volume"><title>&x;</title></profile>' >>external.xml
	{
		echo '<!DOCTYPE profile [<!ENTITY a0 "ha">'
		for i in {1..30}; do echo "<!ENTITY a$i \"&a$((i - 1));&a$((i - 1));\">"; done
		echo ']><profile name="volume"><title>&a30;</title></profile>'
	} >bomb.xml
	head -c 2000000 /dev/zero >zeroes.xml
	for file in external.xml bomb.xml; do
		run -1 profile show volume --profile "$file"
		[ "$output" = \
"sgw-init: $file:1: a document type declaration is not allowed: remove <!DOCTYPE" ]
	done
	run -1 profile show volume --profile zeroes.xml
	[[ $output == "sgw-init: zeroes.xml: has more than 1048576 bytes"* ]]
}

@test "profile tells its usage where the command line is wrong" {
	for args in "" show "show volume tape" "show floppy" "list volume" validate "validate --set a=1 x" \
		explain "list --output diff"; do
		# shellcheck disable=SC2086
		run -2 profile $args
		[[ $output == "sgw-init: "* ]]
	done
}

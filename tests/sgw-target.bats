# SPDX-License-Identifier: MIT
# sgw-target against clients that are not ours: libiscsi's iscsi-ls and iscsi-inq.
# shellcheck disable=SC2153,SC2154 # PORTAL is set by start_target, stderr by run --separate-stderr

load helpers

IQN=iqn.1997-05.com.amazon
HOST=iqn.2026-01.com.example:host

# A CHAP file of myvolume for HOST; without a second secret it is one-way.
chap_file() { # INITIATOR_SECRET [TARGET_SECRET]
	CHAP=$BATS_TEST_TMPDIR/chap.json
	(
		umask 077
		jq -n --arg target "$IQN:myvolume" --arg initiator "$HOST" --arg one "$1" \
			--arg two "${2-}" '{ChapCredentials: [{TargetARN: $target,
			InitiatorName: $initiator, SecretToAuthenticateInitiator: $one} +
			(if $two == "" then {} else {SecretToAuthenticateTarget: $two} end)]}' \
			>"$CHAP"
	)
}

# inq SECRET [TARGET_SECRET]: log in to myvolume as HOST and ask for its name.
inq() {
	local -x LIBISCSI_CHAP_TARGET_USERNAME LIBISCSI_CHAP_TARGET_PASSWORD

	if [ $# -gt 1 ]; then
		LIBISCSI_CHAP_TARGET_USERNAME=$IQN:myvolume
		LIBISCSI_CHAP_TARGET_PASSWORD=$2
	else
		unset LIBISCSI_CHAP_TARGET_USERNAME LIBISCSI_CHAP_TARGET_PASSWORD
	fi
	iscsi-inq -i "$HOST" "iscsi://$HOST%$1@$PORTAL/$IQN:myvolume/0"
}

setup() {
	need iscsi-ls iscsi-inq jq
}

@test "iscsi-ls lists a volume and its disk" {
	start_target --volume one:10M --volume two:1G
	run -0 --separate-stderr iscsi-ls "iscsi://$PORTAL"
	[ "${#lines[@]}" -eq 2 ]
	[[ $output == *"Target:$IQN:one Portal:$PORTAL,1"* ]]
	[[ $output == *"Target:$IQN:two Portal:$PORTAL,1"* ]]
	run -0 --separate-stderr iscsi-ls -s "iscsi://$PORTAL"
	[ "$(grep -c 'Lun:0 *Type:DIRECT_ACCESS' <<<"$output")" -eq 2 ]
}

@test "a volume has the size it was given, to the byte, beyond 2 TiB too" {
	start_target --volume small:1536 --volume large:3T
	run -0 iscsi-readcapacity16 -s "iscsi://$PORTAL/$IQN:small/0"
	[ "$output" -eq 1536 ]
	run -0 iscsi-readcapacity16 -s "iscsi://$PORTAL/$IQN:large/0"
	[ "$output" -eq $((3 << 40)) ]
}

@test "iscsi-inq sees a volume as AWS's" {
	start_target
	run -0 --separate-stderr iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0"
	[[ $output == *"Peripheral Device Type:DIRECT_ACCESS"* ]]
	[[ $output == *"Vendor:Amazon  "* ]]
	[[ $output == *"Product:Storage Gateway "* ]]
}

@test "iscsi-inq reads the pages that name a device, and each has its own serial number" {
	start_target --volume one:1M --volume two:1M
	run -0 iscsi-inq -e 1 -c 131 "iscsi://$PORTAL/$IQN:one/0"
	[[ $output == *"Designator:[$IQN:one,t,0x0001]"* ]]
	run -0 iscsi-inq -e 1 -c 128 "iscsi://$PORTAL/$IQN:one/0"
	one=$output
	run -0 iscsi-inq -e 1 -c 128 "iscsi://$PORTAL/$IQN:two/0"
	[[ $one == "Unit Serial Number:["* ]]
	[ "$one" != "$output" ]
}

@test "iscsi-ls finds ten drives without a cartridge and a changer" {
	start_target --gateway tape
	run -0 iscsi-ls -s "iscsi://$PORTAL"
	[ "$(grep -c 'Type:SEQUENTIAL_ACCESS (No media loaded)' <<<"$output")" -eq 10 ]
	[ "$(grep -c 'Type:MEDIA_CHANGER' <<<"$output")" -eq 1 ]
	run -0 iscsi-inq "iscsi://$PORTAL/$IQN:sgw-9999999c-tapedrive-10/0"
	[[ $output == *"Vendor:IBM     "*"Product:ULT3580-TD5 "* ]]
	run -0 iscsi-inq "iscsi://$PORTAL/$IQN:sgw-9999999c-mediachanger/0"
	[[ $output == *"Vendor:STK     "*"Product:L700 "* ]]
}

@test "one-way CHAP lets the right secret in and no other" {
	chap_file initiatorsec1
	start_target --chap "$CHAP"
	run -0 inq initiatorsec1
	run -10 inq initiatorsec2
	[[ $output == *"Authentication failure"* ]]
	run -10 iscsi-inq -i "$HOST" "iscsi://$PORTAL/$IQN:myvolume/0"
	[[ $output == *"Authentication failure"* ]]
	run -10 inq initiatorsec1 targetsecret1
	[[ $output == *"Authentication failure"* ]]
}

@test "mutual CHAP proves the target, too" {
	chap_file initiatorsec1 targetsecret1
	start_target --chap "$CHAP" --expect CHAP=mutual
	run -0 inq initiatorsec1 targetsecret1
	run -10 inq initiatorsec2 targetsecret1
	[[ $output == *"Authentication failure"* ]]
	run -10 inq initiatorsec1 targetsecret2
	[[ $output == *"Invalid CHAP_R"* ]]
}

@test "a proof is good for the initiator it was set for alone" {
	chap_file initiatorsec1
	start_target --chap "$CHAP"
	run -10 iscsi-inq -i iqn.2026-01.com.example:guest \
		"iscsi://$HOST%initiatorsec1@$PORTAL/$IQN:myvolume/0"
	[[ $output == *"Authorization failure"* ]]
}

@test "a CHAP file without InitiatorName admits anybody who has the secret" {
	chap_file initiatorsec1
	jq 'del(.ChapCredentials[0].InitiatorName)' "$CHAP" >"$CHAP.any"
	start_target --chap "$CHAP.any"
	run -0 inq initiatorsec1
	run -0 iscsi-inq -i iqn.2026-01.com.example:guest \
		"iscsi://iqn.2026-01.com.example:guest%initiatorsec1@$PORTAL/$IQN:myvolume/0"
}

@test "a CHAP file of any mode is taken: its secrets are test data" {
	chap_file initiatorsec1
	chmod 644 "$CHAP"
	start_target --chap "$CHAP"
}

@test "a thousand targets are all listed" {
	start_target --targets 1000
	run -0 --separate-stderr iscsi-ls "iscsi://$PORTAL"
	[ "${#lines[@]}" -eq 1000 ]
	[ "$(sort -u <<<"$output" | wc -l)" -eq 1000 ]
	run -0 iscsi-inq "iscsi://$PORTAL/$IQN:volume-1000/0"
}

@test "two portals, one of them IPv6, serve and list the same gateway" {
	start_target --portal 127.0.0.1:0 --portal '[::1]:0'
	[ "${#PORTALS[@]}" -eq 2 ]
	for portal in "$PORTAL" "$PORTAL2"; do
		run -0 iscsi-inq "iscsi://$portal/$IQN:myvolume/0"
		run -0 --separate-stderr iscsi-ls "iscsi://$portal"
		[[ $output == *"$PORTAL,1"* ]]
		[[ $output == *"$PORTAL2,1"* ]]
	done
}

@test "it tells the address it is told to tell" {
	start_target --advertise 10.0.1.130
	run -0 --separate-stderr iscsi-ls "iscsi://$PORTAL"
	[ "$output" = "Target:$IQN:myvolume Portal:10.0.1.130:$PORT,1" ]
	start_target --advertise '[2001:db8::7]:3260'
	run -0 --separate-stderr iscsi-ls "iscsi://$PORTAL"
	[ "$output" = "Target:$IQN:myvolume Portal:[2001:db8::7]:3260,1" ]
}

@test "unless told otherwise it listens on loopback alone" {
	start_target
	hex=$(printf ':%04X' "$PORT")
	# shellcheck disable=SC2016 # it is awk that expands them
	run -0 awk -v port="$hex" '$4 == "0A" && index($2, port) { print $2 }' \
		/proc/net/tcp /proc/net/tcp6
	[ "$output" = "0100007F$hex" ]
}

@test "a port that is taken is told, and nothing becomes ready" {
	start_target
	run -1 sgw-target --portal "$PORTAL" --ready-file "$BATS_TEST_TMPDIR/never"
	[[ $output == *"cannot listen on $PORTAL: "* ]]
	[ ! -e "$BATS_TEST_TMPDIR/never" ]
}

@test "SIGTERM ends it with a summary" {
	start_target
	iscsi-ls -s "iscsi://$PORTAL"
	run ! iscsi-inq "iscsi://$PORTAL/$IQN:other/0"
	end_target 0
	run -0 tail -n 1 "$TARGET_LOG"
	[[ $output == "sgw-target: ended; logins: 1, discoveries: 1, refused: 1, "* ]]
}

@test "expectations that hold let it end well" {
	start_target --expect logins=2 --expect CHAP=none --expect 'MaxBurstLength>=256K' \
		--expect 'FirstBurstLength<=262144' --expect ImmediateData=Yes \
		--expect "TargetName=$IQN:myvolume" --expect 'refused<1' --expect InitialR2T!=Yes
	iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0"
	iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0"
	end_target 0
}

@test "an expectation that is broken fails it, and names the login" {
	start_target --expect 'MaxBurstLength>=1M' --expect logins=2
	iscsi-inq -i "$HOST" "iscsi://$PORTAL/$IQN:myvolume/0"
	end_target 1
	run -0 cat "$TARGET_LOG"
	[[ $output == *"expected MaxBurstLength>=1M: it was 262144 in the login of connection 1, \
$HOST to $IQN:myvolume"* ]]
	[[ $output == *"expected logins=2: there were 1"* ]]
}

@test "an expectation of logins is broken where nobody logged in" {
	start_target --expect CHAP=mutual
	iscsi-ls "iscsi://$PORTAL"
	end_target 1
	run -0 cat "$TARGET_LOG"
	[[ $output == *"expected CHAP=mutual: nobody logged in to a target"* ]]
}

@test "the transcript tells each login's keys and end, and no secret" {
	chap_file initiatorsec1 targetsecret1
	start_target --chap "$CHAP" --transcript "$BATS_TEST_TMPDIR/t"
	inq initiatorsec1 targetsecret1
	run ! inq initiatorsec2
	end_target 0
	jq -e . "$BATS_TEST_TMPDIR/t" >/dev/null
	run -0 jq -r 'select(.event == "login") | "\(.connection) \(.status) \(.chap)"' \
		"$BATS_TEST_TMPDIR/t"
	[ "$output" = $'1 0x0000 mutual\n2 0x0201 none' ]
	run -0 jq -r 'select(.event == "login-request") | .keys[]' "$BATS_TEST_TMPDIR/t"
	[[ $output == *"InitiatorName=$HOST"* ]]
	[[ $output == *"CHAP_N=$HOST"* ]]
	[ "$(grep -c '^CHAP_R=(redacted)$' <<<"$output")" -eq 2 ]
	run -0 jq -s 'map(select(.event == "login" and .status == "0x0000"))
		| .[0].negotiated.MaxBurstLength' "$BATS_TEST_TMPDIR/t"
	[ "$output" = 262144 ]
	run ! grep -E 'sec1|sec2|secret1|CHAP_R=0' "$BATS_TEST_TMPDIR/t"
}

@test "a transcript that cannot be written fails it, and names the file" {
	run -1 sgw-target --transcript "$BATS_TEST_TMPDIR/missing/t"
	[[ $output == "sgw-target: $BATS_TEST_TMPDIR/missing/t: cannot write the transcript: "* ]]
	start_target --transcript /dev/full
	iscsi-ls "iscsi://$PORTAL"
	end_target 1
	run -0 grep -F 'sgw-target: /dev/full: ' "$TARGET_LOG"
}

@test "half a PDU holds nobody else up" {
	start_target
	for fd in 5 6 7; do
		eval "exec $fd<>/dev/tcp/127.0.0.1/$PORT"
		printf '\x43\x87\0\0\0\0\x10' >&"$fd"
	done
	run -0 timeout 60 iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0"
	exec 5>&- 6>&- 7>&-
}

@test "a peer that talks something else is dropped, and others are served" {
	start_target
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET / HTTP/1.0\r\nHost: gateway.example\r\nUser-Agent: test\r\n\r\n' >&5
	run --separate-stderr timeout 60 cat <&5
	[ "$status" -le 1 ] # 1: a reset, where not all was read of what it said
	[ "$output" = '' ]
	exec 5>&-
	run -0 iscsi-inq "iscsi://$PORTAL/$IQN:myvolume/0"
}

@test "wrong usage is told by the option, with exit code 2" {
	local args
	for args in --portal= --portal=127.0.0.1:65536 '--portal=::1' --gateway=disk \
		--volume=x --volume=X:1M --volume=x:100 --volume=x:1Q --targets=0 \
		--initiators=none --expect=MaxBurst '--expect=MaxBurstLength>=' --expect=CHAP=yes \
		'--expect=CHAP>none' --expect=TargetAddress=x --expect; do
		echo "case: $args"
		run -2 sgw-target "$args"
		[[ $output == "sgw-target: ${args%%=*}"* ]]
	done
	run -2 sgw-target --gateway tape --volume x:1M
	run -2 sgw-target --nothing
	run -2 sgw-target portal
	run -0 sgw-target --help
	[[ $output == *--expect* ]]
	run -0 sgw-target --version
	[[ $output == "sgw-target "* ]]
}

@test "a volume's name that stands twice is told" {
	run -1 sgw-target --volume x:1M --volume x:2M
	[[ $output == *"two targets have the name '$IQN:x'"* ]]
}

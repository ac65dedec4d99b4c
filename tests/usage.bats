# SPDX-License-Identifier: MIT
# The command line: what is wrong there is told in words, exits 2, and does nothing.

load helpers

setup() {
	stock_host
}

@test "wrong usage exits 2 and says what is wrong" {
	local words
	while IFS='|' read -r words message; do
		echo "case: $words"
		# shellcheck disable=SC2086
		run -2 sgw-init $words
		[[ $output == *"$message"* ]]
	done <<-END
		|usage:
		conquer|no command 'conquer'
		apply --nonsense|--nonsense
		apply --root|needs a value
		apply --output xml|xml
		apply --output diff|--dry-run
		check --set|needs a value
		undo one two|one ID
		discover|PORTAL
	END
}

@test "what is wrong on the command line is wrong usage, in words" {
	local arguments words
	while IFS='|' read -r arguments words; do
		echo "case: $arguments"
		# shellcheck disable=SC2086 # several arguments
		run -2 apply $arguments
		[[ $output == *"$words"* ]]
	done <<-'END'
		--output xml|--output takes table, json or diff, not 'xml'
		--output diff|--output diff goes with --dry-run
		--scope some|--scope takes all or targets, not 'some'
		--timeout 0|--timeout takes 1ms to 600s, such as 3 or 500ms, not '0'
		--timeout soon|--timeout takes 1ms to 600s
		--set nosuch=1|--set nosuch:
		--set disk-timeout=0|from 1 to 86400
		--strict|is not an option of this command
		--chap|needs a value
		10.0.0.1:0|10.0.0.1:0:
		10.0.0.0/24|a range is for discover alone
	END
}

@test "an option that is none is named, wherever it stands" {
	local words name
	while IFS='|' read -r words name; do
		# shellcheck disable=SC2086 # several words
		run -2 sgw-init apply $words
		[ "$output" = "sgw-init: $name is not an option of this command; see --help" ]
	done <<-END
		--dry-run -xy|-x
		-x|-x
		--foo|--foo
		--dry-run --help=3|--help=3
	END
}

@test "a wrong --output is told with the formats that this command has" {
	local command formats help
	while IFS='|' read -r command formats help; do
		echo "case: $command"
		# shellcheck disable=SC2086 # a command and its argument
		run -2 sgw-init $command --output xml
		[ "$output" = "sgw-init: --output takes $formats, not 'xml'" ]
		run -0 sgw-init "${command%% *}" --help
		[[ $output == *"--output FORMAT  "*" $help"* ]]
	done <<-'END'
		check|table, json, diff or junit|table, json, diff or junit
		apply|table, json or diff|table, json or diff (with --dry-run)
		undo|table or json|table or json
		undo --list|table or json|table or json
		discover 127.0.0.1|table or json|table or json
		probe 127.0.0.1|table or json|table or json
		connect|table or json|table or json
		disconnect --all|table or json|table or json
		devices|table or json|table or json
		profile list|table or json|table or json
	END
	for command in apply undo 'discover 127.0.0.1'; do
		# shellcheck disable=SC2086 # a command and its argument
		run -2 sgw-init $command --output junit
	done
}

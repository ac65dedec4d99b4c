# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Programs built for other systems, under the names that helpers.bash starts. BUILD stays where the
# native ones are.

# wrap NAME COMMAND...: let NAME run COMMAND for the rest of this test. SIGTERM reaches it as SIGNAL, INT
# where the system knows no SIGTERM: Wine makes a Ctrl-C of that, and would just die of the other.
wrap() { # NAME SIGNAL COMMAND...
	local name=$1 signal=$2 bin=$BATS_TEST_TMPDIR/bin
	shift 2
	mkdir -p "$bin"
	{
		echo '#!/bin/bash'
		printf '%q ' "$@"
		# shellcheck disable=SC2016 # the script fills them in
		printf '"$@" & pid=$!\ntrap "kill -%s $pid" TERM\nwait $pid; code=$?\n' "$signal"
		# shellcheck disable=SC2016
		printf '[ $code -le 128 ] || { wait $pid; code=$?; }\nexit $code\n'
	} >"$bin/$name"
	chmod +x "$bin/$name"
	PATH=$bin:$PATH
}

run_target_on() { # windows|s390x
	case $1 in
	windows) wrap sgw-target INT wine "$BUILD/windows/sgw-target.exe" ;;
	s390x) wrap sgw-target TERM qemu-s390x "$BUILD/s390x/sgw-target" ;;
	esac
}

need_system() { # windows|s390x
	case $1 in
	windows) need wine ;;
	s390x) need qemu-s390x ;;
	esac
}

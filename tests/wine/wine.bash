# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Wine without a display, in a prefix of its own: wine_start DIR, then wine and its kin, wine_stop.

# The prefix holds links to the DLLs of Wine's package where it would copy some 600 MB. The programs
# are 64-bit; of its 32-bit half and of device drivers Wine says that they are not there, and no more
# comes of it. The server stays until wine_stop, so that every command finds it running.
wine_start() { # DIR
	local dlls

	export WINEPREFIX=$1/prefix WINEDEBUG=-all XDG_RUNTIME_DIR=$1/run
	export WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d;explorer.exe=d'
	unset DISPLAY WAYLAND_DISPLAY
	mkdir -p "$WINEPREFIX/drive_c/windows/system32"
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	dlls=$(dirname "$(find /usr/lib/*/wine/x86_64-windows /usr/lib64/wine/x86_64-windows \
		-name ntdll.dll 2>/dev/null | head -n 1)")
	ln -s "$dlls"/* "$WINEPREFIX/drive_c/windows/system32/"
	wineserver -p 3>&-
	# What stays in the background must not hold bats' descriptors open.
	wineboot -i >"$1/wineboot.log" 2>&1 </dev/null 3>&- || { cat "$1/wineboot.log" >&2; return 1; }
}

wine_stop() {
	wineserver -k || :
	wineserver -w
}

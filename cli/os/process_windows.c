/* SPDX-License-Identifier: MIT */
#include "os/process.h"

#include <windows.h>

int process_prepare(void)
{
	/* Neither a dialog that nobody answers nor a report with memory in it when this crashes. */
	SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
	return 0;
}

bool process_lacks_root(void)
{
	return false; /* no command of this system needs more than its user may */
}

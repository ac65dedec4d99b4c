/* SPDX-License-Identifier: MIT */
#include "os/random.h"

#include <errno.h>
#include <windows.h>

#include <bcrypt.h>

#include "err.h"

int random_bytes(void *out, size_t len, struct err *err)
{
	NTSTATUS status = BCryptGenRandom(NULL, out, (ULONG)len, BCRYPT_USE_SYSTEM_PREFERRED_RNG);

	if (status < 0)
		return err_set(err, EIO, "cannot get random bytes from the system: status 0x%08lx",
			       (unsigned long)status);
	return 0;
}

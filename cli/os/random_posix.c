/* SPDX-License-Identifier: MIT */
#include "os/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

#include "err.h"

int random_bytes(void *out, size_t len, struct err *err)
{
	uint8_t *p = out;

	while (len > 0) {
		ssize_t got = getrandom(p, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, errno, "cannot get random bytes from the system");
		p += got;
		len -= (size_t)got;
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "os/error_text.h"

#include <string.h>

const char *error_text(int code)
{
	return strerror(code);
}

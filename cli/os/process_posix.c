/* SPDX-License-Identifier: MIT */
#include "os/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opened the wrong way round, so that a use of what was closed is still an error. */
static int fill_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return -1;
	}
	return 0;
}

int process_prepare(void)
{
	const struct rlimit none = { 0, 0 };

	if (fill_standard_streams() < 0)
		return -1;
	umask(022);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* inherited as ignored it leaves no child to wait for */
	/* A core_pattern that names a program does not ask for the limit. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

bool process_lacks_root(void)
{
	return geteuid() != 0;
}

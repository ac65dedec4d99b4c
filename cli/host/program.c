/* SPDX-License-Identifier: MIT */
#include "host/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "host/paths.h"
#include "os/loop.h"
#include "os/signals.h"

enum {
	TICK_MS =
		10, /* how late the end of a child is seen whose own children keep its output open */
	GRACE_MS = 2000, /* between SIGTERM and SIGKILL */
	DESCRIPTORS_MAX = 1 << 16, /* of ours that a child closes one by one */
};

static const char system_path[] = "/usr/sbin:/usr/bin:/sbin:/bin";

static bool is_program(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0;
}

/* The first of these directories that has it. A relative one is nobody's intention. */
static bool find_in(const char *dirs, const char *name, char *out, size_t size)
{
	while (*dirs) {
		int len = (int)strcspn(dirs, ":");

		if (dirs[0] == '/' && snprintf(out, size, "%.*s/%s", len, dirs, name) < (int)size &&
		    is_program(out))
			return true;
		dirs += len + (dirs[len] == ':');
	}
	return false;
}

static int find(const char *name, char *out, size_t size, struct err *err)
{
	const char *path = getenv("PATH");

	if (name[0] == '/') {
		if (snprintf(out, size, "%s", name) < (int)size && is_program(out))
			return 0;
	} else if (find_in(path ? path : "", name, out, size) ||
		   find_in(system_path, name, out, size)) {
		return 0;
	}
	return err_set(err, ENOENT, "%s is not installed, or is in no directory of PATH", name);
}

/* What is opened close-on-exec closes itself; this is for what was handed to us. */
static void close_descriptors(void)
{
	struct rlimit limit;
	int end = DESCRIPTORS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < DESCRIPTORS_MAX)
		end = (int)limit.rlim_cur;
	for (int fd = STDERR_FILENO + 1; fd < end; fd++)
		close(fd);
}

/* Ours, but in the C locale: what a program says is read. The caller frees the list alone. */
static char **environment(struct err *err)
{
	static char locale[] = "LC_ALL=C";
	size_t count = 0, kept = 0;
	char **list;

	while (environ[count])
		count++;
	list = calloc(count + 2, sizeof(*list));
	if (!list) {
		err_oom(err);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		if (strncmp(environ[i], "LC_ALL=", strlen("LC_ALL=")) != 0)
			list[kept++] = environ[i];
	}
	list[kept] = locale;
	return list;
}

/* In the child: only what is safe between fork and exec. */
static void become(const char *file, const char *const *argv, char *const *env, int out, int errors)
	__attribute__((noreturn));

static void become(const char *file, const char *const *argv, char *const *env, int out, int errors)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(errors, STDERR_FILENO) < 0)
		_exit(127);
	close_descriptors();
	if (signals_are_held())
		setpgid(0, 0);
	for (int i = 1; i < NSIG; i++) {
		signal(i, SIG_IGN); /* what came between the fork and here was for us */
		signal(i, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(file, (char *const *)(uintptr_t)argv, env);
	_exit(127);
}

/* A stream of the child's. */
struct stream {
	int fd;
	struct buf *text;
};

/* Read what is there; close at its end. */
static void drain(struct stream *stream)
{
	char bytes[4096];
	ssize_t got;

	while ((got = read(stream->fd, bytes, sizeof(bytes))) > 0) {
		size_t room = PROGRAM_OUTPUT_MAX - stream->text->len;

		buf_add(stream->text, bytes, (size_t)got < room ? (size_t)got : room);
	}
	if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(stream->fd);
		stream->fd = -1;
	}
}

static uint64_t now_ms(void)
{
	return loop_clock_us() / 1000;
}

/* Until the child has ended; a grandchild that keeps the streams open is not waited for. */
static int await(pid_t child, struct stream streams[2], unsigned deadline_ms, bool *late)
{
	uint64_t end = now_ms() + deadline_ms;
	int status = 0;

	for (;;) {
		struct pollfd fds[2] = { { .fd = streams[0].fd, .events = POLLIN },
					 { .fd = streams[1].fd, .events = POLLIN } };
		bool ended = waitpid(child, &status, WNOHANG) == child;

		if (!ended)
			poll(fds, 2, TICK_MS);
		for (int i = 0; i < 2; i++) {
			if (streams[i].fd >= 0 && (ended || fds[i].revents))
				drain(&streams[i]);
		}
		if (ended)
			return status;
		if (now_ms() < end)
			continue;
		kill(child, *late ? SIGKILL : SIGTERM);
		*late = true;
		end = now_ms() + GRACE_MS;
	}
}

static int open_pipe(int ends[2], struct err *err)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, errno, "no pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	return 0;
}

static void close_pipe(const int ends[2])
{
	for (int i = 0; i < 2; i++) {
		if (ends[i] >= 0)
			close(ends[i]);
	}
}

static void keep_status(struct program_result *result, int status)
{
	if (WIFEXITED(status)) {
		result->code = WEXITSTATUS(status);
	} else {
		result->code = -1;
		result->signal = WTERMSIG(status);
	}
}

int program_run(const struct paths *paths, const char *const *argv, unsigned deadline_ms,
		struct program_result *result, struct err *err)
{
	int out[2] = { -1, -1 }, errors[2] = { -1, -1 };
	CLEANUP(free_ptr) char **env = NULL;
	char file[PATH_MAX];
	pid_t child;
	int rc;

	*result = (struct program_result){ .code = -1 };
	if (!paths->live)
		return err_set(err, EINVAL, "with --root no program is run, not even %s", argv[0]);
	rc = find(argv[0], file, sizeof(file), err);
	if (rc == 0)
		rc = (env = environment(err)) ? open_pipe(out, err) : -ENOMEM;
	if (rc == 0)
		rc = open_pipe(errors, err);
	child = rc == 0 ? fork() : -1;
	if (child == 0)
		become(file, argv, env, out[1], errors[1]);
	if (rc == 0 && child < 0)
		rc = err_sys(err, errno, "%s cannot be started", file);
	if (child > 0) {
		struct stream streams[2] = { { out[0], &result->out },
					     { errors[0], &result->errors } };

		close(out[1]);
		close(errors[1]);
		keep_status(result, await(child, streams, deadline_ms, &result->late));
		out[0] = streams[0].fd;
		errors[0] = streams[1].fd;
		out[1] = errors[1] = -1;
	}
	close_pipe(out);
	close_pipe(errors);
	if (rc == 0 && (result->out.failed || result->errors.failed))
		rc = err_oom(err);
	return rc;
}

void program_result_done(struct program_result *result)
{
	buf_done(&result->out);
	buf_done(&result->errors);
}

void program_last_line(const struct buf *text, char *out, size_t size)
{
	const char *start = buf_text(text), *end = start + strlen(start);

	while (end > start && end[-1] == '\n')
		end--;
	for (const char *p = end; p > start; p--) {
		if (p[-1] == '\n') {
			start = p;
			break;
		}
	}
	snprintf(out, size, "%.*s", (int)(end - start), start);
}

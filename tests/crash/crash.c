/* SPDX-License-Identifier: MIT */
/*
 * crash PROGRAM kill|error|race apply|undo SCRATCH [STRIDE]: run PROGRAM (sgw-init with
 * fault.c in it) on a tree of twenty records, once for each system call that
 * touches the tree. kill: it is killed before each call that changes the tree
 * (between two of them the tree is the same); every file is whole then, and
 * the next run makes good. error: each call fails once with ENOSPC, EIO or
 * EACCES, those that change the tree with each of them; it exits 1 and names
 * the place, and nothing is half done. race: kill, in an apply that begins anew
 * since others wrote a record behind its back; it leaves one journal entry.
 * STRIDE spares calls: of those that only look one in STRIDE is tried, of those that
 * change the tree five times as many.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tree.h"

enum { WORKERS = 2, POINTS_MAX = 100000, OUTPUT_MAX = 65536, FAILURES_SHOWN = 10 };

struct point {
	bool changes;
	char name[16];
	char path[160]; /* from the root on, cut */
};

struct crash {
	const char *program;
	const char *verb; /* apply or undo */
	bool undo;
	char template[PATH_MAX]; /* the tree that each run starts from */
	struct tree old, new; /* before and after an apply, whichever verb it is */
	struct point *points;
	size_t count;
	size_t stride;
	size_t race_at; /* before this call others write the last record; 0: they do not */
	/* of one worker */
	char root[PATH_MAX];
	char output[OUTPUT_MAX]; /* of the last run, both streams */
	size_t runs, failures;
};

static const int errors[] = { ENOSPC, EIO, EACCES };

/* The others write what the record was before; they read it before they had the lock. */
static void set_race(const struct crash *crash)
{
	char number[32], from[2 * PATH_MAX], to[2 * PATH_MAX];

	snprintf(number, sizeof(number), "%zu", crash->race_at);
	snprintf(from, sizeof(from), "%s" TREE_LAST_RECORD, crash->template);
	snprintf(to, sizeof(to), "%s" TREE_LAST_RECORD, crash->root);
	setenv("FAULT_COPY_AT", number, 1);
	setenv("FAULT_COPY_FROM", from, 1);
	setenv("FAULT_COPY_TO", to, 1);
}

/* Exit status, or minus the signal. at 0: no fault. */
static int run(struct crash *crash, const char *verb, size_t at, int error, const char *log)
{
	char number[32], code[32];
	int ends[2], status;
	ssize_t len, all = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe");
	snprintf(number, sizeof(number), "%zu", at);
	snprintf(code, sizeof(code), "%d", error);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		setenv("FAULT_ROOT", crash->root, 1);
		setenv("FAULT_AT", number, 1);
		setenv("FAULT_ERROR", code, 1);
		if (log)
			setenv("FAULT_LOG", log, 1);
		if (crash->race_at > 0 && (at > 0 || log))
			set_race(crash);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		execl(crash->program, "sgw-init", verb, "--root", crash->root, NULL);
		_exit(127);
	}
	close(ends[1]);
	while ((len = read(ends[0], crash->output + all, sizeof(crash->output) - 1 - all)) > 0)
		all += len;
	crash->output[all] = '\0';
	close(ends[0]);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	crash->runs++;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void fail(struct crash *crash, size_t at, int error, const char *what)
{
	const struct point *point = &crash->points[at - 1];

	if (crash->failures++ == FAILURES_SHOWN)
		printf("# and more\n");
	if (crash->failures > FAILURES_SHOWN)
		return;
	printf("# %s%s at call %zu, %s of %s: %s\n#   printed: %.*s\n", error ? "" : "kill",
	       error ? strerror(error) : "", at, point->name, point->path, what,
	       (int)strcspn(crash->output, "\n"), crash->output);
	fflush(stdout);
}

/* A difference between the tree and one of the two, or NULL. */
static const char *differs(const struct crash *crash, const struct tree *from)
{
	struct tree now;
	const char *what;

	tree_read(&now, crash->root);
	what = tree_compare(&now, from);
	tree_done(&now);
	return what;
}

static void fresh(const struct crash *crash)
{
	tree_remove(crash->root);
	tree_copy(crash->template, crash->root);
}

/*
 * Whatever was interrupted, an undo brings the old tree back, and an apply then
 * the new one. An apply that mended what others wrote is an entry of its own.
 */
static const char *recover(struct crash *crash, bool applied)
{
	const char *what;
	int rc = 0, undos;

	for (undos = crash->race_at > 0 && applied ? 2 : 1; rc == 0 && undos > 0; undos--)
		rc = run(crash, "undo", 0, 0, NULL);
	if (rc != 0 && (rc != 1 || !strstr(crash->output, "nothing to undo")))
		return "the next undo failed";
	what = differs(crash, &crash->old);
	if (!what)
		what = tree_unclean(crash->root);
	if (what)
		return what;
	return run(crash, "apply", 0, 0, NULL) != 0 ? "the next apply failed"
						    : differs(crash, &crash->new);
}

static void try_kill(struct crash *crash, size_t at)
{
	struct tree now;
	const char *what;
	int rc;

	fresh(crash);
	rc = run(crash, crash->verb, at, 0, NULL);
	if (rc != -SIGKILL) {
		fail(crash, at, 0, "it was not killed");
		return;
	}
	tree_read(&now, crash->root);
	what = tree_between(&now, &crash->old, &crash->new);
	if (what)
		fail(crash, at, 0, what);
	tree_done(&now);
	/* The next run may as well be an apply, which rolls back or finishes first. */
	if (!what && at % 2 == 0 && run(crash, "apply", 0, 0, NULL) != 0)
		fail(crash, at, 0, "the next apply failed");
	else if (!what && at % 2 == 0 && (what = differs(crash, &crash->new)))
		fail(crash, at, 0, what);
	else if (!what && (what = recover(crash, at % 2 == 0)))
		fail(crash, at, 0, what);
}

static void try_error(struct crash *crash, size_t at, int error)
{
	const struct tree *before = crash->undo ? &crash->new : &crash->old;
	const char *what;
	int rc;

	fresh(crash);
	rc = run(crash, crash->verb, at, error, NULL);
	if (rc != 1) {
		fail(crash, at, error, rc == 0 ? "it exited 0" : "it did not exit 1");
		return;
	}
	if (!strstr(crash->output, crash->root))
		fail(crash, at, error, "it does not name the place");
	what = tree_unclean(crash->root);
	if (what)
		fail(crash, at, error, what);
	if (!differs(crash, before))
		return;
	/* An undo goes forward once it has begun; an apply may fail to see that all is well. */
	what = differs(crash, crash->undo ? &crash->old : &crash->new);
	if (what)
		fail(crash, at, error, what);
}

/* Each errno at the calls that change the tree; one of them at the others, by turns. */
static void try_errors(struct crash *crash, size_t at)
{
	size_t count = sizeof(errors) / sizeof(errors[0]), i;

	if (!crash->points[at - 1].changes) {
		try_error(crash, at, errors[at / WORKERS / crash->stride % count]);
		return;
	}
	for (i = 0; i < count; i++)
		try_error(crash, at, errors[i]);
}

static bool is_spared(const struct crash *crash, size_t at)
{
	size_t stride = crash->points[at - 1].changes ? (crash->stride + 4) / 5 : crash->stride;

	return at / WORKERS % stride != 0; /* each of the workers has its part */
}

static void work(struct crash *crash, const char *scratch, bool kill, size_t number)
{
	size_t at;

	snprintf(crash->root, sizeof(crash->root), "%s/worker-%zu", scratch, number);
	fresh(crash);
	for (at = 1 + crash->race_at + number; at <= crash->count; at += WORKERS) {
		if (is_spared(crash, at))
			continue;
		if (kill && crash->points[at - 1].changes)
			try_kill(crash, at);
		if (!kill)
			try_errors(crash, at);
	}
	tree_remove(crash->root);
	printf("# worker %zu: %zu runs\n", number, crash->runs);
	fflush(stdout);
}

static void read_points(struct crash *crash, const char *log)
{
	FILE *file = fopen(log, "r");
	char changes, line[PATH_MAX + 32];
	struct point *point;

	free(crash->points);
	crash->count = 0;
	crash->points = calloc(POINTS_MAX, sizeof(*crash->points));
	if (!file || !crash->points)
		die("%s", log);
	while (crash->count < POINTS_MAX && fgets(line, sizeof(line), file)) {
		point = &crash->points[crash->count++];
		point->path[0] = '\0';
		if (sscanf(line, "%c %15s %159s", &changes, point->name, point->path) < 2)
			die("%s: %s", log, line);
		point->changes = changes == 'c';
	}
	fclose(file);
}

/* The same once more, but others write a record as soon as the database's lock is gone. */
static void prepare_race(struct crash *crash, const char *scratch)
{
	static const char lock[] = "/lock.write";
	char log[PATH_MAX];
	size_t at, entries;

	for (at = crash->count; at > 0; at--) {
		const struct point *point = &crash->points[at - 1];
		size_t len = strlen(point->path);

		if (strcmp(point->name, "unlink") == 0 && len > strlen(lock) &&
		    strcmp(point->path + len - strlen(lock), lock) == 0)
			break;
	}
	crash->race_at = at + 1;
	snprintf(log, sizeof(log), "%s/race-calls", scratch);
	fresh(crash);
	if (run(crash, crash->verb, 0, 0, log) != 0 || differs(crash, &crash->new))
		die("%s does not begin anew: %s", crash->verb, crash->output);
	read_points(crash, log);
	entries = tree_entries(crash->root);
	if (entries != 1)
		die("one apply leaves %zu journal entries", entries);
}

/* Make both trees, the template, and the list of calls of a run without a fault. */
static void prepare(struct crash *crash, const char *scratch)
{
	char log[PATH_MAX];

	snprintf(crash->template, sizeof(crash->template), "%s/template", scratch);
	snprintf(crash->root, sizeof(crash->root), "%s/template", scratch);
	snprintf(log, sizeof(log), "%s/calls", scratch);
	tree_make(crash->root);
	tree_read(&crash->old, crash->root);
	if (crash->undo && run(crash, "apply", 0, 0, NULL) != 0)
		die("apply fails by itself: %s", crash->output);
	snprintf(crash->root, sizeof(crash->root), "%s/probe", scratch);
	tree_copy(crash->template, crash->root);
	if (crash->undo)
		tree_read(&crash->new, crash->root);
	if (run(crash, crash->verb, 0, 0, log) != 0)
		die("%s fails by itself: %s", crash->verb, crash->output);
	if (!crash->undo)
		tree_read(&crash->new, crash->root);
	else if (differs(crash, &crash->old))
		die("undo by itself leaves: %s", differs(crash, &crash->old));
	if (!tree_compare(&crash->old, &crash->new))
		die("apply changes nothing");
	read_points(crash, log);
}

int main(int argc, char **argv)
{
	struct crash crash = { 0 };
	size_t i, changing = 0;
	int status, worst = 0;
	bool kill;

	if (argc < 5)
		die("usage: crash PROGRAM kill|error|race apply|undo SCRATCH [STRIDE]");
	crash.stride = argc > 5 ? strtoul(argv[5], NULL, 10) : 1;
	kill = strcmp(argv[2], "error") != 0;
	crash.program = argv[1];
	crash.verb = argv[3];
	crash.undo = strcmp(argv[3], "undo") == 0;
	prepare(&crash, argv[4]);
	if (strcmp(argv[2], "race") == 0)
		prepare_race(&crash, argv[4]);
	for (i = crash.race_at; i < crash.count; i++)
		changing += crash.points[i].changes;
	printf("# %zu calls touch the tree, %zu of them change it\n", crash.count, changing);
	fflush(stdout);
	for (i = 0; i < WORKERS; i++)
		if (fork() == 0) {
			work(&crash, argv[4], kill, i);
			_exit(crash.failures > 0);
		}
	while (wait(&status) > 0)
		worst |= status;
	tree_done(&crash.old);
	tree_done(&crash.new);
	free(crash.points);
	if (worst == 0)
		printf("%zu calls passed\n", kill ? changing : crash.count);
	return worst != 0;
}

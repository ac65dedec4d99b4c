/* SPDX-License-Identifier: MIT */
/*
 * apply_records SGW_INIT SCRATCH RESULT: what it costs to change 1,000 records
 * so that it can be taken back, beside the same new bytes written one by one
 * (temp, write, fsync, rename). Three ways by turns, each from the same tree:
 * that loop, tx alone, and the whole program. Medians; RESULT is JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "engine/tx.h"
#include "err.h"
#include "host/paths.h"

enum { RECORDS = 1000, ROUNDS = 7 };

#define DATABASE "/etc/iscsi"

struct bench {
	const char *program;
	char root[PATH_MAX - 64];
	char paths[RECORDS][128]; /* as the host names them */
	struct buf old[RECORDS], new[RECORDS];
};

enum way { LOOP, TX, PROGRAM, WAYS };

static const char *const names[WAYS] = { "temp, write, fsync, rename", "tx alone",
					 "sgw-init apply, the whole of it" };

static void die(const char *fmt, ...)
{
	int code = errno;
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, " (%s)\n", strerror(code));
	exit(1);
}

static const char *place(const struct bench *bench, const char *path)
{
	static char out[PATH_MAX];

	snprintf(out, sizeof(out), "%s%s", bench->root, path);
	return out;
}

static void make_parents(const struct bench *bench, const char *path)
{
	char full[PATH_MAX], *slash;

	snprintf(full, sizeof(full), "%s", place(bench, path));
	for (slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(full, 0700) < 0 && errno != EEXIST)
			die("%s", full);
		*slash = '/';
	}
}

static void write_plain(const struct bench *bench, const char *path, const struct buf *bytes)
{
	int fd = open(place(bench, path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes->data, bytes->len) != (ssize_t)bytes->len)
		die("%s", path);
	close(fd);
}

/* What of a record is not the same in all of them. */
static const char *value_of(const struct open_iscsi_key *key, int number)
{
	static char name[64];
	static const struct {
		const char *key, *value;
	} own[] = {
		{ "node.name", name },
		{ "node.tpgt", "1" },
		{ "node.startup", "manual" },
		{ "iface.iscsi_ifacename", "default" },
		{ "node.conn[0].address", "10.0.0.1" },
		{ "node.conn[0].port", "3260" },
		{ "node.session.timeo.replacement_timeout", "120" },
		{ "node.conn[0].timeo.noop_out_interval", "5" },
		{ "node.conn[0].timeo.noop_out_timeout", "5" },
	};
	size_t i;

	snprintf(name, sizeof(name), "iqn.1997-05.com.amazon:volume-%04d", number);
	for (i = 0; i < ARRAY_LEN(own); i++)
		if (strcmp(own[i].key, key->name) == 0)
			return own[i].value;
	return key->kind == OPEN_ISCSI_NUMBER ? "262144" : NULL;
}

/* A record with the keys that iscsiadm writes, in its order. */
static void fill_record(struct buf *out, int number)
{
	const char *value;
	size_t i;

	buf_adds(out, "# BEGIN RECORD 2.1.8\n");
	for (i = 0; i < open_iscsi_key_count; i++) {
		value = value_of(&open_iscsi_keys[i], number);
		if (value)
			buf_addf(out, "%s = %s\n", open_iscsi_keys[i].name, value);
	}
	buf_adds(out, "# END RECORD\n");
}

static void make_tree(struct bench *bench)
{
	struct buf conf = { 0 };
	int i;

	buf_adds(&conf, "node.startup = manual\nnode.session.timeo.replacement_timeout = 120\n"
			"node.conn[0].timeo.noop_out_interval = 5\n"
			"node.conn[0].timeo.noop_out_timeout = 5\n");
	make_parents(bench, DATABASE "/x");
	write_plain(bench, DATABASE "/iscsid.conf", &conf);
	buf_done(&conf);
	for (i = 0; i < RECORDS; i++) {
		snprintf(bench->paths[i], sizeof(bench->paths[i]),
			 DATABASE
			 "/nodes/iqn.1997-05.com.amazon:volume-%04d/10.0.0.1,3260,1/default",
			 i);
		fill_record(&bench->old[i], i);
		make_parents(bench, bench->paths[i]);
		write_plain(bench, bench->paths[i], &bench->old[i]);
	}
}

static void run_program(const struct bench *bench, const char *verb)
{
	int status, fd;
	pid_t pid = fork();

	if (pid == 0) {
		fd = open("/dev/null", O_WRONLY);
		dup2(fd, 1);
		execl(bench->program, "sgw-init", verb, "--root", bench->root, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("%s %s failed", bench->program, verb);
}

static void learn_new(struct bench *bench, const struct paths *paths)
{
	struct err err;
	int i;

	run_program(bench, "apply");
	for (i = 0; i < RECORDS; i++) {
		if (paths_read(paths, bench->paths[i], 1 << 20, &bench->new[i], NULL, &err) < 0)
			die("%s: %s", err.place, err.reason);
		if (buf_equal(&bench->old[i], &bench->new[i]))
			die("%s: apply did not change it", bench->paths[i]);
	}
	run_program(bench, "undo");
}

static void write_loop(const struct bench *bench)
{
	char temp[PATH_MAX];
	int i, fd;

	snprintf(temp, sizeof(temp), "%s", place(bench, DATABASE "/.temp"));
	for (i = 0; i < RECORDS; i++) {
		const struct buf *bytes = &bench->new[i];

		fd = open(temp, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd < 0 || write(fd, bytes->data, bytes->len) != (ssize_t)bytes->len ||
		    fsync(fd) < 0 || close(fd) < 0 ||
		    rename(temp, place(bench, bench->paths[i])) < 0)
			die("%s", bench->paths[i]);
	}
}

static void write_tx(const struct bench *bench, const struct paths *paths)
{
	static struct tx_file files[RECORDS];
	char id[TX_ID_MAX];
	struct tx *tx;
	struct err err;
	int i;

	for (i = 0; i < RECORDS; i++)
		files[i] = (struct tx_file){ .path = bench->paths[i],
					     .type = &document_open_iscsi,
					     .before = &bench->old[i],
					     .after = &bench->new[i],
					     .mode = 07777,
					     .database = DATABASE };
	if (tx_begin(&tx, paths, NULL, &err) < 0 ||
	    tx_commit(tx, "bench", files, RECORDS, id, &err) < 0)
		die("%s: %s", err.place, err.reason);
	tx_end(tx);
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* From the old tree, on a disk that has nothing else left to write. */
static double measure(const struct bench *bench, const struct paths *paths, enum way way)
{
	double start, took;
	int i;

	for (i = 0; i < RECORDS; i++)
		write_plain(bench, bench->paths[i], &bench->old[i]);
	sync();
	start = milliseconds();
	if (way == LOOP)
		write_loop(bench);
	else if (way == TX)
		write_tx(bench, paths);
	else
		run_program(bench, "apply");
	took = milliseconds() - start;
	if (way != LOOP)
		run_program(bench, "undo");
	return took;
}

static int compare(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) -
	       (*(const double *)a < *(const double *)b);
}

/* The file system's type and device, out of the mount table. */
static void name_file_system(const char *path, char *out, size_t size)
{
	FILE *table = fopen("/proc/self/mountinfo", "r");
	unsigned major, minor;
	char line[4096], *rest;
	struct stat st;

	snprintf(out, size, "unknown");
	if (!table || stat(path, &st) < 0)
		return;
	while (fgets(line, sizeof(line), table)) {
		rest = strstr(line, " - ");
		if (rest && sscanf(line, "%*d %*d %u:%u", &major, &minor) == 2 &&
		    makedev(major, minor) == st.st_dev) {
			rest += 3;
			rest[strcspn(rest, " ")] = '\0';
			snprintf(out, size, "%s", rest);
		}
	}
	fclose(table);
}

static void report(double times[WAYS][ROUNDS], const char *file_system, const char *result)
{
	json_t *rows = json_array(), *document;
	double base = 0;
	int way;

	printf("1,000 records on %s, medians of %d runs by turns\n", file_system, ROUNDS);
	for (way = 0; way < WAYS; way++) {
		double median;

		qsort(times[way], ROUNDS, sizeof(double), compare);
		median = times[way][ROUNDS / 2];
		base = way == LOOP ? median : base;
		printf("%-32s %8.1f ms (%.1f to %.1f)  %.2f\n", names[way], median, times[way][0],
		       times[way][ROUNDS - 1], median / base);
		json_array_append_new(rows,
				      json_pack("{s:s, s:f, s:f, s:f, s:f}", "name", names[way],
						"median_ms", median, "fastest_ms", times[way][0],
						"slowest_ms", times[way][ROUNDS - 1], "ratio",
						median / base));
	}
	document = json_pack("{s:s, s:s, s:i, s:i, s:f, s:o}", "schema", "sgw-init/bench/apply/1",
			     "file_system", file_system, "records", RECORDS, "runs", ROUNDS, "aim",
			     1.5, "rows", rows);
	if (!document || json_dump_file(document, result, JSON_INDENT(2)) != 0)
		die("%s", result);
	json_decref(document);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	static double times[WAYS][ROUNDS];
	char file_system[64];
	struct paths paths;
	struct err err;
	int round, way;

	if (argc != 4)
		die("usage: apply_records SGW_INIT SCRATCH RESULT");
	bench.program = argv[1];
	snprintf(bench.root, sizeof(bench.root), "%s", argv[2]);
	if (mkdir(bench.root, 0755) < 0 || paths_init(&paths, bench.root, &err) < 0)
		die("%s", bench.root);
	name_file_system(bench.root, file_system, sizeof(file_system));
	make_tree(&bench);
	learn_new(&bench, &paths);
	for (round = 0; round < ROUNDS; round++)
		for (way = 0; way < WAYS; way++)
			times[way][round] = measure(&bench, &paths, way);
	paths_done(&paths);
	nftw(bench.root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	report(times, file_system, argv[3]);
	return 0;
}

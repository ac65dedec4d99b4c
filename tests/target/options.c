/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "buf.h"
#include "err.h"
#include "expect.h"
#include "iscsi/portal.h"
#include "number.h"

enum { TARGETS_MAX = 100000 };

#define DEFAULT_VOLUME "myvolume"
#define SIZE_MAX_BYTES (UINT64_C(1) << 60)

/* HOST, HOST:PORT, [IPV6], [IPV6]:PORT; without a port it stays as it is. */
static int parse_host(const char *text, struct portal_option *out, struct err *err)
{
	const char *host = text, *end = NULL, *port = NULL;
	uint32_t number = 0;

	if (text[0] == '[') {
		host = text + 1;
		end = strchr(host, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return err_set(err, EINVAL, "'%s' is no address: [IPV6]:PORT", text);
		port = end[1] == ':' ? end + 2 : NULL;
	} else {
		end = strchr(host, ':');
		port = end ? end + 1 : NULL;
		if (port && strchr(port, ':'))
			return err_set(err, EINVAL, "'%s': an IPv6 address is written in brackets",
				       text);
		end = end ? end : host + strlen(host);
	}
	if (end == host || (size_t)(end - host) >= sizeof(out->host))
		return err_set(err, EINVAL, "'%s' has no host: HOST:PORT", text);
	memcpy(out->host, host, (size_t)(end - host));
	out->host[end - host] = '\0';
	if (port && parse_u32(port, 0, 65535, &number, err) < 0)
		return -err->code;
	if (port)
		out->port = (uint16_t)number;
	return 0;
}

static int set_gateway(struct target_options *options, const char *value, struct err *err)
{
	for (int i = 0; i < PERSONA_COUNT; i++) {
		if (strcmp(value, persona_names[i]) == 0) {
			options->persona = (enum persona)i;
			return 0;
		}
	}
	return err_set(err, EINVAL, "'%s' is no kind of gateway: volume or tape", value);
}

static int add_portal(struct target_options *options, const char *value, struct err *err)
{
	struct portal_option *portal;

	if (!ARRAY_ROOM(options->portals, options->portal_count))
		return err_oom(err);
	portal = &options->portals[options->portal_count++];
	*portal = (struct portal_option){ .port = PORTAL_PORT };
	return parse_host(value, portal, err);
}

static int set_advertise(struct target_options *options, const char *value, struct err *err)
{
	return parse_host(value, &options->advertise, err);
}

static int set_ready_file(struct target_options *options, const char *value, struct err *err)
{
	(void)err;
	options->ready_file = value;
	return 0;
}

/* NULL without memory. */
static struct volume_option *new_volume(struct target_options *options)
{
	if (!ARRAY_ROOM(options->volumes, options->volume_count))
		return NULL;
	options->volumes[options->volume_count] = (struct volume_option){ 0 };
	return &options->volumes[options->volume_count++];
}

static int add_volume(struct target_options *options, const char *value, struct err *err)
{
	struct volume_option *volume = new_volume(options);
	const char *size = strchr(value, ':'), *file = size ? strchr(size + 1, ':') : NULL;
	char digits[32];
	size_t len;

	if (!volume)
		return err_oom(err);
	if (!size || (size_t)(size - value) >= sizeof(volume->name))
		return err_set(err, EINVAL,
			       "'%s' is no volume: NAME:SIZE or NAME:SIZE:FILE, as in myvolume:1G",
			       value);
	memcpy(volume->name, value, (size_t)(size - value));
	if (persona_check_volume(volume->name, err) < 0)
		return -err->code;
	size++;
	len = file ? (size_t)(file - size) : strlen(size);
	if (file && file[1] == '\0')
		return err_set(err, EINVAL, "'%s' has no file behind its last colon", value);
	volume->file = file ? file + 1 : NULL;
	if (file && len == 0)
		return 0;
	snprintf(digits, sizeof(digits), "%.*s", (int)len, size);
	if (parse_size(digits, DISK_BLOCK, SIZE_MAX_BYTES, &volume->size, err) < 0)
		return -err->code;
	if (volume->size % DISK_BLOCK != 0)
		return err_set(err, EINVAL, "'%s' is no whole number of %d-byte blocks", digits,
			       DISK_BLOCK);
	return 0;
}

static int set_targets(struct target_options *options, const char *value, struct err *err)
{
	return parse_u32(value, 1, TARGETS_MAX, &options->targets, err);
}

static int set_initiators(struct target_options *options, const char *value, struct err *err)
{
	return parse_u32(value, 1, UINT32_MAX, &options->initiators, err);
}

static int set_chap(struct target_options *options, const char *value, struct err *err)
{
	(void)err;
	options->chap = value;
	return 0;
}

static int set_transcript(struct target_options *options, const char *value, struct err *err)
{
	(void)err;
	options->transcript = value;
	return 0;
}

static int set_faults(struct target_options *options, const char *value, struct err *err)
{
	if (options->faults)
		return err_set(err, EINVAL, "it is given twice");
	options->faults = value;
	return 0;
}

/* A path, or HOST:PORT: what has a colon, and nothing that only a path has. */
static int set_control(struct target_options *options, const char *value, struct err *err)
{
	if (options->control || options->control_at.host[0] != '\0')
		return err_set(err, EINVAL, "it is given twice");
	if (strchr(value, ':') && !strpbrk(value, "/\\"))
		return parse_host(value, &options->control_at, err);
	if (value[0] == '\0')
		return err_set(err, EINVAL, "a path or HOST:PORT is wanted");
	options->control = value;
	return 0;
}

static int add_expectation(struct target_options *options, const char *value, struct err *err)
{
	return expectations_add(&options->expectations, value, err);
}

static int set_help(struct target_options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->help = true;
	return 0;
}

static int set_version(struct target_options *options, const char *value, struct err *err)
{
	(void)value;
	(void)err;
	options->version = true;
	return 0;
}

static const struct row {
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
	int (*set)(struct target_options *options, const char *value, struct err *err);
} rows[] = {
	{ "gateway", "KIND", "what to play: volume (the default) or tape", set_gateway },
	{ "portal", "HOST:PORT", "where to listen (repeatable; default 127.0.0.1:0, a free port)",
	  add_portal },
	{ "advertise", "ADDR", "the address that SendTargets tells instead", set_advertise },
	{ "ready-file", "FILE", "write a HOST:PORT line per portal once connections are accepted",
	  set_ready_file },
	{ "volume", "NAME:SIZE[:FILE]",
	  "a volume in memory or in a file (repeatable; default " DEFAULT_VOLUME ":1G)",
	  add_volume },
	{ "targets", "N", "volumes named volume-01, volume-02 and so on", set_targets },
	{ "initiators", "N", "how many initiators may use one target (default: any number)",
	  set_initiators },
	{ "chap", "FILE", "CHAP credentials (JSON of describe-chap-credentials)", set_chap },
	{ "transcript", "FILE", "write what happens as JSON lines, secrets left out",
	  set_transcript },
	{ "expect", "EXPR", "exit 1 if a login breaks it: 'MaxBurstLength>=262144' (repeatable)",
	  add_expectation },
	{ "faults", "FILE", "misbehave by its lines: 'on nop-out: ignore', 'at 5s: away 20s'",
	  set_faults },
	{ "control", "SOCKET", "take such lines, and questions, at a path or a loopback HOST:PORT",
	  set_control },
	{ "help", NULL, "this text", set_help },
	{ "version", NULL, "the version", set_version },
};

enum { FIRST_ROW = 256 };

void target_options_help(FILE *out)
{
	fputs("usage: sgw-target [OPTION...]\n\n"
	      "Plays an AWS Storage Gateway over iSCSI, for tests. SIGTERM ends it.\n\n",
	      out);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[40];

		snprintf(name, sizeof(name), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		fprintf(out, "  %-27s %s\n", name, rows[i].help);
	}
	fputs("\nExit codes: 0 all well, 1 failed or an expectation broken, 2 wrong usage.\n"
	      "See sgw-target(8).\n",
	      out);
}

/* What is left out, and what does not go together. */
static int complete(struct target_options *options, struct err *err)
{
	if (options->persona == PERSONA_TAPE && (options->volume_count > 0 || options->targets > 0))
		return err_set(err, EINVAL,
			       "--volume and --targets are for --gateway volume: a Tape Gateway "
			       "has ten drives and a changer");
	if (options->portal_count == 0) {
		if (add_portal(options, "127.0.0.1:0", err) < 0)
			return -err->code;
	}
	if (options->persona == PERSONA_VOLUME && options->volume_count == 0 &&
	    options->targets == 0) {
		struct volume_option *volume = new_volume(options);

		if (!volume)
			return err_oom(err);
		memcpy(volume->name, DEFAULT_VOLUME, sizeof(DEFAULT_VOLUME));
		volume->size = PERSONA_VOLUME_SIZE;
	}
	return 0;
}

int target_options_parse(struct target_options *options, int argc, char **argv, struct err *err)
{
	struct option longs[ARRAY_LEN(rows) + 1] = { { 0 } };
	int c;

	*options = (struct target_options){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].argument ? required_argument : no_argument,
			.val = FIRST_ROW + (int)i,
		};
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		const struct row *row;

		if (c == ':')
			return err_set(err, EINVAL, "%s needs a value", argv[optind - 1]);
		if (c < FIRST_ROW)
			return err_set(err, EINVAL, "%s is no option; see --help",
				       argv[optind - 1]);
		row = &rows[c - FIRST_ROW];
		if (row->set(options, optarg, err) < 0)
			return err_at(err, "--%s", row->name);
	}
	if (optind < argc)
		return err_set(err, EINVAL, "'%s' is no option; see --help", argv[optind]);
	return complete(options, err);
}

void target_options_done(struct target_options *options)
{
	free(options->portals);
	free(options->volumes);
	expectations_free(options->expectations);
	*options = (struct target_options){ 0 };
}

/* SPDX-License-Identifier: MIT */
/* sgw-target: a mini iSCSI target that plays an AWS Storage Gateway, for tests. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "control.h"
#include "err.h"
#include "expect.h"
#include "faults.h"
#include "gateway.h"
#include "options.h"
#include "os/files.h"
#include "os/process.h"
#include "server.h"
#include "transcript.h"

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	CHAP_FILE_MAX = 16 * 1024 * 1024,
};

static const char program[] = "sgw-target";

static void server_clean(struct server **server)
{
	server_free(*server);
}

static void faults_clean(struct faults **faults)
{
	faults_free(*faults);
}

static void control_clean(struct control **control)
{
	control_free(*control);
}

/* A line on standard error that ends nothing. */
static void say(const char *place, const char *text)
{
	struct err err;

	err_set(&err, 0, "%s", text);
	err_at(&err, "%s", place);
	err_print(program, &err);
}

static void warn(const struct err *err)
{
	err_print(program, err);
}

static int read_chap(struct gateway *gateway, const char *path, struct err *err)
{
	/* Of any mode: its secrets guard test data. */
	CLEANUP(buf_done) struct buf bytes = { .secret = true };
	int rc = file_read(path, CHAP_FILE_MAX, &bytes, err);

	if (rc < 0)
		return rc;
	if (chap_file_parse(&gateway->chap, buf_text(&bytes), bytes.len, CHAP_LIMITS_ANY, err) < 0)
		return err_at(err, "%s", path);
	if (gateway->chap.incomplete)
		say(path, "warning: its Marker says that more credentials are on further pages");
	return 0;
}

static int add_targets(struct target_list *list, const struct target_options *options,
		       struct err *err)
{
	int rc = options->persona == PERSONA_TAPE ? persona_add_tape(list, err) : 0;

	for (size_t i = 0; rc == 0 && i < options->volume_count; i++) {
		const struct volume_option *it = &options->volumes[i];

		rc = it->file ? persona_add_file(list, it->name, it->size, it->file, err)
			      : persona_add_volume(list, it->name, it->size, err);
	}
	for (uint32_t i = 1; rc == 0 && i <= options->targets; i++) {
		char name[32];

		snprintf(name, sizeof(name), "volume-%02" PRIu32, i);
		rc = persona_add_volume(list, name, PERSONA_VOLUME_SIZE, err);
	}
	return rc;
}

static int prepare(struct gateway *gateway, const struct target_options *options, struct err *err)
{
	const char *unused = NULL;
	int rc = add_targets(&gateway->targets, options, err);

	if (rc == 0 && options->chap)
		rc = read_chap(gateway, options->chap, err);
	if (rc == 0)
		rc = gateway_prepare(gateway, &unused, err);
	if (rc < 0)
		return rc;
	if (unused)
		say(unused, "warning: the CHAP file names it, and it is no target here");
	if (options->advertise.host[0] != '\0') {
		gateway->advertise = options->advertise.host;
		gateway->advertise_port = options->advertise.port;
	}
	gateway->limits.initiators = options->initiators;
	gateway->expectations = options->expectations;
	if (options->transcript) {
		gateway->transcript = transcript_open(options->transcript, err);
		if (!gateway->transcript)
			return -err->code;
	}
	return 0;
}

static void print_summary(const struct gateway *gateway, uint32_t open_sessions)
{
	static const enum event counted[] = { EVENT_LOGIN, EVENT_DISCOVERY, EVENT_REFUSED,
					      EVENT_COMMAND, EVENT_REJECT };

	printf("%s: ended;", program);
	for (size_t i = 0; i < ARRAY_LEN(counted); i++)
		printf(" %s: %" PRIu64 ",", event_defs[counted[i]].counter,
		       gateway->events.count[counted[i]]);
	if (gateway->faults)
		printf(" %s: %" PRIu64 ",", event_defs[EVENT_FAULT].counter,
		       gateway->events.count[EVENT_FAULT]);
	printf(" sessions still open: %" PRIu32 "\n", open_sessions);
}

static void tell_broken(void *arg, const char *text)
{
	(void)arg;
	say("", text);
}

/* Listen, say so, serve until told to end, and say how it was. Returns the exit code. */
static int serve(struct gateway *gateway, const struct target_options *options, struct err *err)
{
	CLEANUP(server_clean) struct server *server = server_new(gateway, err);
	CLEANUP(faults_clean) struct faults *faults = NULL;
	CLEANUP(control_clean) struct control *control = NULL;
	bool controlled = options->control || options->control_at.host[0] != '\0';
	int rc = server ? 0 : -err->code;

	if (rc == 0 && (options->faults || controlled)) {
		faults = faults_new(gateway, server, err);
		rc = faults ? 0 : -err->code;
	}
	if (rc == 0 && options->faults)
		rc = faults_read(faults, options->faults, err);
	if (rc == 0 && controlled) {
		control = control_new(faults, server_loop(server), options, err);
		rc = control ? 0 : -err->code;
	}
	for (size_t i = 0; rc == 0 && i < options->portal_count; i++)
		rc = server_listen(server, &options->portals[i], err);
	/* Who reads that it is ready may end it at once. */
	if (rc == 0)
		rc = server_on_quit(server, err);
	for (size_t i = 0; rc == 0 && i < gateway->portal_count; i++) {
		char text[SOCKET_TEXT_MAX];

		socket_address_text(&gateway->portals[i].address, text);
		printf("%s: %s gateway at %s, targets: %zu\n", program,
		       persona_names[gateway->persona], text, gateway->targets.count);
	}
	if (rc == 0 && control)
		printf("%s: control at %s\n", program, control_place(control));
	fflush(stdout);
	if (rc == 0 && options->ready_file)
		rc = server_write_ready(server, options->ready_file, err);
	if (rc == 0)
		rc = server_run(server, err);
	if (rc < 0)
		return rc;
	print_summary(gateway, gateway->sessions.count);
	fflush(stdout); /* before what is said of expectations */
	return 0;
}

static int run(const struct target_options *options, struct err *err)
{
	struct gateway *gateway = gateway_new(err);
	struct err late;
	int rc;

	if (!gateway)
		return -err->code;
	gateway->persona = options->persona;
	gateway->warn = warn;
	rc = prepare(gateway, options, err);
	if (rc == 0)
		rc = serve(gateway, options, err);
	if (transcript_done(gateway->transcript, &late) < 0 && rc == 0) {
		*err = late;
		rc = err_at(err, "%s", options->transcript);
	}
	if (rc == 0 &&
	    expectations_broken(gateway->expectations, &gateway->events, tell_broken, NULL) > 0)
		rc = EXIT_FAILED;
	gateway_free(gateway);
	return rc;
}

int main(int argc, char **argv)
{
	struct target_options options;
	struct err err;
	int rc, status = EXIT_FAILED;

	/* Secrets are read: no core may hold them. */
	if (process_prepare() < 0)
		return EXIT_FAILED;
	rc = target_options_parse(&options, argc, argv, &err);
	if (rc < 0) {
		status = EXIT_USAGE;
	} else if (options.help) {
		target_options_help(stdout);
		status = 0;
	} else if (options.version) {
		printf("%s %s\n", program, SGW_VERSION);
		status = 0;
	} else {
		rc = run(&options, &err);
		status = rc == 0 ? 0 : EXIT_FAILED;
	}
	if (rc < 0)
		err_print(program, &err);
	target_options_done(&options);
	/* What was printed has to have arrived. */
	return fflush(stdout) != 0 || ferror(stdout) ? EXIT_FAILED : status;
}

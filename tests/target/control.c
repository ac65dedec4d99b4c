/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "err.h"
#include "escape.h"
#include "fault_rule.h"
#include "facts.h"
#include "faults.h"
#include "iscsi/address.h"
#include "options.h"
#include "os/local_socket.h"
#include "os/loop.h"
#include "os/sockets.h"

enum {
	LISTEN_BACKLOG = 64,
	RECEIVE_SIZE = 4096,
	REST_MS = 50, /* until it is tried again to accept where the system has no socket left */
};

#define BLANKS " \t\r"

/* Somebody who is connected. Nothing more is read before he took his answers. */
struct client {
	struct control *control;
	struct loop_watch watch;
	int fd;
	struct buf in, out;
	size_t sent; /* of out */
	bool last; /* nothing comes any more */
	bool skipping; /* the rest of a line that is too long */
	struct client *next, **link;
};

struct control {
	struct faults *faults;
	struct loop *loop;
	struct loop_watch watch;
	struct loop_timer rest; /* nobody is accepted until then */
	int fd;
	struct local_socket_file file; /* of path */
	const char *path; /* NULL: an address */
	char place[SOCKET_TEXT_MAX]; /* where it is an address */
	struct client *clients;
	unsigned int count;
};

static void client_free(struct client *client)
{
	loop_remove(client->control->loop, &client->watch);
	socket_close(client->fd);
	buf_done(&client->in);
	buf_done(&client->out);
	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	client->control->count--;
	free(client);
}

static void answer_error(struct client *client, const struct err *err)
{
	char text[4 * ERR_REASON_MAX + 1];

	escape_text(err->reason, strlen(err->reason), text, sizeof(text));
	buf_addf(&client->out, "error: %s\n", text);
}

/* What can be asked; anything else is a rule or an action. */
static const struct question {
	const char *word;
	void (*answer)(const struct faults *faults, struct buf *out);
} questions[] = {
	{ "status", facts_status },
};

static bool answer_question(struct client *client, const char *line)
{
	const char *word = line + strspn(line, BLANKS);
	size_t len = strcspn(word, BLANKS);

	if (word[len + strspn(word + len, BLANKS)] != '\0')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		if (strlen(questions[i].word) != len || strncmp(questions[i].word, word, len) != 0)
			continue;
		questions[i].answer(client->control->faults, &client->out);
		return true;
	}
	return false;
}

static void take_line(struct client *client, const char *line, size_t len)
{
	struct err err;
	int rc;

	if (strlen(line) == len && answer_question(client, line))
		return;
	if (strlen(line) < len)
		rc = err_set(&err, EINVAL, "there is a NUL byte in the line");
	else
		rc = faults_take(client->control->faults, line, &err);
	if (rc < 0)
		answer_error(client, &err);
	else
		buf_adds(&client->out, "ok\n");
}

/* Send what is to be sent; false where the client is lost. */
static bool send_answers(struct client *client)
{
	while (client->sent < client->out.len) {
		const struct socket_piece piece = { client->out.data + client->sent,
						    client->out.len - client->sent };
		ssize_t sent = socket_send(client->fd, &piece, 1);

		if (sent == -EAGAIN)
			return true;
		if (sent < 0)
			return false;
		client->sent += (size_t)sent;
	}
	client->out.len = client->sent = 0;
	return true;
}

/* The next whole line, NUL in place of its end, or what stands at the very end; NULL: none yet. */
static char *next_line(struct client *client, size_t *at, size_t *len)
{
	char *line = client->in.data + *at, *end;
	size_t left = client->in.len - *at;

	end = left > 0 ? memchr(line, '\n', left) : NULL;
	if (!end && (!client->last || left == 0) && left <= RULE_LINE_MAX)
		return NULL;
	*len = end ? (size_t)(end - line) : left; /* a NUL is behind what a buffer holds */
	line[*len] = '\0';
	*at += *len + (end != NULL);
	return line;
}

/* One line, or the begin of one that is too long, or more of that. */
static void take(struct client *client, const char *line, size_t len, bool whole)
{
	struct err err;

	if (len > RULE_LINE_MAX && !client->skipping) {
		err_set(&err, EINVAL, "a line of more than %d bytes", RULE_LINE_MAX);
		answer_error(client, &err);
	} else if (!client->skipping) {
		take_line(client, line, len);
	}
	client->skipping = !whole;
}

/* Answer line by line, as long as the answers are taken; false where the client is lost. */
static bool work(struct client *client)
{
	size_t at = 0, len;
	bool well = send_answers(client);
	char *line;

	while (well && client->out.len == 0 && (line = next_line(client, &at, &len)) != NULL) {
		bool whole = client->last || at > (size_t)(line - client->in.data) + len;

		take(client, line, len, whole);
		well = !client->out.failed && send_answers(client);
	}
	if (at > 0) {
		client->in.len -= at;
		memmove(client->in.data, client->in.data + at, client->in.len);
	}
	return well;
}

static bool receive(struct client *client)
{
	char *room = buf_room(&client->in, RECEIVE_SIZE);
	ssize_t got = room ? socket_receive(client->fd, room, RECEIVE_SIZE) : -ENOMEM;

	if (got == -EAGAIN)
		return true;
	if (got < 0)
		return false;
	client->in.len += (size_t)got;
	client->last = got == 0;
	return true;
}

static void client_ready(void *arg, unsigned int events)
{
	struct client *client = arg;

	if (((events & LOOP_READ) && !receive(client)) || !work(client) ||
	    (client->last && client->out.len == 0))
		client_free(client);
	else
		loop_change(client->control->loop, &client->watch,
			    client->out.len > 0 ? LOOP_WRITE : LOOP_READ);
}

/* Say why he cannot stay; a socket that is new takes it whole. */
static void turn_away(int fd, const char *reason)
{
	const struct socket_piece pieces[] = {
		{ "error: ", strlen("error: ") },
		{ reason, strlen(reason) },
		{ "\n", 1 },
	};

	(void)socket_send(fd, pieces, ARRAY_LEN(pieces));
	socket_close(fd);
}

static void welcome(struct control *control, int fd)
{
	struct client *client = NULL;
	struct err err;

	if (control->count >= CONTROL_CLIENTS_MAX)
		err_set(&err, EMFILE, "%d clients are connected, which is the limit",
			CONTROL_CLIENTS_MAX);
	else if (!(client = calloc(1, sizeof(*client))))
		err_oom(&err);
	if (!client) {
		turn_away(fd, err.reason);
		return;
	}
	client->control = control;
	client->fd = fd;
	client->watch = (struct loop_watch){ .ready = client_ready, .arg = client };
	client->next = control->clients;
	client->link = &control->clients;
	if (client->next)
		client->next->link = &client->next;
	control->clients = client;
	control->count++;
	if (loop_add(control->loop, &client->watch, fd, LOOP_READ, &err) < 0)
		client_free(client);
}

static void control_ready(void *arg, unsigned int events)
{
	struct control *control = arg;
	struct socket_address far;
	struct err err;
	int fd;

	(void)events;
	while ((fd = socket_accept(control->fd, &far)) >= 0)
		welcome(control, fd);
	if (fd != -EAGAIN && loop_timer_set(control->loop, &control->rest, REST_MS, &err) == 0)
		loop_change(control->loop, &control->watch, 0);
}

static void rest_is_over(void *arg)
{
	struct control *control = arg;

	loop_change(control->loop, &control->watch, LOOP_READ);
}

/* Whoever can reach it rules the target: this machine, and no other. */
static int listen_at_address(struct control *control, const struct portal_option *where,
			     struct err *err)
{
	struct socket_address address;
	uint8_t bytes[ADDRESS_LEN];
	char host[SOCKET_HOST_MAX];
	int rc = socket_resolve(where->host, where->port, &address, 1, err);

	if (rc < 0)
		return rc;
	socket_address_host(&address, host);
	if (!address_parse(host, strlen(host), bytes) || address_kind(bytes) != ADDRESS_LOOPBACK)
		return err_set(err, EINVAL,
			       "%s is no loopback address: 127.0.0.1:PORT, [::1]:PORT, or a path",
			       host);
	control->fd = socket_listen(&address, LISTEN_BACKLOG, err);
	if (control->fd < 0)
		return control->fd;
	if (socket_local(control->fd, &address) < 0)
		return err_set(err, EIO, "cannot tell the port of %s", host);
	socket_address_text(&address, control->place);
	return 0;
}

static int open_socket(struct control *control, const struct target_options *options,
		       struct err *err)
{
	int rc;

	if (!options->control)
		return listen_at_address(control, &options->control_at, err);
	rc = local_socket_listen(options->control, LISTEN_BACKLOG, &control->file, err);
	if (rc < 0)
		return rc;
	control->path = options->control;
	control->fd = rc;
	return 0;
}

struct control *control_new(struct faults *faults, struct loop *loop,
			    const struct target_options *options, struct err *err)
{
	struct control *control = calloc(1, sizeof(*control));
	int rc;

	if (!control) {
		err_oom(err);
		return NULL;
	}
	control->faults = faults;
	control->loop = loop;
	control->fd = -1;
	control->watch = (struct loop_watch){ .ready = control_ready, .arg = control };
	control->rest = (struct loop_timer){ .fire = rest_is_over, .arg = control };
	rc = open_socket(control, options, err);
	if (rc == 0)
		rc = loop_add(loop, &control->watch, control->fd, LOOP_READ, err);
	if (rc < 0) {
		err_at(err, "--control");
		control_free(control);
		return NULL;
	}
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	while (control->clients)
		client_free(control->clients);
	loop_timer_cancel(control->loop, &control->rest);
	if (control->fd >= 0 && control->watch.fd == control->fd)
		loop_remove(control->loop, &control->watch);
	if (control->path)
		local_socket_close(control->fd, control->path, &control->file);
	else
		socket_close(control->fd);
	free(control);
}

const char *control_place(const struct control *control)
{
	return control->path ? control->path : control->place;
}

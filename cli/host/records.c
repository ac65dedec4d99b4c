/* SPDX-License-Identifier: MIT */
#include "host/records.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "documents/document.h"
#include "documents/open_iscsi.h"
#include "err.h"
#include "host/database.h"
#include "iscsi/address.h"
#include "iscsi/portal.h"
#include "number.h"

static const struct document_type *const type = &document_open_iscsi;

/* Of a key of identity: what a record lacks must not come from iscsid.conf. */
#define NODE_NAME "node.name"
#define NODE_TAG "node.tpgt"
#define NODE_ADDRESS "node.conn[0].address"
#define NODE_PORT "node.conn[0].port"

static int is_secret_value(const char *key, const char *value, unsigned line, void *ctx)
{
	(void)line;
	(void)ctx;
	return value[0] != '\0' && open_iscsi_is_secret(key);
}

void record_done(struct record *record)
{
	type->free(record->doc);
	buf_done(&record->bytes);
	free(record->path);
	*record = (struct record){ 0 };
}

bool record_exposed(const struct record *record)
{
	return (record->mode & 077) != 0 && record->doc &&
	       type->each(record->doc, is_secret_value, NULL) != 0;
}

int record_at(const struct record *record, struct err *err)
{
	char portal[PORTAL_TEXT_MAX];

	portal_text_of(record->address, record->port, portal);
	return err_at(err, "%s at %s", record->target, portal);
}

int address_canonical(const char *address, char *out, size_t size)
{
	uint8_t binary[ADDRESS_LEN];
	char text[ADDRESS_TEXT_MAX];
	size_t len = strlen(address);

	if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
		address++;
		len -= 2;
	}
	if (address_parse(address, len, binary)) {
		address_text(binary, text);
		return snprintf(out, size, "%s", text) < (int)size ? 0 : -EINVAL;
	}
	/* A host name, or a link-local address with its zone. */
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)address[i]) && !strchr(".:_%-", address[i]))
			return -EINVAL;
	}
	if (len == 0 || address[0] == '.' || len >= size)
		return -EINVAL;
	snprintf(out, size, "%.*s", (int)len, address);
	return 0;
}

/* What may name a directory, and stand in a record: RFC 7143, 4.2.7.2, in ASCII. */
static bool is_target_name(const char *name)
{
	const size_t len = strlen(name);

	if (len >= ISCSI_NAME_SIZE ||
	    (strncmp(name, "iqn.", 4) != 0 && strncmp(name, "eui.", 4) != 0 &&
	     strncmp(name, "naa.", 4) != 0))
		return false;
	for (const char *p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr(".:_;-", *p))
			return false;
	}
	return len > 4;
}

/* "10.0.0.1,3260" and, where there is a tag, ",1". */
static int split_portal(struct record *record, const char *portal)
{
	const char *comma = strchr(portal, ','), *second = comma ? strchr(comma + 1, ',') : NULL;
	char address[64], port_text[16];
	struct err err = { 0 };
	uint32_t port, tag;

	if (!comma || (size_t)(comma - portal) >= sizeof(address))
		return -EINVAL;
	snprintf(address, sizeof(address), "%.*s", (int)(comma - portal), portal);
	snprintf(port_text, sizeof(port_text), "%.*s",
		 (int)(second ? second - comma - 1 : (ptrdiff_t)strlen(comma + 1)), comma + 1);
	if (address_canonical(address, record->address, sizeof(record->address)) < 0 ||
	    parse_u32(port_text, 1, UINT16_MAX, &port, &err) < 0)
		return -EINVAL;
	record->port = (uint16_t)port;
	record->tag = -1;
	if (!second || strcmp(second, ",-1") == 0)
		return 0;
	if (parse_u32(second + 1, 0, UINT16_MAX, &tag, &err) < 0)
		return -EINVAL;
	record->tag = (int32_t)tag;
	return 0;
}

static void set_problem(struct record *record, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void set_problem(struct record *record, const char *fmt, ...)
{
	va_list args;

	if (record->problem[0] != '\0')
		return;
	va_start(args, fmt);
	vsnprintf(record->problem, sizeof(record->problem), fmt, args);
	va_end(args);
}

/* Its bytes come from whoever made the file, and end up in messages and in commands to type. */
static bool is_interface_name(const char *name)
{
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr(".:_@+-", *name))
			return false;
	}
	return true;
}

void record_place(struct record *record, const char *target, const char *portal,
		  const char *interface)
{
	snprintf(record->target, sizeof(record->target), "%s", target);
	snprintf(record->interface, sizeof(record->interface), "%s", interface);
	if (strlen(target) >= sizeof(record->target))
		set_problem(record, "its directory's name has %zu bytes, an iSCSI name 223 at most",
			    strlen(target));
	else if (!is_target_name(target))
		set_problem(record, "its directory's name is no iSCSI name: not a record; move it "
				    "away");
	else if (strlen(interface) >= sizeof(record->interface))
		set_problem(record, "its interface's name has %zu bytes", strlen(interface));
	else if (!is_interface_name(interface))
		set_problem(record, "its own name is none of an interface: not a record; move it "
				    "away, for iscsiadm trips over it");
	if (split_portal(record, portal) < 0)
		set_problem(record,
			    "\"%s\" is no portal (address,port or address,port,tag): not a record; "
			    "move it away, for iscsiadm trips over it",
			    portal);
}

bool record_place_of(struct record *record, const char *path)
{
	const char *nodes = strstr(path, "/nodes/");
	const char *target = nodes ? nodes + strlen("/nodes/") : "", *portal = strchr(target, '/');
	CLEANUP(buf_done) struct buf name = { 0 }, place = { 0 };

	if (!portal)
		return false;
	buf_add(&name, target, (size_t)(portal - target));
	buf_add(&place, portal + 1, strcspn(portal + 1, "/"));
	record_place(record, buf_text(&name), buf_text(&place), "default");
	return record->port != 0;
}

/* iscsiadm itself may not find such a record. */
#define MEND                                                                                     \
	": move this file away, or have it deleted by iscsiadm -m node -o delete; apply PORTAL " \
	"makes it anew"

/* One key of the identity: as the place says, or the record cannot be told from another. */
static void hold_against(struct record *record, const char *key, const char *expected)
{
	const char *value = type->get(record->doc, key, NULL);
	char canonical[64];

	if (!value) {
		set_problem(record, "it has no %s, so nobody can tell whose record it is" MEND,
			    key);
		return;
	}
	if (strcmp(key, NODE_ADDRESS) == 0 &&
	    address_canonical(value, canonical, sizeof(canonical)) == 0)
		value = canonical;
	if (strcmp(value, expected) != 0)
		set_problem(record, "its %s is \"%s\", but its path says \"%s\"" MEND, key, value,
			    expected);
}

void record_read(struct record *record)
{
	struct err err = { 0 };
	char number[16];

	if (type->parse(&record->doc, buf_text(&record->bytes), record->bytes.len, &err) < 0) {
		set_problem(record, "%s", err.reason);
		return;
	}
	hold_against(record, NODE_NAME, record->target);
	hold_against(record, NODE_ADDRESS, record->address);
	snprintf(number, sizeof(number), "%u", record->port);
	hold_against(record, NODE_PORT, number);
	snprintf(number, sizeof(number), "%" PRId32, record->tag);
	if (record->tag >= 0)
		hold_against(record, NODE_TAG, number);
}

/* The value a new record gives a key, or NULL: identity first, then what iscsid.conf says. */
static const char *new_value(const char *key, const struct document *conf,
			     const char *const (*identity)[2])
{
	for (; (*identity)[0]; identity++) {
		if (strcmp((*identity)[0], key) == 0)
			return (*identity)[1];
	}
	if (!conf || strncmp(key, "node.", strlen("node.")) != 0)
		return NULL;
	return type->get(conf, key, NULL);
}

static void write_record(struct record *record, const struct document *conf)
{
	char tag[16], port[8];
	const char *const identity[][2] = {
		{ NODE_NAME, record->target },
		{ NODE_TAG, tag },
		{ "iface.iscsi_ifacename", record->interface },
		{ "iface.transport_name", "tcp" },
		{ "node.discovery_address", NULL },
		{ "node.discovery_port", "0" },
		{ "node.discovery_type", "static" },
		{ NODE_ADDRESS, record->address },
		{ NODE_PORT, port },
		{ NULL, NULL },
	};

	snprintf(tag, sizeof(tag), "%" PRId32, record->tag);
	snprintf(port, sizeof(port), "%u", record->port);
	buf_adds(&record->bytes, "# BEGIN RECORD sgw-init " SGW_VERSION "\n");
	for (size_t i = 0; i < open_iscsi_key_count; i++) {
		const char *key = open_iscsi_keys[i].name, *value = new_value(key, conf, identity);

		if (value)
			buf_addf(&record->bytes, "%s = %s\n", key, value);
	}
	buf_adds(&record->bytes, "# END RECORD\n");
}

static int new_path(struct record *record, const struct database *db, struct err *err)
{
	CLEANUP(buf_done) struct buf path = { 0 };

	buf_addf(&path, "%s/nodes/%s/%s,%u", db->path, record->target, record->address,
		 record->port);
	if (record->tag >= 0)
		buf_addf(&path, ",%" PRId32 "/%s", record->tag, record->interface);
	record->path = buf_take(&path);
	return record->path ? 0 : err_oom(err);
}

int record_new(struct record *record, const struct database *db, const char *target,
	       const char *address, uint16_t port, int32_t tag, const struct document *conf,
	       struct err *err)
{
	int rc;

	*record = (struct record){
		.port = port, .tag = tag < 0 ? -1 : tag, .mode = 0600, .bytes.secret = true
	};
	if (!is_target_name(target))
		return err_set(err, EINVAL,
			       "target \"%s\": no iSCSI name that could name a record's directory",
			       target);
	if (address_canonical(address, record->address, sizeof(record->address)) < 0)
		return err_set(err, EINVAL, "address \"%s\": neither an IP address nor a host name",
			       address);
	if (port == 0 || tag > UINT16_MAX)
		return err_set(err, EINVAL, "port %u, portal group tag %" PRId32 ": out of range",
			       port, tag);
	snprintf(record->target, sizeof(record->target), "%s", target);
	snprintf(record->interface, sizeof(record->interface), "default");
	write_record(record, conf);
	rc = record->bytes.failed ? err_oom(err) : new_path(record, db, err);
	if (rc == 0)
		rc = type->parse(&record->doc, buf_text(&record->bytes), record->bytes.len, err);
	if (rc < 0)
		record_done(record);
	return rc;
}

/* SPDX-License-Identifier: MIT */
#include "documents/chap_file.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "err.h"
#include "os/memory.h"

enum {
	NAME_MAX_BYTES = 223, /* RFC 7143, 4.2.7.1 */
	INITIATOR_MAX_BYTES = 255, /* AWS API, InitiatorName */
	ARN_MAX_BYTES = 800, /* AWS API, TargetARN */
};

static const char target_field[] = "TargetARN";
static const char initiator_field[] = "InitiatorName";
static const char initiator_secret_field[] = "SecretToAuthenticateInitiator";
static const char target_secret_field[] = "SecretToAuthenticateTarget";

static const struct secret_limits {
	size_t min, max;
} secret_limits[] = {
	[CHAP_LIMITS_AWS] = { 12, 16 },
	[CHAP_LIMITS_ANY] = { 1, 255 },
};

void chap_file_done(struct chap_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		memory_free(file->entries[i].target);
		memory_free(file->entries[i].initiator);
		memory_free(file->entries[i].initiator_secret);
		memory_free(file->entries[i].target_secret);
	}
	free(file->entries);
	*file = (struct chap_file){ 0 };
}

/* What no line of a configuration file can hold. */
static bool has_control(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			return true;
	}
	return false;
}

/* Lower-case letters, digits, and the others that are listed. */
static bool is_spelt_with(const char *name, const char *others)
{
	for (; *name; name++) {
		if (!(*name >= 'a' && *name <= 'z') && !(*name >= '0' && *name <= '9') &&
		    !strchr(others, *name))
			return false;
	}
	return true;
}

static int check_name(const char *field, const char *name, enum chap_limits limits,
		      const char *others, size_t max, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > max)
		return err_set(err, EINVAL, "%s has %zu bytes; 1 to %zu are allowed", field, len,
			       max);
	if (has_control(name))
		return err_set(err, EINVAL, "%s contains a control character", field);
	if (limits == CHAP_LIMITS_AWS && !is_spelt_with(name, others))
		return err_set(err, EINVAL,
			       "%s '%s' is not spelt as AWS allows: lower-case letters, digits "
			       "and %s",
			       field, name, others);
	return 0;
}

static int check_secret(const char *field, const char *secret, enum chap_limits limits,
			struct err *err)
{
	const struct secret_limits *allowed = &secret_limits[limits];
	size_t len = strlen(secret);

	if (len < allowed->min || len > allowed->max)
		return err_set(err, EINVAL, "%s has %zu bytes; %zu to %zu are allowed", field, len,
			       allowed->min, allowed->max);
	if (has_control(secret))
		return err_set(err, EINVAL, "%s contains a control character", field);
	if (limits == CHAP_LIMITS_AWS && (secret[0] == ' ' || secret[len - 1] == ' '))
		return err_set(err, EINVAL,
			       "%s begins or ends with a blank, which open-iscsi would cut off",
			       field);
	return 0;
}

/* Step over one part of an ARN and the colon behind it; NULL where it is empty or has no end. */
static const char *skip_part(const char *part)
{
	const char *end = part ? strchr(part, ':') : NULL;

	return end && end > part ? end + 1 : NULL;
}

static bool is_partition(const char *text)
{
	static const char *const known[] = { "aws:", "aws-cn:", "aws-us-gov:", "aws-iso" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strncmp(text, known[i], strlen(known[i])) == 0)
			return true;
	}
	return false;
}

/*
 * The IQN out of arn:PARTITION:storagegateway:REGION:ACCOUNT:gateway/ID/target/IQN
 * or the bare IQN itself; NULL for anything else.
 */
static const char *find_iqn(const char *text)
{
	static const char arn[] = "arn:", service[] = "storagegateway:", gateway[] = "gateway/",
			  target[] = "/target/";
	const char *p;

	if (strncmp(text, arn, strlen(arn)) != 0)
		return text;
	p = text + strlen(arn);
	if (strlen(text) > ARN_MAX_BYTES || !is_partition(p))
		return NULL;
	p = skip_part(p);
	if (!p || strncmp(p, service, strlen(service)) != 0)
		return NULL;
	p = skip_part(skip_part(skip_part(p)));
	if (!p || strncmp(p, gateway, strlen(gateway)) != 0)
		return NULL;
	p = strstr(p + strlen(gateway), target);
	return p ? p + strlen(target) : NULL;
}

static int take_target(char **out, const char *text, enum chap_limits limits, struct err *err)
{
	const char *iqn = find_iqn(text);

	if (!iqn || (limits == CHAP_LIMITS_AWS && strncmp(iqn, "iqn.", 4) != 0))
		return err_set(err, EINVAL,
			       "%s is neither a target's ARN (arn:aws:storagegateway:REGION:"
			       "ACCOUNT:gateway/ID/target/IQN) nor an IQN",
			       target_field);
	if (check_name(target_field, iqn, limits, "-.:;", NAME_MAX_BYTES, err) < 0)
		return -err->code;
	*out = strdup(iqn);
	return *out ? 0 : err_oom(err);
}

/* The text of a field: 1, or 0 where it is missing (or null) and may be. */
static int get_text(json_t *object, const char *field, bool optional, const char **out,
		    struct err *err)
{
	json_t *value = json_object_get(object, field);

	*out = NULL;
	if (!value || json_is_null(value)) {
		if (optional)
			return 0;
		return err_set(err, EINVAL, "%s is missing", field);
	}
	*out = json_string_value(value);
	if (!*out)
		return err_set(err, EINVAL, "%s is not a string", field);
	return 1;
}

static int take_secret(char **out, json_t *object, const char *field, bool optional,
		       enum chap_limits limits, struct err *err)
{
	const char *text;
	int rc = get_text(object, field, optional, &text, err);

	if (rc <= 0)
		return rc;
	if (check_secret(field, text, limits, err) < 0)
		return -err->code;
	*out = strdup(text);
	return *out ? 0 : err_oom(err);
}

/*
 * AWS may add fields, which are none of our business. But one that looks like
 * one of ours is a slip, and passing over a misspelt secret would turn mutual
 * CHAP into one-way without a word.
 */
static int check_fields(json_t *object, struct err *err)
{
	static const char *const known[] = { target_field, initiator_field, initiator_secret_field,
					     target_secret_field };
	static const char *const alike[] = { "Secret", "Target", "Initiator" };
	const char *field;
	json_t *value;

	json_object_foreach(object, field, value)
	{
		bool ours = false, similar = false;

		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			ours = ours || strcmp(field, known[i]) == 0;
		for (size_t i = 0; i < ARRAY_LEN(alike); i++)
			similar = similar || strncasecmp(field, alike[i], strlen(alike[i])) == 0;
		if (similar && !ours)
			return err_set(err, EINVAL,
				       "field '%.64s' is unknown: it takes %s, %s, %s "
				       "and %s",
				       field, target_field, initiator_field, initiator_secret_field,
				       target_secret_field);
	}
	return 0;
}

static int take_entry(struct chap_entry *entry, json_t *object, enum chap_limits limits,
		      struct err *err)
{
	const char *text;
	int rc;

	if (!json_is_object(object))
		return err_set(err, EINVAL, "it is not an object");
	if (get_text(object, target_field, false, &text, err) < 0 ||
	    take_target(&entry->target, text, limits, err) < 0 || check_fields(object, err) < 0)
		return -err->code;
	rc = get_text(object, initiator_field, true, &text, err);
	if (rc > 0)
		rc = check_name(initiator_field, text, limits, "-.:", INITIATOR_MAX_BYTES, err);
	if (rc < 0)
		return rc;
	if (text) {
		entry->initiator = strdup(text);
		if (!entry->initiator)
			return err_oom(err);
	}
	if (take_secret(&entry->initiator_secret, object, initiator_secret_field, false, limits,
			err) < 0 ||
	    take_secret(&entry->target_secret, object, target_secret_field, true, limits, err) < 0)
		return -err->code;
	if (entry->target_secret && strcmp(entry->initiator_secret, entry->target_secret) == 0)
		return err_set(err, EINVAL, "its two secrets are the same; they have to differ");
	return 0;
}

/* Name the entry that an error is about. */
static int in_entry(size_t index, const struct chap_entry *entry, struct err *err)
{
	struct err cause = *err;

	if (cause.code == ENOMEM)
		return -ENOMEM;
	if (entry->target)
		return err_set(err, cause.code, "entry %zu (%s): %s", index + 1, entry->target,
			       cause.reason);
	return err_set(err, cause.code, "entry %zu: %s", index + 1, cause.reason);
}

/* By target, then by initiator, then as in the file. */
static int compare_entries(const void *a, const void *b)
{
	const struct chap_entry *x = *(const struct chap_entry *const *)a;
	const struct chap_entry *y = *(const struct chap_entry *const *)b;
	int order = strcmp(x->target, y->target);

	if (order == 0)
		order = strcmp(x->initiator ? x->initiator : "", y->initiator ? y->initiator : "");
	if (order == 0)
		order = x < y ? -1 : 1;
	return order;
}

static int check_unique(const struct chap_file *file, struct err *err)
{
	CLEANUP(free_ptr)
	const struct chap_entry **sorted = calloc(file->count + 1, sizeof(const void *));

	if (!sorted)
		return err_oom(err);
	for (size_t i = 0; i < file->count; i++)
		sorted[i] = &file->entries[i];
	qsort(sorted, file->count, sizeof(const void *), compare_entries);
	for (size_t i = 1; i < file->count; i++) {
		const struct chap_entry *x = sorted[i - 1], *y = sorted[i];

		if (strcmp(x->target, y->target) != 0 ||
		    strcmp(x->initiator ? x->initiator : "", y->initiator ? y->initiator : "") != 0)
			continue;
		err_set(err, EINVAL, "entry %zu is for the same target and initiator",
			(size_t)(x - file->entries) + 1);
		return in_entry((size_t)(y - file->entries), y, err);
	}
	return 0;
}

static int take_entries(struct chap_file *file, json_t *array, enum chap_limits limits,
			struct err *err)
{
	size_t count = json_array_size(array);

	file->entries = calloc(count + 1, sizeof(*file->entries));
	if (!file->entries)
		return err_oom(err);
	for (size_t i = 0; i < count; i++) {
		struct chap_entry *entry = &file->entries[file->count++];

		if (take_entry(entry, json_array_get(array, i), limits, err) < 0)
			return in_entry(i, entry, err);
	}
	return check_unique(file, err);
}

/* The three forms that AWS's command line prints or takes. */
static int take_root(struct chap_file *file, json_t *root, enum chap_limits limits, struct err *err)
{
	json_t *list = json_object_get(root, "ChapCredentials");
	json_t *marker = json_object_get(root, "Marker");
	json_t *single;
	int rc;

	file->incomplete = json_string_length(marker) > 0;
	if (json_is_array(list) || json_is_array(root))
		return take_entries(file, json_is_array(root) ? root : list, limits, err);
	if (list || !json_object_get(root, target_field))
		return err_set(err, EINVAL,
			       "it has no list ChapCredentials; what 'aws storagegateway "
			       "describe-chap-credentials' prints is expected");
	single = json_array();
	if (!single || json_array_append(single, root) < 0)
		rc = err_oom(err);
	else
		rc = take_entries(file, single, limits, err);
	json_decref(single);
	return rc;
}

/* jansson's own text quotes what it stumbled over, which may be a secret. */
static int not_json(const json_error_t *error, struct err *err)
{
	static const struct {
		enum json_error_code code;
		const char *words;
	} rows[] = {
		{ json_error_invalid_utf8, "the text is not UTF-8" },
		{ json_error_premature_end_of_input, "the text ends too early" },
		{ json_error_end_of_input_expected, "something follows the end of the JSON text" },
		{ json_error_duplicate_key, "a field stands twice in one object" },
		{ json_error_null_character, "a string contains a NUL character" },
		{ json_error_null_byte_in_key, "a field's name contains a NUL character" },
		{ json_error_numeric_overflow, "a number is too large" },
		{ json_error_stack_overflow, "it is nested too deeply" },
	};
	const char *words = "this is not JSON";

	if (json_error_code(error) == json_error_out_of_memory)
		return err_oom(err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (json_error_code(error) == rows[i].code)
			words = rows[i].words;
	}
	return err_set(err, EINVAL, "line %d, column %d: %s", error->line > 0 ? error->line : 1,
		       error->column > 0 ? error->column : 1, words);
}

static int parse(struct chap_file *file, const char *bytes, size_t len, enum chap_limits limits,
		 struct err *err)
{
	json_error_t error = { 0 };
	json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
	int rc = root ? take_root(file, root, limits, err) : not_json(&error, err);

	memory_wipe(&error, sizeof(error));
	json_decref(root);
	return rc;
}

int chap_file_parse(struct chap_file *file, const char *bytes, size_t len, enum chap_limits limits,
		    struct err *err)
{
	static const char utf8_mark[] = "\xef\xbb\xbf";
	json_malloc_t former_malloc;
	json_free_t former_free;
	int rc;

	*file = (struct chap_file){ 0 };
	if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0))
		return err_set(err, EINVAL,
			       "line 1, column 1: the text is UTF-16: save it as UTF-8");
	if (len >= 3 && memcmp(bytes, utf8_mark, 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	/*
	 * jansson keeps copies of the secrets, in values and in buffers that it
	 * grows; each is wiped as it is freed. What stays out of reach is its
	 * stack. memory_free() takes any malloc()'s memory, so that values made
	 * before are freed well meanwhile.
	 */
	json_get_alloc_funcs(&former_malloc, &former_free);
	json_set_alloc_funcs(malloc, memory_free);
	rc = parse(file, bytes, len, limits, err);
	json_set_alloc_funcs(former_malloc, former_free);
	if (rc < 0)
		chap_file_done(file);
	return rc;
}

/* SPDX-License-Identifier: MIT */
/* profile list|show|validate: what is wanted, from where, and why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "command.h"
#include "engine/profile.h"
#include "engine/wanted.h"
#include "err.h"
#include "profiles.h"
#include "escape.h"
#include "host/paths.h"
#include "os/files.h"
#include "report.h"

enum {
	NUMBER_TEXT = 16,
	LINE_WIDTH = 78,
	FILE_MAX = 1 << 20,
};

static const char *number_text(uint32_t number, char text[NUMBER_TEXT])
{
	snprintf(text, NUMBER_TEXT, "%u", number);
	return text;
}

/* Words of text in lines of LINE_WIDTH, each behind indent; what text holds may be anybody's. */
static int print_wrapped(const char *text, const char *indent, FILE *out, struct err *err)
{
	CLEANUP(free_ptr) char *shown = malloc(4 * strlen(text) + 1);
	size_t column = 0;
	const char *p = shown;

	if (!shown)
		return err_oom(err);
	escape_text(text, strlen(text), shown, 4 * strlen(text) + 1);
	while (*(p += strspn(p, " ")) != '\0') {
		size_t len = strcspn(p, " ");

		if (column > 0 && column + 1 + len > LINE_WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		fprintf(out, "%s%.*s", column ? " " : indent, (int)len, p);
		column += (column ? 1 : strlen(indent)) + len;
		p += len;
	}
	fputc('\n', out);
	return 0;
}

static json_t *profile_json(const struct profile *profile)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "name", json_text(profile->name), "title",
			 json_text_or_null(profile->title), "note",
			 json_text_or_null(profile->note), "origin", json_text(profile->origin));
}

static json_t *place_json(const struct setting_place *place)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:b}", "place", place_word(place->kind), "key",
			 json_text(place->key), "default",
			 place->has_default ? json_integer(place->os_default) : json_null(),
			 "needs", needs_word(place->needs), "negotiated", place->negotiated);
}

static json_t *setting_json(const struct setting *setting)
{
	json_t *places = json_array();

	for (size_t i = 0; i < setting->place_count; i++)
		json_array_append_new(places, place_json(&setting->places[i]));
	return json_pack("{s:o, s:I, s:I, s:I, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "name",
			 json_text(setting->name), "value", (json_int_t)setting->value, "min",
			 (json_int_t)setting->min, "max", (json_int_t)setting->max, "unit",
			 json_text(setting->unit), "rule", rule_word(setting->rule), "severity",
			 severity_word(setting->severity), "source",
			 json_text_or_null(setting->source), "why", json_text_or_null(setting->why),
			 "origin", json_text(setting->origin), "places", places);
}

static int list_json(const struct wanted *wanted, struct err *err)
{
	json_t *document = json_document("profile"), *profiles = json_array();

	for (size_t i = 0; i < GATEWAY_OTHER; i++)
		json_array_append_new(profiles, profile_json(&wanted->profiles[i]));
	json_object_set_new(document, "profiles", profiles);
	return json_print(document, true, stdout, err);
}

static int list(const struct options *opt, const struct wanted *wanted, struct err *err)
{
	static const char *const titles[] = { "NAME", "TITLE", "FROM", NULL };
	CLEANUP(table_done) struct table table;

	if (opt->output == OUTPUT_JSON)
		return list_json(wanted, err);
	table_init(&table, titles);
	for (size_t i = 0; i < GATEWAY_OTHER; i++) {
		const struct profile *profile = &wanted->profiles[i];

		table_row(&table, profile->name, profile->title, profile->origin, NULL);
	}
	return table_print(&table, stdout, err);
}

static int show_json(const struct profile *profile, struct err *err)
{
	json_t *document = json_document("profile"), *shown = profile_json(profile);
	json_t *settings = json_array();

	for (size_t i = 0; i < profile->setting_count; i++)
		json_array_append_new(settings, setting_json(&profile->settings[i]));
	json_object_set_new(shown, "settings", settings);
	json_object_set_new(document, "profile", shown);
	return json_print(document, true, stdout, err);
}

static int show_values(const struct profile *profile, struct err *err)
{
	static const char *const titles[] = { "SETTING", "VALUE", "UNIT", "RULE", "FROM", NULL };
	CLEANUP(table_done) struct table table;
	char value[NUMBER_TEXT];

	table_init(&table, titles);
	for (size_t i = 0; i < profile->setting_count; i++) {
		const struct setting *setting = &profile->settings[i];

		table_row(&table, setting->name, number_text(setting->value, value), setting->unit,
			  rule_word(setting->rule), setting->origin, NULL);
	}
	return table_print(&table, stdout, err);
}

static int show_places(const struct profile *profile, struct err *err)
{
	static const char *const titles[] = { "SETTING", "PLACE", "DEFAULT", "NEEDS", "KEY", NULL };
	CLEANUP(table_done) struct table table;
	char value[NUMBER_TEXT];

	table_init(&table, titles);
	table.plain = true; /* keys are checked, and a registry key is easier to read so */
	for (size_t i = 0; i < profile->setting_count; i++) {
		const struct setting *setting = &profile->settings[i];

		for (size_t j = 0; j < setting->place_count; j++) {
			const struct setting_place *place = &setting->places[j];

			table_row(&table, j == 0 ? setting->name : "", place_word(place->kind),
				  place->has_default  ? number_text(place->os_default, value)
				  : place->negotiated ? "negotiated"
						      : "-",
				  needs_word(place->needs), place->key, NULL);
		}
	}
	return table_print(&table, stdout, err);
}

static int show_reasons(const struct profile *profile, struct err *err)
{
	for (size_t i = 0; i < profile->setting_count; i++) {
		const struct setting *setting = &profile->settings[i];
		CLEANUP(buf_done) struct buf source = { 0 };

		printf("%s\n", setting->name);
		buf_addf(&source, "Source: %s", setting->source);
		if (setting->why[0] != '\0' && print_wrapped(setting->why, "    ", stdout, err) < 0)
			return -err->code;
		if (setting->source[0] != '\0' &&
		    print_wrapped(buf_text(&source), "    ", stdout, err) < 0)
			return -err->code;
	}
	return 0;
}

static int show_table(const struct profile *profile, struct err *err)
{
	CLEANUP(buf_done) struct buf heading = { 0 };

	buf_addf(&heading, "%s (%s)", profile->title, profile->origin);
	if (print_wrapped(buf_text(&heading), "", stdout, err) < 0)
		return -err->code;
	printf("\n");
	if (show_values(profile, err) < 0)
		return -err->code;
	printf("\n");
	if (show_places(profile, err) < 0)
		return -err->code;
	printf("\n");
	if (show_reasons(profile, err) < 0)
		return -err->code;
	printf("\n");
	return print_wrapped(profile->note, "", stdout, err);
}

static int show(const struct options *opt, const struct wanted *wanted, struct err *err)
{
	const char *name = opt->args[1];

	for (size_t i = 0; i < GATEWAY_OTHER; i++) {
		const struct profile *profile = &wanted->profiles[i];

		if (strcmp(profile->name, name) == 0)
			return opt->output == OUTPUT_JSON ? show_json(profile, err)
							  : show_table(profile, err);
	}
	return err_set(err, ERR_USAGE, "there is no profile '%s'; see profile list", name);
}

/* A file is sound where it fits the built-in profile that it names; *name tells which. */
static int validate_file(const char *file, const char **name, struct err *err)
{
	CLEANUP(buf_done) struct buf bytes = { 0 };
	int rc = file_read(file, FILE_MAX, &bytes, err);

	for (const char *const *known = profile_names(); *known && rc >= 0; known++) {
		CLEANUP(profile_done) struct profile profile = { 0 };

		rc = profile_builtin(&profile, *known, err);
		if (rc == 0)
			rc = profile_overlay(&profile, buf_text(&bytes), bytes.len, file, err);
		if (rc == 1)
			continue;
		/* What cannot be read names none. */
		if (rc == 0)
			*name = *known;
		return rc < 0 ? rc : profile_check(&profile, err);
	}
	return rc;
}

static json_t *validation_json(const char *file, const char *name, const struct err *err)
{
	json_t *error = json_null();

	if (err->code != 0) {
		error = json_error(err->reason);
		json_object_set_new(error, "place", json_text_or_null(err->place));
	}
	return json_pack("{s:o, s:b, s:o, s:o}", "file", json_text(file), "valid", err->code == 0,
			 "profile", json_text_or_null(name), "error", error);
}

static int validate(const struct options *opt, struct err *err)
{
	static const char *const titles[] = { "FILE", "PROFILE", "RESULT", NULL };
	json_t *document = json_document("profile"), *files = json_array();
	CLEANUP(table_done) struct table table;
	int code = EXIT_DONE, rc;

	table_init(&table, titles);
	for (size_t i = 1; i < opt->arg_count; i++) {
		struct err problem = { 0 };
		const char *name = "";

		if (validate_file(opt->args[i], &name, &problem) < 0)
			code = EXIT_FAILED;
		if (problem.code != 0 && opt->output == OUTPUT_TABLE)
			err_print("sgw-init", &problem);
		table_row(&table, opt->args[i], name, problem.code ? "refused" : "valid", NULL);
		json_array_append_new(files, validation_json(opt->args[i], name, &problem));
	}
	json_object_set_new(document, "files", files);
	if (opt->output == OUTPUT_JSON) {
		rc = json_print(document, code == EXIT_DONE, stdout, err);
	} else {
		json_decref(document);
		rc = table_print(&table, stdout, err);
	}
	return rc < 0 ? rc : code;
}

static int with_wanted(const struct options *opt,
		       int (*run)(const struct options *opt, const struct wanted *wanted,
				  struct err *err),
		       struct err *err)
{
	struct paths paths = { .fd = -1 };
	struct wanted wanted = { 0 };
	int rc = paths_init(&paths, opt->root, err);

	if (rc == 0)
		rc = profiles_load(&wanted, &paths, opt, err);
	if (rc == 0)
		rc = run(opt, &wanted, err);
	wanted_done(&wanted);
	paths_done(&paths);
	return rc;
}

static int run_list(const struct options *opt, struct err *err)
{
	return with_wanted(opt, list, err);
}

static int run_show(const struct options *opt, struct err *err)
{
	return with_wanted(opt, show, err);
}

static int run_validate(const struct options *opt, struct err *err)
{
	if (opt->profiles || opt->sets)
		return err_set(err, ERR_USAGE,
			       "profile validate takes files alone, no --profile and no --set");
	return validate(opt, err);
}

static const struct verb {
	const char *name;
	size_t min, max; /* arguments after it */
	int (*run)(const struct options *opt, struct err *err);
} verbs[] = {
	{ "list", 0, 0, run_list },
	{ "show", 1, 1, run_show },
	{ "validate", 1, SIZE_MAX, run_validate },
};

static int run(const struct options *opt, struct err *err)
{
	for (size_t i = 0; opt->arg_count > 0 && i < ARRAY_LEN(verbs); i++) {
		size_t count = opt->arg_count - 1;

		if (strcmp(opt->args[0], verbs[i].name) == 0 && count >= verbs[i].min &&
		    count <= verbs[i].max)
			return verbs[i].run(opt, err);
	}
	return err_set(err, ERR_USAGE, "profile takes: list, show NAME, or validate FILE...");
}

const struct command command_profile = {
	.name = "profile",
	.args = "list|show NAME|validate FILE",
	.summary = "what is wanted, from where, and why; validate checks profile files",
	.options = OPT_ROOT | OPT_PROFILE | OPT_OUTPUT,
	.run = run,
};

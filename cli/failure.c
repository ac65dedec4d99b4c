/* SPDX-License-Identifier: MIT */
#include "failure.h"

#include <string.h>

#include "err.h"
#include "escape.h"
#include "report.h"

static void print_json(const char *command, const struct err *err, FILE *out)
{
	json_t *document = json_document(command), *error = json_error(err->reason);
	struct err ignored = { 0 };

	json_object_set_new(error, "place", json_text_or_null(err->place));
	json_object_set_new(document, "error", error);
	json_print(document, false, out, &ignored);
}

/* As an attribute's value holds it. */
static void print_attribute(const char *text, FILE *out)
{
	char shown[4 * ERR_REASON_MAX];

	escape_text(text, strlen(text), shown, sizeof(shown));
	for (const char *p = shown; *p; p++) {
		if (*p == '&')
			fputs("&amp;", out);
		else if (*p == '<')
			fputs("&lt;", out);
		else if (*p == '"')
			fputs("&quot;", out);
		else
			fputc(*p, out);
	}
}

static void print_junit(const char *command, const struct err *err, FILE *out)
{
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"sgw-init %s\" tests=\"1\" failures=\"1\">\n"
		" <testcase classname=\"sgw-init.%s\" name=\"",
		command, command);
	print_attribute(err->place[0] ? err->place : "this host", out);
	fputs("\">\n  <failure type=\"error\" message=\"", out);
	print_attribute(err->reason, out);
	fputs("\"/>\n </testcase>\n</testsuite>\n", out);
}

void failure_print(const char *command, enum output output, const struct err *err, FILE *out)
{
	if (output == OUTPUT_JSON && !json_printed())
		print_json(command, err, out);
	else if (output == OUTPUT_JUNIT)
		print_junit(command, err, out);
}

/* SPDX-License-Identifier: MIT */
#include "engine/schema.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "engine/schema_explain.h"
#include "err.h"
#include "templates.h"

/* What one reading needs to know while libxml2 calls back. */
struct reading {
	int doctype_line; /* 0 while there is none */
	int line; /* of the first validity error */
	char message[256];
};

void schema_free_doc(xmlDoc **doc)
{
	xmlFreeDoc(*doc);
}

/*
 * The parameter is a plain xmlError * up to libxml2 2.11 and a const one
 * since: cast where it is handed over, as the two are called alike.
 */
static void keep_first(void *ctx, const xmlError *error)
{
	struct reading *reading = ctx;

	if (reading->message[0] != '\0' || !error->message)
		return;
	reading->line = error->line;
	snprintf(reading->message, sizeof(reading->message), "%.*s",
		 (int)strcspn(error->message, "\n"), error->message);
}

static int validate(const struct template *schema, xmlDoc *doc, const char *file, struct err *err)
{
	struct reading reading = { 0 };
	xmlRelaxNGParserCtxt *parser =
		xmlRelaxNGNewMemParserCtxt((const char *)schema->data, (int)schema->len);
	xmlRelaxNG *grammar = parser ? xmlRelaxNGParse(parser) : NULL;
	xmlRelaxNGValidCtxt *validator = grammar ? xmlRelaxNGNewValidCtxt(grammar) : NULL;
	long line;
	int rc = -1;

	if (validator) {
		xmlRelaxNGSetValidStructuredErrors(validator, (xmlStructuredErrorFunc)keep_first,
						   &reading);
		rc = xmlRelaxNGValidateDoc(validator, doc);
	}
	xmlRelaxNGFreeValidCtxt(validator);
	xmlRelaxNGFree(grammar);
	xmlRelaxNGFreeParserCtxt(parser);
	if (rc == 0)
		return 0;
	if (rc < 0)
		return err_oom(err);
	line = schema_explain(schema, doc, err);
	if (line == 0) {
		err_set(err, EINVAL, "%s", reading.message);
		line = reading.line > 0 ? reading.line : 1;
	}
	return err_at(err, "%s:%ld", file, line);
}

static void refuse_doctype(void *ctx, const xmlChar *name, const xmlChar *public_id,
			   const xmlChar *system_id)
{
	xmlParserCtxt *parser = ctx;
	struct reading *reading = parser->_private;

	(void)name;
	(void)public_id;
	(void)system_id;
	reading->doctype_line = xmlSAX2GetLineNumber(parser);
	xmlStopParser(parser);
}

static int not_xml(xmlParserCtxt *parser, const struct reading *reading, const char *file,
		   struct err *err)
{
	const xmlError *error = xmlCtxtGetLastError(parser);
	const char *message = error && error->message ? error->message : "it is empty";

	if (reading->doctype_line > 0) {
		err_set(err, EINVAL,
			"a document type declaration is not allowed: remove <!DOCTYPE");
		return err_at(err, "%s:%d", file, reading->doctype_line);
	}
	if (error && error->code == XML_ERR_NO_MEMORY)
		return err_oom(err);
	err_set(err, EINVAL, "not well-formed XML: %.*s", (int)strcspn(message, "\n"), message);
	return err_at(err, "%s:%d", file, error && error->line > 0 ? error->line : 1);
}

static int parse(xmlDoc **doc, const char *bytes, size_t len, const char *file, struct err *err)
{
	struct reading reading = { 0 };
	xmlParserCtxt *parser = xmlNewParserCtxt();
	int rc = 0;

	if (!parser)
		return err_oom(err);
	parser->_private = &reading;
	parser->sax->internalSubset = refuse_doctype;
	*doc = xmlCtxtReadMemory(parser, bytes, (int)len, NULL, NULL,
				 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					 XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES);
	if (!*doc || reading.doctype_line > 0 || !xmlDocGetRootElement(*doc))
		rc = not_xml(parser, &reading, file, err);
	xmlFreeParserCtxt(parser);
	return rc;
}

int schema_read(xmlDoc **doc, const char *schema, const char *bytes, size_t len, const char *file,
		struct err *err)
{
	const struct template *rules = template_find(schema);
	int rc;

	*doc = NULL;
	if (!rules)
		return err_set(err, ENOENT, "the schema %s is not compiled in", schema);
	if (len > SCHEMA_BYTES_MAX) {
		err_set(err, EFBIG, "has %zu bytes; a profile has %d at most", len,
			(int)SCHEMA_BYTES_MAX);
		return err_at(err, "%s", file);
	}
	xmlInitParser();
	rc = parse(doc, bytes, len, file, err);
	if (rc == 0)
		rc = validate(rules, *doc, file, err);
	if (rc < 0) {
		xmlFreeDoc(*doc);
		*doc = NULL;
	}
	return rc;
}

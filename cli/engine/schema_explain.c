/* SPDX-License-Identifier: MIT */
#include "engine/schema_explain.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/xmlregexp.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "engine/schema.h"
#include "err.h"
#include "number.h"
#include "templates.h"

static const char relaxng[] = "http://relaxng.org/ns/structure/1.0";

static void free_text(xmlChar **text)
{
	xmlFree(*text);
}

static const char *name_of(const xmlNode *node)
{
	return (const char *)node->name;
}

/*
 * Where a failing element stands in the schema is found again here, because
 * libxml2 says no more than "failed to validate attributes". The schema is a
 * tree of <element>, <attribute>, <text/> and <empty/>, each perhaps wrapped
 * in <optional> or <zeroOrMore>.
 */
struct pattern {
	xmlNode *node; /* <element>, <attribute>, <text>, <empty> */
	bool optional;
	bool repeats;
};

static xmlNode *next_pattern(xmlNode *node, struct pattern *pattern)
{
	for (; node; node = node->next) {
		if (node->type != XML_ELEMENT_NODE || !node->ns ||
		    strcmp((const char *)node->ns->href, relaxng) != 0)
			continue;
		pattern->repeats = strcmp(name_of(node), "zeroOrMore") == 0;
		pattern->optional = pattern->repeats || strcmp(name_of(node), "optional") == 0;
		pattern->node = pattern->optional ? xmlFirstElementChild(node) : node;
		return node;
	}
	return NULL;
}

#define FOR_EACH_PATTERN(step, pattern, parent)                                  \
	for (xmlNode *step = next_pattern((parent)->children, &(pattern)); step; \
	     step = next_pattern(step->next, &(pattern)))

static bool is_named(const struct pattern *pattern, const char *type, const char *name)
{
	CLEANUP(free_text) xmlChar *own = NULL;

	if (strcmp(name_of(pattern->node), type) != 0)
		return false;
	own = xmlGetProp(pattern->node, (const xmlChar *)"name");
	return own && strcmp((const char *)own, name) == 0;
}

/* "name, value, unit": what the schema's element may hold of that type. */
static void list_names(struct buf *out, xmlNode *schema, const char *type)
{
	struct pattern pattern;
	const char *separator = "";

	FOR_EACH_PATTERN(step, pattern, schema)
	{
		CLEANUP(free_text) xmlChar *name = NULL;

		if (strcmp(name_of(pattern.node), type) != 0)
			continue;
		name = xmlGetProp(pattern.node, (const xmlChar *)"name");
		buf_addf(out, "%s%s", separator, name ? (const char *)name : "");
		separator = ", ";
	}
	if (separator[0] == '\0')
		buf_adds(out, strcmp(type, "element") == 0 ? "no element" : "none");
}

static xmlNode *child_named(xmlNode *node, const char *name)
{
	xmlNode *child = xmlFirstElementChild(node);

	while (child && strcmp(name_of(child), name) != 0)
		child = xmlNextElementSibling(child);
	return child;
}

/* What an attribute's pattern asks for: its documentation, or the words to choose from. */
static void list_expected(struct buf *out, xmlNode *attribute)
{
	xmlNode *documentation = child_named(attribute, "documentation");
	xmlNode *choice = child_named(attribute, "choice");
	const char *separator = "one of ";

	if (documentation) {
		CLEANUP(free_text) xmlChar *text = xmlNodeGetContent(documentation);

		buf_adds(out, text ? (const char *)text : "");
		return;
	}
	for (xmlNode *word = choice ? xmlFirstElementChild(choice) : NULL; word;
	     word = xmlNextElementSibling(word)) {
		CLEANUP(free_text) xmlChar *text = xmlNodeGetContent(word);

		buf_addf(out, "%s%s", separator, text ? (const char *)text : "");
		separator = ", ";
	}
}

static bool choice_has(xmlNode *choice, const char *value)
{
	for (xmlNode *word = xmlFirstElementChild(choice); word;
	     word = xmlNextElementSibling(word)) {
		CLEANUP(free_text) xmlChar *text = xmlNodeGetContent(word);

		if (text && strcmp((const char *)text, value) == 0)
			return true;
	}
	return false;
}

static bool param_allows(xmlNode *param, const char *value)
{
	CLEANUP(free_text) xmlChar *name = xmlGetProp(param, (const xmlChar *)"name");
	CLEANUP(free_text) xmlChar *text = xmlNodeGetContent(param);
	int length = xmlUTF8Strlen((const xmlChar *)value);
	struct err unused = { 0 };
	uint32_t limit = 0;

	if (!name || !text)
		return true;
	if (strcmp((const char *)name, "pattern") == 0) {
		xmlRegexp *regexp = xmlRegexpCompile(text);
		bool fits = !regexp || xmlRegexpExec(regexp, (const xmlChar *)value) == 1;

		xmlRegFreeRegexp(regexp);
		return fits;
	}
	if (parse_u32((const char *)text, 0, UINT32_MAX, &limit, &unused) < 0)
		return true;
	if (strcmp((const char *)name, "minLength") == 0)
		return length >= (int)limit;
	return strcmp((const char *)name, "maxLength") != 0 || length <= (int)limit;
}

static bool data_allows(xmlNode *data, const char *value)
{
	CLEANUP(free_text) xmlChar *type = xmlGetProp(data, (const xmlChar *)"type");
	struct err unused = { 0 };
	uint32_t number;

	if (type && strcmp((const char *)type, "unsignedInt") == 0 &&
	    parse_u32(value, 0, UINT32_MAX, &number, &unused) < 0)
		return false;
	for (xmlNode *param = xmlFirstElementChild(data); param;
	     param = xmlNextElementSibling(param)) {
		if (!param_allows(param, value))
			return false;
	}
	return true;
}

static bool value_fits(xmlNode *attribute, const char *value)
{
	xmlNode *choice = child_named(attribute, "choice");
	xmlNode *data = child_named(attribute, "data");

	return (!choice || choice_has(choice, value)) && (!data || data_allows(data, value));
}

/* Each of these says what is wrong and returns its line, or finds nothing and returns 0. */

static long explain_unknown_attribute(xmlNode *schema, xmlNode *element, struct err *err)
{
	for (xmlAttr *attr = element->properties; attr; attr = attr->next) {
		CLEANUP(buf_done) struct buf names = { 0 };
		struct pattern pattern;
		bool known = false;

		FOR_EACH_PATTERN(step, pattern, schema)
		{
			known = known || (!attr->ns && is_named(&pattern, "attribute",
								(const char *)attr->name));
		}
		if (known)
			continue;
		list_names(&names, schema, "attribute");
		err_set(err, EINVAL, "<%s> has no attribute '%s': it takes %s", name_of(element),
			(const char *)attr->name, buf_text(&names));
		return xmlGetLineNo(element);
	}
	return 0;
}

static long explain_attributes(xmlNode *schema, xmlNode *element, struct err *err)
{
	struct pattern pattern;

	FOR_EACH_PATTERN(step, pattern, schema)
	{
		CLEANUP(free_text) xmlChar *name = NULL, *value = NULL;
		CLEANUP(buf_done) struct buf expected = { 0 };

		if (strcmp(name_of(pattern.node), "attribute") != 0)
			continue;
		name = xmlGetProp(pattern.node, (const xmlChar *)"name");
		value = name ? xmlGetNoNsProp(element, name) : NULL;
		if (value ? value_fits(pattern.node, (const char *)value) : pattern.optional)
			continue;
		list_expected(&expected, pattern.node);
		if (!value)
			err_set(err, EINVAL, "<%s> lacks the attribute '%s': expected %s",
				name_of(element), (const char *)name, buf_text(&expected));
		else
			err_set(err, EINVAL, "%s='%.64s' in <%s>: expected %s", (const char *)name,
				(const char *)value, name_of(element), buf_text(&expected));
		return xmlGetLineNo(element);
	}
	return explain_unknown_attribute(schema, element, err);
}

static long explain_element(xmlNode *schema, xmlNode *element, struct err *err);

/* One child against the patterns from *at on, since they come in order; *at moves to its own. */
static long explain_child(xmlNode *schema, xmlNode *child, xmlNode **at, struct err *err)
{
	CLEANUP(buf_done) struct buf names = { 0 };
	struct pattern pattern;
	bool passed = *at == NULL; /* patterns before *at are passed over */
	bool known = false;

	FOR_EACH_PATTERN(step, pattern, schema)
	{
		passed = passed || step == *at;
		if (!is_named(&pattern, "element", name_of(child)))
			continue;
		known = true;
		if (!passed || (step == *at && !pattern.repeats))
			break;
		*at = step;
		return explain_element(pattern.node, child, err);
	}
	list_names(&names, schema, "element");
	if (known)
		err_set(err, EINVAL,
			"<%s> stands twice or too late in <%s>: expected %s, in this order",
			name_of(child), name_of(child->parent), buf_text(&names));
	else
		err_set(err, EINVAL, "<%s> does not belong in <%s>, which may hold %s",
			name_of(child), name_of(child->parent), buf_text(&names));
	return xmlGetLineNo(child);
}

static long explain_element(xmlNode *schema, xmlNode *element, struct err *err)
{
	xmlNode *at = NULL;
	long line;

	if (element->ns) {
		err_set(err, EINVAL, "<%s> is in the namespace '%.64s'; expected is none",
			name_of(element), (const char *)element->ns->href);
		return xmlGetLineNo(element);
	}
	line = explain_attributes(schema, element, err);
	for (xmlNode *child = element->children; child && line == 0; child = child->next) {
		if (child->type == XML_ELEMENT_NODE) {
			line = explain_child(schema, child, &at, err);
		} else if (child->type == XML_TEXT_NODE && !xmlIsBlankNode(child) &&
			   !child_named(schema, "text")) {
			err_set(err, EINVAL, "text does not belong in <%s>", name_of(element));
			line = xmlGetLineNo(element);
		}
	}
	return line;
}

long schema_explain(const struct template *schema, xmlDoc *doc, struct err *err)
{
	CLEANUP(schema_free_doc)
	xmlDoc *rules = xmlReadMemory((const char *)schema->data, (int)schema->len, NULL, NULL,
				      XML_PARSE_NONET);
	xmlNode *rule = rules ? xmlDocGetRootElement(rules) : NULL;
	xmlNode *root = xmlDocGetRootElement(doc);
	struct pattern top = { .node = rule };
	CLEANUP(free_text) xmlChar *name = NULL;

	if (!rule)
		return 0;
	if (is_named(&top, "element", name_of(root)))
		return explain_element(rule, root, err);
	name = xmlGetProp(rule, (const xmlChar *)"name");
	err_set(err, EINVAL, "the outermost element is <%s>; expected <%s>", name_of(root),
		name ? (const char *)name : "");
	return xmlGetLineNo(root);
}

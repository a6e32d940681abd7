/* SPDX-License-Identifier: MIT */
/*
 * cuid.c - a configuration unique id from a file
 */
#include "client/cuid.h"

#include <string.h>

#include <yaml.h>

#include "client/failure.h"
#include "client/input.h"
#include "protocol/encoding.h"

enum {
	DEPTH = 8,	/* levels of mappings that are looked into */
	VISITS = 65536, /* an alias can stand for much */
};

typedef struct {
	yaml_document_t *document;
	guint visits;
} Search;

static yaml_node_t *node_at(const Search *search, int index)
{
	return yaml_document_get_node(search->document, index);
}

static gboolean is_key(const yaml_node_t *node, const char *name)
{
	return node && node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(name) &&
	       memcmp(node->data.scalar.value, name, strlen(name)) == 0;
}

/* The value of the entry; NULL: there is none. A mapping's own entry comes before those within its
 * values, and these in their order, as pvsecret looks for it. */
static yaml_node_t *find(Search *search, yaml_node_t *node, guint depth)
{
	if (!node || node->type != YAML_MAPPING_NODE || depth >= DEPTH)
		return NULL;
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++)
		if (is_key(node_at(search, pair->key), "cuid"))
			return node_at(search, pair->value);
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *found = NULL;

		if (++search->visits > VISITS)
			return NULL;
		found = find(search, node_at(search, pair->value), depth + 1);
		if (found)
			return found;
	}
	return NULL;
}

/* What is wrong; NULL: nothing. */
static const char *take(yaml_document_t *document, guint8 cuid[PVS_CUID_SIZE])
{
	Search search = {.document = document};
	yaml_node_t *root = yaml_document_get_root_node(document);
	yaml_node_t *node = root;
	g_autofree char *text = NULL;

	if (root && root->type != YAML_SCALAR_NODE)
		node = find(&search, root, 0);
	if (!node || node->type != YAML_SCALAR_NODE)
		return "has neither 16 bytes nor an entry cuid in YAML";
	text = g_strndup((const char *)node->data.scalar.value, node->data.scalar.length);
	/* As with --cuid-hex; pvattest writes 0x. */
	if (!pvs_hex_decode(g_str_has_prefix(text, "0x") ? text + 2 : text, cuid, PVS_CUID_SIZE))
		return "its cuid is not 32 hexadecimal digits, with or without 0x before them";
	return NULL;
}

gboolean pvs_cuid_read(const char *path, const char *label, guint8 cuid[PVS_CUID_SIZE],
		       GError **error)
{
	g_autoptr(GBytes) bytes = pvs_input_read(path, label, error);
	const char *wrong = "has neither 16 bytes nor an entry cuid in YAML";
	yaml_parser_t parser;
	yaml_document_t document;
	const guint8 *data;
	gsize size;

	if (!bytes)
		return FALSE;
	data = g_bytes_get_data(bytes, &size);
	if (size == PVS_CUID_SIZE) {
		memcpy(cuid, data, size);
		return TRUE;
	}
	if (!yaml_parser_initialize(&parser))
		g_error("out of memory");
	yaml_parser_set_input_string(&parser, data, size);
	if (yaml_parser_load(&parser, &document)) {
		wrong = take(&document, cuid);
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return !wrong || pvs_failure(error, PVS_EXIT_FAILED,
				     "give the file that pvattest wrote for this guest, or the "
				     "digits themselves with --cuid-hex",
				     "%s: %s", label, wrong);
}

/* SPDX-License-Identifier: MIT */
/*
 * jsonrpc.c - the envelope of JSON-RPC 2.0
 */
#include "protocol/jsonrpc.h"

#include <string.h>

#include "protocol/error.h"

void pvs_rpc_call_clear(PvsRpcCall *call)
{
	g_clear_pointer(&call->id, g_free);
	g_clear_pointer(&call->method, g_free);
	g_clear_pointer(&call->params, json_object_unref);
}

JsonNode *pvs_rpc_parse(const char *text, gsize size, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	JsonNode *root = NULL;

	if (json_parser_load_from_data(parser, text, (gssize)size, NULL))
		root = json_parser_steal_root(parser);
	if (!root)
		pvs_fail(error, PVS_ERROR_PARSE, NULL, NULL);
	return root;
}

/* Compact JSON of @node. */
static char *generate(JsonNode *node)
{
	g_autoptr(JsonGenerator) generator = json_generator_new();

	json_generator_set_root(generator, node);
	return json_generator_to_data(generator, NULL);
}

/* The id as JSON text; NULL if it may not be one. */
static char *read_id(JsonNode *node)
{
	GType type;

	if (JSON_NODE_HOLDS_NULL(node))
		return g_strdup("null");
	if (!JSON_NODE_HOLDS_VALUE(node))
		return NULL;
	type = json_node_get_value_type(node);
	if (type == G_TYPE_INT64)
		return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
	if (type == G_TYPE_STRING && strlen(json_node_get_string(node)) <= PVS_RPC_ID_MAX)
		return generate(node);
	return NULL;
}

static gboolean is_string(JsonNode *node)
{
	return node && JSON_NODE_HOLDS_VALUE(node) &&
	       json_node_get_value_type(node) == G_TYPE_STRING;
}

/* Absent, null, [] and {} are no parameters; [{...}] is what some clients make of {...}. */
static gboolean read_params(JsonNode *node, JsonObject **params, GError **error)
{
	JsonArray *array;
	guint n;

	if (!node || JSON_NODE_HOLDS_NULL(node)) {
		*params = json_object_new();
		return TRUE;
	}
	if (JSON_NODE_HOLDS_OBJECT(node)) {
		*params = json_node_dup_object(node);
		return TRUE;
	}
	if (!JSON_NODE_HOLDS_ARRAY(node))
		return pvs_fail(error, PVS_ERROR_PARAMS, NULL, NULL);
	array = json_node_get_array(node);
	n = json_array_get_length(array);
	if (n == 0) {
		*params = json_object_new();
		return TRUE;
	}
	if (n == 1 && JSON_NODE_HOLDS_OBJECT(json_array_get_element(array, 0))) {
		*params = json_object_ref(json_array_get_object_element(array, 0));
		return TRUE;
	}
	return pvs_fail(error, PVS_ERROR_PARAMS_BY_NAME, NULL, NULL);
}

gboolean pvs_rpc_read(JsonNode *node, PvsRpcCall *call, GError **error)
{
	g_auto(PvsRpcCall) found = {.id = NULL};
	JsonObject *object;
	JsonNode *version, *method, *id;
	gboolean good;

	*call = (PvsRpcCall){.id = NULL};
	if (!JSON_NODE_HOLDS_OBJECT(node)) {
		call->id = g_strdup("null");
		return pvs_fail(error, PVS_ERROR_REQUEST, NULL, NULL);
	}
	object = json_node_get_object(node);
	id = json_object_get_member(object, "id");
	if (id) {
		found.id = read_id(id);
		if (!found.id) {
			call->id = g_strdup("null");
			return pvs_fail(error, PVS_ERROR_REQUEST_ID, NULL, NULL);
		}
	}
	/* What is not a call cannot be a notification: from here on an error is answered. */
	call->id = g_strdup(found.id ? found.id : "null");
	version = json_object_get_member(object, "jsonrpc");
	if (!is_string(version) || strcmp(json_node_get_string(version), "2.0") != 0)
		return pvs_fail(error, PVS_ERROR_REQUEST_VERSION, NULL, NULL);
	method = json_object_get_member(object, "method");
	if (!is_string(method))
		return pvs_fail(error, PVS_ERROR_REQUEST, NULL, NULL);
	/* And from here on it is one, where it has no id. */
	g_free(call->id);
	found.method = g_strdup(json_node_get_string(method));
	good = read_params(json_object_get_member(object, "params"), &found.params, error);
	*call = found;
	found = (PvsRpcCall){.id = NULL};
	return good;
}

/* Inside strings a brace behind a closing bracket is written as an escape, and so is every control
 * character: json-glib 1.6 leaves most of them as they are, which is no JSON (RFC 8259 section 7).
 */
static char *tame(char *text)
{
	g_autofree char *source = text;
	g_autoptr(GString) out = NULL;
	gboolean string = FALSE;
	gboolean control = FALSE;
	char before = '\0';

	/* The generator writes no white space: a control character is one of a string's. */
	for (const char *p = text; *p && !control; p++)
		control = (guchar)*p < 0x20;
	if (!control && !strstr(text, "}{") && !strstr(text, "]{"))
		return g_steal_pointer(&source);
	out = g_string_sized_new(strlen(text) + 64);
	for (const char *p = text; *p; p++) {
		if (string && *p == '\\' && p[1]) {
			g_string_append_len(out, p, 2);
			before = *++p;
			continue;
		}
		if (*p == '"')
			string = !string;
		if ((guchar)*p < 0x20)
			g_string_append_printf(out, "\\u%04x", (guint)(guchar)*p);
		else if (string && *p == '{' && (before == '}' || before == ']'))
			g_string_append(out, "\\u007b");
		else
			g_string_append_c(out, *p);
		before = *p;
	}
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static char *answer(const char *id, const char *kind, JsonNode *value)
{
	g_autofree char *text = generate(value);

	json_node_unref(value);
	return tame(g_strconcat("{\"jsonrpc\":\"2.0\",\"id\":", id, ",\"", kind, "\":", text, "}",
				NULL));
}

char *pvs_rpc_result(const char *id, JsonNode *result)
{
	return answer(id, "result", result);
}

char *pvs_rpc_error(const char *id, const GError *error, const char *const *expected)
{
	gboolean ours = error->domain == PVS_ERROR && error->code < PVS_ERROR_CONFIG;
	PvsError code = ours ? (PvsError)error->code : PVS_ERROR_INTERNAL;
	JsonObject *object = json_object_new();
	JsonObject *data = json_object_new();
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_object_set_string_member(data, "reason", pvs_error_reason(code));
	if (ours && pvs_error_param(error))
		json_object_set_string_member(data, "param", pvs_error_param(error));
	if (ours && pvs_error_name(error))
		json_object_set_string_member(data, "name", pvs_error_name(error));
	if (expected) {
		JsonArray *names = json_array_new();

		for (; *expected; expected++)
			json_array_add_string_element(names, *expected);
		json_object_set_array_member(data, "expected", names);
	}
	json_object_set_string_member(data, "hint", pvs_error_hint(code));
	json_object_set_int_member(object, "code", pvs_error_code(code));
	json_object_set_string_member(object, "message", pvs_error_sentence(code));
	json_object_set_object_member(object, "data", data);
	json_node_take_object(node, object);
	return answer(id, "error", node);
}

/* SPDX-License-Identifier: MIT */
/*
 * reply.c - one JSON-RPC answer, read strictly
 */
#include "client/reply.h"

#include <string.h>
#include <unistd.h>

#include "client/failure.h"
#include "client/text.h"

/* What is shown of a sentence that someone else wrote. */
enum { SENTENCE_MAX = 512 };

const PvsScannerLimits pvs_reply_limits = {
	.size = 2 * 1024 * 1024,
	.depth = 16,
	.tokens = 32768,
};

struct PvsReply {
	JsonParser *parser;
	JsonObject *result; /* within the parser's tree */
	JsonObject *error;
};

static JsonNode *member(JsonObject *object, const char *name, JsonNodeType type)
{
	JsonNode *node = object ? json_object_get_member(object, name) : NULL;

	return node && JSON_NODE_TYPE(node) == type ? node : NULL;
}

static const char *text_of(JsonNode *node)
{
	return node && json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node)
								       : NULL;
}

const char *pvs_member_text(JsonObject *object, const char *name)
{
	return text_of(member(object, name, JSON_NODE_VALUE));
}

gboolean pvs_member_int(JsonObject *object, const char *name, gint64 *value)
{
	JsonNode *node = member(object, name, JSON_NODE_VALUE);

	if (!node || json_node_get_value_type(node) != G_TYPE_INT64)
		return FALSE;
	*value = json_node_get_int(node);
	return TRUE;
}

gboolean pvs_member_true(JsonObject *object, const char *name)
{
	JsonNode *node = member(object, name, JSON_NODE_VALUE);

	return node && json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
	       json_node_get_boolean(node);
}

JsonObject *pvs_member_object(JsonObject *object, const char *name)
{
	JsonNode *node = member(object, name, JSON_NODE_OBJECT);

	return node ? json_node_get_object(node) : NULL;
}

JsonArray *pvs_member_array(JsonObject *object, const char *name)
{
	JsonNode *node = member(object, name, JSON_NODE_ARRAY);

	return node ? json_node_get_array(node) : NULL;
}

guint pvs_array_length(JsonArray *array)
{
	return array ? json_array_get_length(array) : 0;
}

static JsonNode *item(JsonArray *array, guint i, JsonNodeType type)
{
	JsonNode *node = i < pvs_array_length(array) ? json_array_get_element(array, i) : NULL;

	return node && JSON_NODE_TYPE(node) == type ? node : NULL;
}

JsonObject *pvs_item_object(JsonArray *array, guint i)
{
	JsonNode *node = item(array, i, JSON_NODE_OBJECT);

	return node ? json_node_get_object(node) : NULL;
}

const char *pvs_item_text(JsonArray *array, guint i)
{
	return text_of(item(array, i, JSON_NODE_VALUE));
}

gboolean pvs_item_int(JsonArray *array, guint i, gint64 *value)
{
	JsonNode *node = item(array, i, JSON_NODE_VALUE);

	if (!node || json_node_get_value_type(node) != G_TYPE_INT64)
		return FALSE;
	*value = json_node_get_int(node);
	return TRUE;
}

void pvs_reply_free(PvsReply *reply)
{
	if (!reply)
		return;
	g_clear_object(&reply->parser);
	g_free(reply);
}

JsonObject *pvs_reply_result(const PvsReply *reply)
{
	return reply->result;
}

JsonObject *pvs_reply_error(const PvsReply *reply)
{
	return reply->error;
}

/* What is wrong with it as an answer; NULL: nothing. */
static const char *fill(PvsReply *reply)
{
	JsonNode *root = json_parser_get_root(reply->parser);
	JsonObject *answer =
		root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
	gboolean has_result;
	gint64 id, code;

	if (!answer)
		return "it is not one object";
	if (g_strcmp0(pvs_member_text(answer, "jsonrpc"), "2.0") != 0)
		return "it does not say \"jsonrpc\": \"2.0\"";
	has_result = json_object_has_member(answer, "result");
	if (has_result == json_object_has_member(answer, "error"))
		return "it has not exactly one of the members result and error";
	reply->result = pvs_member_object(answer, "result");
	reply->error = pvs_member_object(answer, "error");
	if (has_result && !reply->result)
		return "its result is not an object";
	if (!has_result && (!pvs_member_int(reply->error, "code", &code) ||
			    !pvs_member_text(reply->error, "message")))
		return "its error is not a JSON-RPC error object";
	/* A text that cannot be read as a call is answered with the id null. */
	if (!has_result && member(answer, "id", JSON_NODE_NULL))
		return NULL;
	if (!pvs_member_int(answer, "id", &id) || id != PVS_CALL_ID)
		return "its id is not that of the call";
	return NULL;
}

PvsReply *pvs_reply_parse(const char *text, gsize size, GError **error)
{
	g_autoptr(PvsReply) reply = g_new0(PvsReply, 1);
	const char *wrong;

	reply->parser = json_parser_new_immutable();
	/* Its error text would quote the input: not used. */
	if (json_parser_load_from_data(reply->parser, text, (gssize)size, NULL))
		wrong = fill(reply);
	else
		wrong = "it cannot be read";
	if (wrong) {
		pvs_failure(error, PVS_EXIT_UNREACHABLE,
			    "check that pvsecretd listens there, of the version of this "
			    "pvsecretctl: pvsecretctl --version",
			    "the answer is not pvsecretd's: %s", wrong);
		return NULL;
	}
	return g_steal_pointer(&reply);
}

/* Where the daemon speaks of its parameters, the options of this program: how such a refusal begins
 * where the user wrote nothing that it could begin with, and what to do. NULL: as the daemon has
 * it.
 */
static const struct {
	gint64 code;
	const char *reason;
	const char *subject;
	const char *hint;
} in_options[] = {
	{-32001, "no-verify", NULL,
	 "leave out --no-verify, or ask the owner of this daemon for an [access] rule with "
	 "AllowNoVerify=yes"},
	{-32001, "cuid-required", "--cuid-hex",
	 "bind the request to one running guest with --cuid-hex or --cuid"},
	{-32602, "use-name", NULL, "leave out --use-name, or choose a name of at most 31 bytes"},
	{-32602, "user-certificate-missing", "--user-cert",
	 "give the certificate of the key that signed them: --user-cert FILE"},
};

/* What a refusal by the access rules is about, where the daemon names nothing; newly allocated. */
static char *subject_of(const PvsCall *call, gint64 code, const char *reason)
{
	if (code == -32001 && g_strcmp0(reason, "method") == 0)
		return g_strdup(pvs_call_method(call));
	for (gsize i = 0; i < G_N_ELEMENTS(in_options); i++)
		if (code == in_options[i].code && g_strcmp0(reason, in_options[i].reason) == 0)
			return g_strdup(in_options[i].subject);
	return NULL;
}

static const char *hint_in_options(gint64 code, const char *reason)
{
	for (gsize i = 0; i < G_N_ELEMENTS(in_options); i++)
		if (code == in_options[i].code && g_strcmp0(reason, in_options[i].reason) == 0)
			return in_options[i].hint;
	return NULL;
}

/* NULL where @name is that of something else. */
static const char *level_of(gint64 code, const char *name)
{
	static const char *const levels[] = {"signing-key", "intermediate", "root"};

	for (gsize i = 0; code == -32002 && i < G_N_ELEMENTS(levels); i++)
		if (g_strcmp0(name, levels[i]) == 0)
			return levels[i];
	return NULL;
}

gboolean pvs_reply_refused(const PvsReply *reply, const PvsCall *call, GError **error)
{
	JsonObject *data = pvs_member_object(reply->error, "data");
	const char *param = pvs_member_text(data, "param");
	const char *name = pvs_member_text(data, "name");
	const char *reason = pvs_member_text(data, "reason");
	const char *hint = pvs_member_text(data, "hint");
	const char *origin = param ? pvs_call_origin(call, param) : NULL;
	g_autofree char *message =
		pvs_text_show(pvs_member_text(reply->error, "message"), SENTENCE_MAX);
	g_autofree char *shown_hint = hint ? pvs_text_show(hint, SENTENCE_MAX) : NULL;
	g_autofree char *shown = NULL;
	const char *level;
	gint64 code = 0;

	pvs_member_int(reply->error, "code", &code);
	if (code == -32601 || (code == -32602 && g_strcmp0(reason, "unknown-parameter") == 0)) {
		shown = param ? pvs_text_show(param, SENTENCE_MAX) : NULL;
		return pvs_failure(
			error, PVS_EXIT_UNREACHABLE,
			"use the pvsecretctl that came with the daemon; after an upgrade "
			"systemctl restart pvsecretd starts the new one",
			"the daemon is of another version than this pvsecretctl "
			"(" PACKAGE_VERSION "): it does not know %s%s%s",
			pvs_call_method(call), shown ? " with the parameter " : "",
			shown ? shown : "");
	}
	/* What the user wrote comes first, as he wrote it; else what the daemon names. */
	if (!origin)
		shown = subject_of(call, code, reason);
	if (!origin && !shown)
		shown = name	? pvs_text_show(name, SENTENCE_MAX)
			: param ? pvs_text_show(param, SENTENCE_MAX)
				: NULL;
	hint = hint_in_options(code, reason);
	/* Which of the chain, where it is not the document. */
	level = origin ? level_of(code, name) : NULL;
	return pvs_failure(error, PVS_EXIT_FAILED, hint ? hint : shown_hint, "%s%s%s%s%s%s",
			   origin  ? origin
			   : shown ? shown
				   : "",
			   origin || shown ? ": " : "", message, level ? " (" : "",
			   level ? level : "", level ? ")" : "");
}

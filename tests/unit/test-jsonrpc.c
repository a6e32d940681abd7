/* SPDX-License-Identifier: MIT */
/*
 * test-jsonrpc.c - the envelope: what is a call, whom an error goes to, what an answer looks like
 */
#include "protocol/jsonrpc.h"

#include <string.h>

#include "protocol/error.h"
#include "protocol/scanner.h"

static void test_parse(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonNode) node = pvs_rpc_parse("[1]", 3, &error);
	const char *const bad[] = {"", " ", "{\"secret\":tru", "SECRETWORD"};

	g_assert_no_error(error);
	g_assert_true(JSON_NODE_HOLDS_ARRAY(node));
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_null(pvs_rpc_parse(bad[i], strlen(bad[i]), &error));
		g_assert_error(error, PVS_ERROR, PVS_ERROR_PARSE);
		/* json-glib would have quoted its input. */
		g_assert_cmpstr(error->message, ==, pvs_error_sentence(PVS_ERROR_PARSE));
		g_clear_error(&error);
	}
}

typedef struct {
	const char *text;
	PvsError code;	    /* PVS_ERROR_LAST_: it is a call */
	const char *id;	    /* NULL: is not answered */
	const char *method; /* where there is one */
	guint params;	    /* how many */
} Row;

#define HEAD "{\"jsonrpc\":\"2.0\","
#define GOOD PVS_ERROR_LAST_

static void test_read(void)
{
	static const Row rows[] = {
		{HEAD "\"id\":1,\"method\":\"m\"}", GOOD, "1", "m", 0},
		{"{\"method\":\"m\",\"id\":\"\",\"jsonrpc\":\"2.0\"}", GOOD, "\"\"", "m", 0},
		{HEAD "\"id\":null,\"method\":\"m\"}", GOOD, "null", "m", 0},
		{HEAD "\"id\":-5,\"method\":\"\",\"extra\":[1]}", GOOD, "-5", "", 0},
		{HEAD "\"id\":9223372036854775807,\"method\":\"m\"}", GOOD, "9223372036854775807",
		 "m", 0},
		{HEAD "\"id\":-9223372036854775808,\"method\":\"m\"}", GOOD, "-9223372036854775808",
		 "m", 0},
		{HEAD "\"id\":\"\\u00fc\\n\\\"\\\\/\",\"method\":\"m\"}", GOOD,
		 "\"\xc3\xbc\\n\\\"\\\\/\"", "m", 0},
		/* Notifications. */
		{HEAD "\"method\":\"m\"}", GOOD, NULL, "m", 0},
		{HEAD "\"method\":\"m\",\"params\":{\"a\":1,\"b\":2}}", GOOD, NULL, "m", 2},
		{HEAD "\"method\":\"m\",\"params\":[1]}", PVS_ERROR_PARAMS_BY_NAME, NULL, "m", 0},
		{HEAD "\"method\":\"m\",\"params\":\"\"}", PVS_ERROR_PARAMS, NULL, "m", 0},
		/* Parameters. */
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":null}", GOOD, "1", "m", 0},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":[]}", GOOD, "1", "m", 0},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":{}}", GOOD, "1", "m", 0},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":[{}]}", GOOD, "1", "m", 0},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":[{\"a\":[]}]}", GOOD, "1", "m", 1},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":[{},{}]}", PVS_ERROR_PARAMS_BY_NAME,
		 "1", "m", 0},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":[[]]}", PVS_ERROR_PARAMS_BY_NAME, "1",
		 "m", 0},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":[null]}", PVS_ERROR_PARAMS_BY_NAME, "1",
		 "m", 0},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":[\"a\"]}", PVS_ERROR_PARAMS_BY_NAME,
		 "1", "m", 0},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":7}", PVS_ERROR_PARAMS, "1", "m", 0},
		{HEAD "\"id\":1,\"method\":\"m\",\"params\":false}", PVS_ERROR_PARAMS, "1", "m", 0},
		/* No calls. */
		{"7", PVS_ERROR_REQUEST, "null", NULL, 0},
		{"[]", PVS_ERROR_REQUEST, "null", NULL, 0},
		{"\"a\"", PVS_ERROR_REQUEST, "null", NULL, 0},
		{"null", PVS_ERROR_REQUEST, "null", NULL, 0},
		{"{}", PVS_ERROR_REQUEST_VERSION, "null", NULL, 0},
		{"{\"id\":1,\"method\":\"m\"}", PVS_ERROR_REQUEST_VERSION, "1", NULL, 0},
		{"{\"jsonrpc\":\"2\",\"id\":1,\"method\":\"m\"}", PVS_ERROR_REQUEST_VERSION, "1",
		 NULL, 0},
		{"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"m\"}", PVS_ERROR_REQUEST_VERSION, "1",
		 NULL, 0},
		{"{\"jsonrpc\":null,\"method\":\"m\"}", PVS_ERROR_REQUEST_VERSION, "null", NULL, 0},
		{HEAD "\"id\":1}", PVS_ERROR_REQUEST, "1", NULL, 0},
		{HEAD "\"id\":1,\"method\":1}", PVS_ERROR_REQUEST, "1", NULL, 0},
		{HEAD "\"id\":\"x\",\"method\":null}", PVS_ERROR_REQUEST, "\"x\"", NULL, 0},
		{HEAD "\"method\":[\"m\"]}", PVS_ERROR_REQUEST, "null", NULL, 0},
		{HEAD "\"id\":1,\"result\":{}}", PVS_ERROR_REQUEST, "1", NULL, 0},
		{HEAD "\"id\":1.0,\"method\":\"m\"}", PVS_ERROR_REQUEST_ID, "null", NULL, 0},
		{HEAD "\"id\":true,\"method\":\"m\"}", PVS_ERROR_REQUEST_ID, "null", NULL, 0},
		{HEAD "\"id\":[1],\"method\":\"m\"}", PVS_ERROR_REQUEST_ID, "null", NULL, 0},
		{HEAD "\"id\":{},\"method\":\"m\"}", PVS_ERROR_REQUEST_ID, "null", NULL, 0},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const Row *row = &rows[i];
		g_autoptr(JsonNode) node = pvs_rpc_parse(row->text, strlen(row->text), NULL);
		g_auto(PvsRpcCall) call = {.id = NULL};
		g_autoptr(GError) error = NULL;
		gboolean good;

		g_test_message("%s", row->text);
		g_assert_nonnull(node);
		good = pvs_rpc_read(node, &call, &error);
		g_assert_cmpint(good, ==, row->code == GOOD);
		g_assert_cmpstr(call.id, ==, row->id);
		g_assert_cmpstr(call.method, ==, row->method);
		if (good)
			g_assert_cmpuint(json_object_get_size(call.params), ==, row->params);
		else
			g_assert_error(error, PVS_ERROR, (gint)row->code);
	}
}

/* Bytes of the string, not of how it was written. */
static void test_long_id(void)
{
	for (guint n = PVS_RPC_ID_MAX - 2; n <= PVS_RPC_ID_MAX; n += 2) {
		g_autofree char *filler = g_strnfill(n, 'a');
		g_autofree char *text =
			g_strdup_printf(HEAD "\"id\":\"%s\\u00fc\",\"method\":\"m\"}", filler);
		g_autoptr(JsonNode) node = pvs_rpc_parse(text, strlen(text), NULL);
		g_auto(PvsRpcCall) call = {.id = NULL};

		g_assert_cmpint(pvs_rpc_read(node, &call, NULL), ==, n + 2 <= PVS_RPC_ID_MAX);
		g_assert_cmpint(strcmp(call.id, "null") == 0, ==, n + 2 > PVS_RPC_ID_MAX);
	}
}

static JsonNode *text_node(const char *text)
{
	JsonNode *node = json_node_new(JSON_NODE_VALUE);

	json_node_set_string(node, text);
	return node;
}

static void test_result(void)
{
	static const char *const texts[] = {"}{",      "]{",   "}]{",	 "}}{{", "a}{b]{c",
					    "\"}{\"{", "\\}{", "\\\"]{", "{",	 "}",
					    "}\n{",    "\n",   "}\\{",	 ""};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autofree char *answer = pvs_rpc_result("\"x\"", text_node(texts[i]));
		g_autoptr(JsonNode) node = json_from_string(answer, NULL);
		JsonObject *object = json_node_get_object(node);

		g_assert_cmpstr(json_object_get_string_member(object, "jsonrpc"), ==, "2.0");
		g_assert_cmpstr(json_object_get_string_member(object, "id"), ==, "x");
		g_assert_cmpstr(json_object_get_string_member(object, "result"), ==, texts[i]);
		g_assert_null(strstr(answer, "}{"));
		g_assert_null(strstr(answer, "]{"));
		g_assert_null(strchr(answer, '\n'));
	}
	{
		g_autoptr(JsonNode) objects = json_from_string("[{},{\"a\":[[],{}]},{}]", NULL);
		g_autofree char *answer = pvs_rpc_result("7", g_steal_pointer(&objects));

		g_assert_cmpstr(answer, ==,
				"{\"jsonrpc\":\"2.0\",\"id\":7,"
				"\"result\":[{},{\"a\":[[],{}]},{}]}");
	}
}

/* json-glib 1.6 would leave them as they are, which is no JSON. */
static void test_control_characters(void)
{
	static const PvsScannerLimits limits = {.size = 4096, .depth = 4, .tokens = 64};
	char text[] = "a_b";

	for (char c = 1; c < 0x20; c++) {
		g_autoptr(PvsScanner) scanner = pvs_scanner_new(&limits);
		g_autofree char *answer = NULL;
		g_autoptr(JsonNode) node = NULL;
		PvsError error;
		gsize used;

		text[1] = c;
		answer = pvs_rpc_result("1", text_node(text));
		g_assert_cmpint(pvs_scanner_feed(scanner, (const guint8 *)answer, strlen(answer),
						 &used, &error),
				==, PVS_SCAN_TEXT);
		g_assert_cmpuint(used, ==, strlen(answer));
		node = json_from_string(answer, NULL);
		g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node), "result"),
				==, text);
	}
}

static void test_error(void)
{
	static const char *const names[] = {"a", "b", NULL};
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = NULL;
	g_autoptr(JsonNode) node = NULL;
	JsonObject *object, *data;

	pvs_fail(&error, PVS_ERROR_NO_CCK, "/cck", "prod");
	answer = pvs_rpc_error("null", error, names);
	node = json_from_string(answer, NULL);
	object = json_node_get_object(node);
	g_assert_true(json_object_get_null_member(object, "id"));
	g_assert_false(json_object_has_member(object, "result"));
	object = json_object_get_object_member(object, "error");
	g_assert_cmpint(json_object_get_int_member(object, "code"), ==, -32003);
	g_assert_cmpstr(json_object_get_string_member(object, "message"), ==,
			pvs_error_sentence(PVS_ERROR_NO_CCK));
	data = json_object_get_object_member(object, "data");
	g_assert_cmpstr(json_object_get_string_member(data, "reason"), ==, "cck");
	g_assert_cmpstr(json_object_get_string_member(data, "param"), ==, "/cck");
	g_assert_cmpstr(json_object_get_string_member(data, "name"), ==, "prod");
	g_assert_cmpstr(json_object_get_string_member(data, "hint"), ==,
			pvs_error_hint(PVS_ERROR_NO_CCK));
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(data, "expected")), ==,
			 2);
}

/* A text that was not made for clients stays here. */
static void test_foreign_error(void)
{
	static const struct {
		GQuark (*domain)(void);
		int code;
	} rows[] = {{g_file_error_quark, PVS_ERROR_NO_CCK},
		    {pvs_error_quark, PVS_ERROR_SYSTEM},
		    {pvs_error_quark, PVS_ERROR_CONFIG}};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error =
			g_error_new_literal(rows[i].domain(), rows[i].code, "/etc/SECRET");
		g_autofree char *answer = pvs_rpc_error("1", error, NULL);

		g_assert_nonnull(strstr(answer, "-32603"));
		g_assert_nonnull(strstr(answer, "\"reason\":\"internal\""));
		g_assert_null(strstr(answer, "SECRET"));
		g_assert_null(strstr(answer, "expected"));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/jsonrpc/parse", test_parse);
	g_test_add_func("/jsonrpc/read", test_read);
	g_test_add_func("/jsonrpc/long-id", test_long_id);
	g_test_add_func("/jsonrpc/result", test_result);
	g_test_add_func("/jsonrpc/control-characters", test_control_characters);
	g_test_add_func("/jsonrpc/error", test_error);
	g_test_add_func("/jsonrpc/foreign-error", test_foreign_error);
	return g_test_run();
}

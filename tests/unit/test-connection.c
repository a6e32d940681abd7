/* SPDX-License-Identifier: MIT */
/*
 * test-connection.c - what a client sends and gets: where a text ends, the envelope, batches
 *
 * The front is the real one, with its connections, parser and calls; see stage.h.
 */
#include <string.h>

#include "daemon/locked.h"
#include "daemon/role.h"
#include "protocol/error.h"
#include "tests/unit/stage-fixture.h"

static void expect_ping(Client *client, const char *id)
{
	g_autoptr(JsonObject) result = client_expect_result(client, id);

	g_assert_cmpuint(json_object_get_size(result), ==, 0);
}

/* ---- where a text ends ---- */

static void test_one_write(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *call = text_create("1", "host", NULL);
	const char *const behind[] = {"", "\n", "\r\n", " \t\r\n \n"};

	for (gsize i = 0; i < G_N_ELEMENTS(behind); i++) {
		g_autofree char *text = g_strconcat(behind[i], call, behind[i], NULL);
		g_autoptr(JsonObject) result = NULL;

		client_send(f->client, text);
		result = client_expect_result(f->client, "1");
		g_assert_true(json_object_has_member(result, "request"));
	}
	g_assert_true(client_silent(f->client));
	g_assert_cmpuint(f->stage.builds, ==, G_N_ELEMENTS(behind));
	client_send(f->client, "   \n\n\t\r");
	g_assert_true(client_silent(f->client));
}

static void test_byte_at_a_time(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *call = text_create("\"one by one\"", "host", NULL);
	g_autoptr(JsonObject) result = NULL;

	for (const char *p = call; *p; p++) {
		g_assert_true(client_silent(f->client));
		client_bytes(f->client, p, 1);
	}
	result = client_expect_result(f->client, "\"one by one\"");
	g_assert_cmpuint(f->stage.builds, ==, 1);
}

static void test_three_in_one_write(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	client_send(f->client, PING("1") PING("2") PING("3"));
	expect_ping(f->client, "1");
	expect_ping(f->client, "2");
	expect_ping(f->client, "3");
	g_assert_true(client_silent(f->client));

	/* Two and a half, then the rest. */
	client_send(f->client, PING("4") "\n" PING("5") "{\"jsonrpc\":\"2.0\",\"id\":6,");
	expect_ping(f->client, "4");
	expect_ping(f->client, "5");
	g_assert_true(client_silent(f->client));
	client_send(f->client, "\"method\":\"ping\"}");
	expect_ping(f->client, "6");
}

static void test_pretty_printed(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	client_send(f->client, "{\r\n\t\"id\" : 1 ,\r\n\t\"params\" : {\r\n\t} ,\r\n"
			       "\t\"method\" : \"ping\" ,\r\n\t\"jsonrpc\" : \"2.0\"\r\n}\r\n");
	expect_ping(f->client, "1");
	g_assert_true(client_silent(f->client));
}

static void test_half_close(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *call = text_create("1", "host", NULL);
	g_autoptr(JsonObject) result = NULL;

	/* The answer is not there yet when the end of the stream is. */
	f->stage.trust.waits = TRUE;
	client_send(f->client, call);
	client_finish(f->client);
	g_assert_true(client_silent(f->client));
	stage_answer(&f->stage, &f->stage.trust);
	result = client_expect_result(f->client, "1");
	g_assert_true(client_over(f->client));
}

static void test_half_a_text(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *call = text_create("1", "host", NULL);

	client_bytes(f->client, call, strlen(call) - 1);
	client_finish(f->client);
	g_assert_true(client_over(f->client));
	g_assert_cmpuint(f->stage.verifies, ==, 0);
	g_assert_cmpuint(f->stage.closed, ==, 1);
}

static void test_garbage(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	client_send(f->client, PING("1") " word {\"a\":1}" PING("2") "\n" PING("3"));
	expect_ping(f->client, "1");
	client_expect_error(f->client, "null", PVS_ERROR_PARSE_GARBAGE, NULL);
	expect_ping(f->client, "3");
	g_assert_true(client_silent(f->client));

	client_send(f->client, "GE"); /* might still become HTTP */
	g_assert_true(client_silent(f->client));
	client_finish(f->client);
	client_expect_error(f->client, "null", PVS_ERROR_PARSE_GARBAGE, NULL);
	g_assert_true(client_over(f->client));
}

static void test_not_json(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *text;
		PvsError code;
	} rows[] = {
		{"{\"a\" 1}\n", PVS_ERROR_PARSE},
		{"[1,]\n", PVS_ERROR_PARSE},
		{"{'a':1}\n", PVS_ERROR_PARSE},
		{"{\"a\":010}\n", PVS_ERROR_PARSE},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"ping\"}\n",
		 PVS_ERROR_PARSE_DUPLICATE},
		{"{\"method\":\"ping\",\"\\u006dethod\":\"ping\"}\n", PVS_ERROR_PARSE_DUPLICATE},
		{"{\"a\":\"\xff\"}\n", PVS_ERROR_PARSE_UTF8},
		{"{\"a\":\"\\u0000\"}\n", PVS_ERROR_PARSE_NUL},
		{"{\"a\":18446744073709551615}\n", PVS_ERROR_PARSE_NUMBER},
		{"{\"a\":1e999}\n", PVS_ERROR_PARSE_NUMBER},
		{"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\n", PVS_ERROR_TOO_DEEP},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		client_send(f->client, rows[i].text);
		client_expect_error(f->client, "null", rows[i].code, NULL);
		g_assert_true(client_silent(f->client));
		client_expect_ping(f->client);
	}
}

static void test_bombs(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < 100000; i++)
		g_string_append(text, "{\"a\":");
	g_string_append_c(text, '1');
	for (guint i = 0; i < 100000; i++)
		g_string_append_c(text, '}');
	client_send(f->client, text->str);
	client_expect_error(f->client, "null", PVS_ERROR_TOO_DEEP, NULL);
	client_expect_ping(f->client);

	g_string_assign(text, "[0");
	for (guint i = 0; i < 5000; i++)
		g_string_append(text, ",0");
	g_string_append_c(text, ']');
	client_send(f->client, text->str);
	client_expect_error(f->client, "null", PVS_ERROR_TOO_MANY_TOKENS, NULL);
	client_expect_ping(f->client);
}

static void test_http(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	client_send(f->client, "POST / HTTP/1.1\r\nHost: me\r\n\r\n" PING("1"));
	client_expect_error(f->client, "null", PVS_ERROR_HTTP, NULL);
	g_assert_true(client_over(f->client));
}

static void test_too_large(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *spaces = g_strnfill(16384 - strlen(PING("1")) - 5, ' ');
	g_autofree char *call = text_create("5", "host", NULL);
	g_autofree char *most = NULL, *more = NULL;
	g_autoptr(JsonObject) result = NULL;

	/* White space between texts does not count, inside it does. */
	most = g_strconcat("     {", spaces, "     ", REST("1"), NULL);
	client_send(f->client, most);
	expect_ping(f->client, "1");
	f->stage.trust.waits = TRUE;
	client_send(f->client, call);
	more = g_strconcat("{ ", spaces, "     ", REST("1"), NULL);
	client_send(f->client, more);
	client_expect_error(f->client, "null", PVS_ERROR_TOO_LARGE, NULL);
	/* What was asked before is still answered, then it is closed. */
	g_assert_true(client_silent(f->client));
	stage_answer(&f->stage, &f->stage.trust);
	result = client_expect_result(f->client, "5");
	g_assert_true(client_over(f->client));
}

/* ---- the envelope ---- */

static void test_ids(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const good[] = {
		"0",	"-1",		"9223372036854775807", "-9223372036854775808",
		"\"\"", "\"\xc3\xbc\"", "\"a\\tb\\\"\\\\\"",   "null"};
	static const char *const bad[] = {"1.5", "1e2", "true", "[]", "{}", "[\"a\"]"};
	g_autofree char *longest = g_strnfill(128, 'a');

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *text = g_strdup_printf(PING("%s"), good[i]);

		client_send(f->client, text);
		expect_ping(f->client, good[i]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *text = g_strdup_printf(PING("%s"), bad[i]);

		client_send(f->client, text);
		client_expect_error(f->client, "null", PVS_ERROR_REQUEST_ID, NULL);
	}
	for (guint n = 0; n <= 1; n++) {
		g_autofree char *id = g_strdup_printf("\"%s%s\"", longest, n ? "a" : "");
		g_autofree char *text = g_strdup_printf(PING("%s"), id);

		client_send(f->client, text);
		if (n)
			client_expect_error(f->client, "null", PVS_ERROR_REQUEST_ID, NULL);
		else
			expect_ping(f->client, id);
	}
}

/* Whoever looks for "}{" to tell texts apart must not find it in a string. */
static void test_no_seam_in_a_line(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *line = NULL;
	g_autoptr(JsonNode) node = NULL;

	client_send(f->client, PING("\"}{ }]{ ]{ \\\\}{\""));
	line = client_line(f->client);
	g_assert_null(strstr(line, "}{"));
	g_assert_null(strstr(line, "]{"));
	node = json_from_string(line, NULL);
	g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node), "id"), ==,
			"}{ }]{ ]{ \\}{");
}

static void test_notifications(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *call = text_create(NULL, "host", NULL);

	client_send(f->client, "{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}"
			       "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}"
			       "{\"jsonrpc\":\"2.0\",\"method\":\"create_association\"}"
			       "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"params\":[1]}"
			       "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"params\":7}");
	client_send(f->client, call);
	g_assert_true(client_silent(f->client));
	/* It is not answered, but done. */
	g_assert_cmpuint(f->stage.builds, ==, 1);
	/* What is no call is no notification. */
	client_send(f->client, "{\"jsonrpc\":\"2.0\",\"method\":1}");
	client_expect_error(f->client, "null", PVS_ERROR_REQUEST, NULL);
	client_send(f->client, "{\"method\":\"ping\"}");
	client_expect_error(f->client, "null", PVS_ERROR_REQUEST_VERSION, NULL);
}

static void expect_names(Client *client, PvsError code, const char *first, guint n)
{
	g_autoptr(JsonObject) answer = client_answer(client);
	JsonObject *error = json_object_get_object_member(answer, "error");
	JsonObject *data = json_object_get_object_member(error, "data");
	JsonArray *names = json_object_get_array_member(data, "expected");

	g_assert_cmpstr(json_object_get_string_member(data, "reason"), ==, pvs_error_reason(code));
	g_assert_cmpuint(json_array_get_length(names), ==, n);
	if (n > 0)
		g_assert_cmpstr(json_array_get_string_element(names, 0), ==, first);
}

static void test_params(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const none[] = {"", ",\"params\":null", ",\"params\":[]",
					   ",\"params\":{}", ",\"params\":[{}]"};
	static const char *const by_position[] = {"[1]", "[\"a\",{}]", "[{},{}]", "[[]]", "[null]"};

	for (gsize i = 0; i < G_N_ELEMENTS(none); i++) {
		g_autofree char *text = g_strdup_printf(
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"%s}", none[i]);

		client_send(f->client, text);
		expect_ping(f->client, "1");
	}
	for (gsize i = 0; i < G_N_ELEMENTS(by_position); i++) {
		g_autofree char *text = g_strdup_printf(
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"verify_host_key\","
			"\"params\":%s}",
			by_position[i]);

		client_send(f->client, text);
		expect_names(f->client, PVS_ERROR_PARAMS_BY_NAME, "host_key_document", 3);
	}
	client_send(f->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[1]}");
	expect_names(f->client, PVS_ERROR_PARAMS_BY_NAME, NULL, 0);
	client_send(f->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no\",\"params\":[1]}");
	client_expect_error(f->client, "1", PVS_ERROR_METHOD, NULL);
	client_send(f->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no\",\"params\":{}}");
	client_expect_error(f->client, "1", PVS_ERROR_METHOD, NULL);
	client_send(f->client,
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":\"\"}");
	client_expect_error(f->client, "1", PVS_ERROR_PARAMS, NULL);
	client_send(f->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list_ccks\","
			       "\"params\":{\"word\":1}}");
	expect_names(f->client, PVS_ERROR_PARAM_UNKNOWN, NULL, 0);
	/* What else the object has is nobody's business. */
	client_send(f->client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"more\":{}}");
	expect_ping(f->client, "1");
}

/* ---- batches ---- */

static void test_batch(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *call = text_create("1", "host", NULL);
	g_autofree char *batch = g_strdup_printf(
		"[%s,{\"jsonrpc\":\"2.0\",\"method\":\"ping\"},7,"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"nothing\"},[]," PING("3") "]",
		call);
	g_autofree char *line = NULL;
	g_autoptr(JsonNode) node = NULL;
	JsonArray *answers;
	guint seen = 0;

	f->stage.trust.waits = TRUE;
	client_send(f->client, batch);
	/* One line, when all are done. */
	g_assert_true(client_silent(f->client));
	stage_answer(&f->stage, &f->stage.trust);
	line = client_line(f->client);
	g_assert_nonnull(line);
	g_assert_true(client_silent(f->client));
	node = json_from_string(line, NULL);
	answers = json_node_get_array(node);
	g_assert_cmpuint(json_array_get_length(answers), ==, 5);
	for (guint i = 0; i < 5; i++) {
		JsonObject *answer = json_array_get_object_element(answers, i);
		gboolean good = json_object_has_member(answer, "result");

		if (json_object_get_null_member(answer, "id")) {
			g_assert_false(good);
			seen += 1;
		} else if (json_object_get_int_member(answer, "id") == 2) {
			g_assert_false(good);
			seen += 10;
		} else {
			g_assert_true(good);
			seen += 100;
		}
	}
	g_assert_cmpuint(seen, ==, 212);
}

static void test_batch_limits(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *line = NULL;

	client_send(f->client, "[]");
	client_expect_error(f->client, "null", PVS_ERROR_REQUEST_EMPTY_BATCH, NULL);
	client_send(f->client, "[" PING("1") "," PING("2") "," PING("3") "]");
	line = client_line(f->client);
	g_assert_cmpstr(line, ==,
			"[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},"
			"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}},"
			"{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{}}]");
	client_send(f->client, "[" PING("1") "," PING("2") "," PING("3") "," PING("4") "]");
	client_expect_error(f->client, "null", PVS_ERROR_TOO_MANY_CALLS, NULL);
	client_send(f->client, "[{\"jsonrpc\":\"2.0\",\"method\":\"ping\"},"
			       "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}]");
	g_assert_true(client_silent(f->client));
	client_expect_ping(f->client);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		gboolean small;
		void (*test)(Fixture *f, gconstpointer data);
	} rows[] = {
		{"/connection/one-write", FALSE, test_one_write},
		{"/connection/byte-at-a-time", FALSE, test_byte_at_a_time},
		{"/connection/three-in-one-write", FALSE, test_three_in_one_write},
		{"/connection/pretty-printed", FALSE, test_pretty_printed},
		{"/connection/half-close", FALSE, test_half_close},
		{"/connection/half-a-text", FALSE, test_half_a_text},
		{"/connection/garbage", FALSE, test_garbage},
		{"/connection/not-json", FALSE, test_not_json},
		{"/connection/bombs", FALSE, test_bombs},
		{"/connection/http", FALSE, test_http},
		{"/connection/too-large", TRUE, test_too_large},
		{"/connection/ids", FALSE, test_ids},
		{"/connection/no-seam-in-a-line", FALSE, test_no_seam_in_a_line},
		{"/connection/notifications", FALSE, test_notifications},
		{"/connection/params", FALSE, test_params},
		{"/connection/batch", FALSE, test_batch},
		{"/connection/batch-limits", TRUE, test_batch_limits},
	};
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	if (!pvs_locked_init(pvs_role_front.locked_size, &error))
		g_error("%s", error->message);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_test_add(rows[i].name, Fixture, NULL,
			   rows[i].small ? fixture_set_up_small : fixture_set_up, rows[i].test,
			   fixture_tear_down);
	return g_test_run();
}

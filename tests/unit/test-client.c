/* SPDX-License-Identifier: MIT */
/*
 * test-client.c - what pvsecretctl sends, what it believes of an answer, what it shows
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "client/call.h"
#include "client/failure.h"
#include "client/output.h"
#include "client/reply.h"
#include "client/secret.h"
#include "client/text.h"
#include "client/unreachable.h"

static void test_text(void)
{
	static const struct {
		const char *bytes;
		gsize max;
		const char *shown;
	} rows[] = {
		{"plain text", 0, "plain text"},
		{"", 0, ""},
		{"Schl\303\274ssel \345\257\206", 0, "Schl\303\274ssel \345\257\206"},
		{"\033[31mred\033]0;title\007", 0, "\\x1b[31mred\\x1b]0;title\\x07"},
		{"a\r\nb\tc\177", 0, "a\\x0d\\x0ab\\x09c\\x7f"},
		{"\302\233[31m", 0, "\\u{009b}[31m"},
		{"a\302\240b\342\200\256c\342\200\250d", 0, "a\\u{00a0}b\\u{202e}c\\u{2028}d"},
		/* Not UTF-8: overlong, surrogate, cut, stray. */
		{"\300\257\355\240\200\377", 0, "\\xc0\\xaf\\xed\\xa0\\x80\\xff"},
		{"a\303", 0, "a\\xc3"},
		{"0123456789", 10, "0123456789"},
		{"0123456789a", 10, "0123456789..."},
		/* Not cut within a character. */
		{"12345678\345\257\206", 10, "12345678..."},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *shown = pvs_text_show(rows[i].bytes, rows[i].max);

		g_assert_cmpstr(shown, ==, rows[i].shown);
	}
}

static char *text_of(PvsCall *call)
{
	struct iovec pieces[PVS_CALL_PIECES];
	guint n = pvs_call_pieces(call, pieces);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		g_string_append_len(text, pieces[i].iov_base, (gssize)pieces[i].iov_len);
	return g_string_free(text, FALSE);
}

static PvsClientSecret *secret_of(const guint8 *data, gsize size)
{
	g_autofree char *directory = g_dir_make_tmp("pvs-secret-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "secret", NULL);
	g_autoptr(GError) error = NULL;
	PvsClientSecret *secret;

	g_assert_true(g_file_set_contents(path, (const char *)data, (gssize)size, NULL));
	secret = pvs_client_secret_read(path, size, "LABEL", &error);
	g_assert_no_error(error);
	(void)g_remove(path);
	g_rmdir(directory);
	return secret;
}

static void test_call(void)
{
	static const guint8 der[] = {0x30, 0x82, 1, 2};
	static const guint8 bytes[32] = {0xff, 0xff, 0xbe};
	g_autoptr(PvsCall) call = pvs_call_new("create_association");
	g_autoptr(GBytes) pem = g_bytes_new_static("-----BEGIN \"X\"\\\r\n\302\240", 19);
	g_autoptr(GBytes) binary = g_bytes_new_static(der, sizeof der);
	g_autoptr(GBytes) nul = g_bytes_new_static("a\0b", 3);
	g_autoptr(PvsClientSecret) raw = secret_of(bytes, sizeof bytes);
	g_autoptr(PvsClientSecret) base64 = pvs_client_secret_base64(raw);
	g_autofree char *text = NULL;

	pvs_call_text(call, "name", "a\"b\\c\n\033\303\274", "NAME");
	pvs_call_open(call, "host_keys", '[', "-k");
	pvs_call_open(call, NULL, '{', "-k one");
	pvs_call_document(call, "document", pem, NULL);
	pvs_call_close(call);
	pvs_call_open(call, NULL, '{', "-k two");
	pvs_call_document(call, "document", binary, NULL);
	pvs_call_close(call);
	pvs_call_close(call);
	pvs_call_open(call, "secret", '{', "--input-secret s");
	pvs_call_secret(call, "value", base64, NULL);
	pvs_call_close(call);
	pvs_call_open(call, "crls", '[', NULL);
	pvs_call_document(call, NULL, nul, "--crl x");
	pvs_call_close(call);
	pvs_call_base64(call, "hdr", binary, "--hdr h");
	text = text_of(call);
	g_assert_cmpstr(
		text, ==,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"create_association\",\"params\":{"
		"\"name\":\"a\\\"b\\\\c\\u000a\\u001b\303\274\","
		"\"host_keys\":[{\"document\":\"-----BEGIN \\\"X\\\"\\\\\\u000d\\u000a\302\240\"},"
		"{\"document\":\"MIIBAg==\"}],"
		"\"secret\":{\"value\":\"//++AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"},"
		"\"crls\":[\"YQBi\"],\"hdr\":\"MIIBAg==\"}}\n");

	g_assert_cmpstr(pvs_call_origin(call, "/name"), ==, "NAME");
	g_assert_cmpstr(pvs_call_origin(call, "/host_keys"), ==, "-k");
	g_assert_cmpstr(pvs_call_origin(call, "/host_keys/0"), ==, "-k one");
	g_assert_cmpstr(pvs_call_origin(call, "/host_keys/1/document"), ==, "-k two");
	g_assert_cmpstr(pvs_call_origin(call, "/host_keys/7/document"), ==, "-k");
	g_assert_cmpstr(pvs_call_origin(call, "/secret/value"), ==, "--input-secret s");
	g_assert_cmpstr(pvs_call_origin(call, "/crls/0"), ==, "--crl x");
	g_assert_null(pvs_call_origin(call, "/crls"));
	g_assert_null(pvs_call_origin(call, "/cck"));
	g_assert_null(pvs_call_origin(call, ""));
	g_assert_null(pvs_call_origin(call, "nonsense"));
}

/* The secret is sent from where it lies. */
static void test_call_copies_no_secret(void)
{
	static const guint8 bytes[32] = {1};
	g_autoptr(PvsClientSecret) raw = secret_of(bytes, sizeof bytes);
	g_autoptr(PvsCall) call = pvs_call_new("m");
	struct iovec pieces[PVS_CALL_PIECES];

	pvs_call_secret(call, "value", raw, NULL);
	g_assert_cmpuint(pvs_call_pieces(call, pieces), ==, 3);
	g_assert_true(pieces[1].iov_base == pvs_client_secret_data(raw));
	g_assert_cmpuint(pieces[1].iov_len, ==, 32);
}

static void test_base64(void)
{
	guint8 bytes[256];

	for (guint i = 0; i < sizeof bytes; i++)
		bytes[i] = (guint8)(i * 199 + 3);
	for (gsize size = 1; size <= sizeof bytes; size++) {
		g_autoptr(PvsClientSecret) raw = secret_of(bytes, size);
		g_autoptr(PvsClientSecret) text = pvs_client_secret_base64(raw);
		g_autofree char *expected = g_base64_encode(bytes, size);

		g_assert_cmpmem(pvs_client_secret_data(text), pvs_client_secret_size(text),
				expected, strlen(expected));
	}
}

static void test_secret_files(void)
{
	static const struct {
		gsize size;
		const char *why;
	} rows[] = {
		{0, "LABEL: has 0 bytes, exactly 32 are needed"},
		{31, "LABEL: has 31 bytes, exactly 32 are needed"},
		{33, "LABEL: has 33 bytes, exactly 32 are needed"},
		{100000, "LABEL: has 100000 bytes, exactly 32 are needed"},
	};
	g_autofree char *directory = g_dir_make_tmp("pvs-secret-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(directory, "secret", NULL);
	g_autofree char *zeros = g_malloc0(100000);

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_true(g_file_set_contents(path, zeros, (gssize)rows[i].size, NULL));
		g_assert_null(pvs_client_secret_read(path, 32, "LABEL", &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
		g_assert_cmpstr(error->message, ==, rows[i].why);
	}
	(void)g_remove(path);
	{
		g_autoptr(GError) error = NULL;

		g_assert_null(pvs_client_secret_read(path, 32, "LABEL", &error));
		g_assert_true(g_str_has_prefix(error->message, "LABEL: cannot be opened: "));
		g_assert_nonnull(pvs_failure_hint(error));
		g_clear_error(&error);
		g_assert_null(pvs_client_secret_read("/dev/zero", 32, "LABEL", &error));
		g_assert_cmpstr(error->message, ==, "LABEL: has more bytes, exactly 32 are needed");
		g_clear_error(&error);
		g_assert_null(pvs_client_secret_read(directory, 32, "LABEL", &error));
		g_assert_true(g_str_has_prefix(error->message, "LABEL: cannot be read: "));
	}
	g_rmdir(directory);
}

static void test_reply(void)
{
	static const char *const good[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
		"{\"result\":{\"a\":[1]},\"id\":1,\"jsonrpc\":\"2.0\",\"more\":null}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"m\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":\"m\"}}",
	};
	static const struct {
		const char *text;
		const char *why;
	} bad[] = {
		{"[]", "*one object"},
		{"[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]", "*one object"},
		{"{}", "*jsonrpc*"},
		{"{\"jsonrpc\":2.0,\"id\":1,\"result\":{}}", "*jsonrpc*"},
		{"{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":{}}", "*jsonrpc*"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1}", "*exactly one*"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":null}", "*exactly one*"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}", "*not an object"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}", "*not an object"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":null}", "*error object"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":\"1\",\"message\":\"m\"}}",
		 "*error object"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":null}}",
		 "*error object"},
		{"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}", "*its id*"},
		{"{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{}}", "*its id*"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1.0,\"result\":{}}", "*its id*"},
		{"{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}", "*its id*"},
		{"{\"jsonrpc\":\"2.0\",\"result\":{}}", "*its id*"},
		{"", "*one object"},
		{"{", "*read"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsReply) reply = pvs_reply_parse(good[i], strlen(good[i]), &error);

		g_assert_no_error(error);
		g_assert_true((pvs_reply_result(reply) == NULL) !=
			      (pvs_reply_error(reply) == NULL));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(pvs_reply_parse(bad[i].text, strlen(bad[i].text), &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
		g_assert_true(g_pattern_match_simple(bad[i].why, error->message));
	}
}

static void test_members(void)
{
	static const char text[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"s\":\"x\",\"i\":7,\"d\":1.5,\"o\":{},"
		"\"a\":[\"x\",{},3],\"n\":null,\"b\":true}}";
	g_autoptr(PvsReply) reply = pvs_reply_parse(text, strlen(text), NULL);
	JsonObject *o = pvs_reply_result(reply);
	JsonArray *a = pvs_member_array(o, "a");
	gint64 value = 5;

	g_assert_cmpstr(pvs_member_text(o, "s"), ==, "x");
	g_assert_true(pvs_member_int(o, "i", &value));
	g_assert_cmpint(value, ==, 7);
	g_assert_nonnull(pvs_member_object(o, "o"));
	g_assert_cmpuint(pvs_array_length(a), ==, 3);
	g_assert_cmpstr(pvs_item_text(a, 0), ==, "x");
	g_assert_nonnull(pvs_item_object(a, 1));
	/* Of another type, missing, of no object. */
	g_assert_null(pvs_member_text(o, "i"));
	g_assert_null(pvs_member_text(o, "n"));
	g_assert_null(pvs_member_text(o, "zz"));
	g_assert_null(pvs_member_text(NULL, "s"));
	g_assert_false(pvs_member_int(o, "d", &value));
	g_assert_false(pvs_member_int(o, "b", &value));
	g_assert_false(pvs_member_int(o, "s", &value));
	g_assert_cmpint(value, ==, 7);
	g_assert_null(pvs_member_object(o, "a"));
	g_assert_null(pvs_member_array(o, "o"));
	g_assert_null(pvs_item_text(a, 2));
	g_assert_null(pvs_item_object(a, 0));
	g_assert_null(pvs_item_text(a, 3));
	g_assert_cmpuint(pvs_array_length(NULL), ==, 0);
}

static void test_refusals(void)
{
	static const struct {
		const char *error; /* its members */
		PvsExit status;
		const char *text;
		const char *hint;
	} rows[] = {
		{"\"code\":-32002,\"message\":\"it expired\",\"data\":{\"reason\":\"expired\","
		 "\"param\":\"/host_keys/0/document\",\"hint\":\"get another\"}",
		 PVS_EXIT_FAILED, "-k z16.crt: it expired", "get another"},
		{"\"code\":-32003,\"message\":\"none\",\"data\":{\"name\":\"prod\"}",
		 PVS_EXIT_FAILED, "prod: none", NULL},
		{"\"code\":-32003,\"message\":\"none\",\"data\":{\"name\":\"prod\","
		 "\"param\":\"/cck\"}",
		 PVS_EXIT_FAILED, "prod: none", NULL},
		{"\"code\":-32602,\"message\":\"bad\",\"data\":{\"param\":\"/cck\"}",
		 PVS_EXIT_FAILED, "/cck: bad", NULL},
		{"\"code\":-32603,\"message\":\"failed\"", PVS_EXIT_FAILED, "failed", NULL},
		{"\"code\":-32601,\"message\":\"none\"", PVS_EXIT_UNREACHABLE,
		 "*another version*does not know create_association", "*restart*"},
		{"\"code\":-32602,\"message\":\"none\",\"data\":{\"param\":\"/host_keys\","
		 "\"reason\":\"unknown-parameter\"}",
		 PVS_EXIT_UNREACHABLE,
		 "*another version*create_association with the parameter /host_keys", "*restart*"},
		/* In the words of the command line, not in those of the protocol. */
		{"\"code\":-32001,\"message\":\"no method\",\"data\":{\"reason\":\"method\"}",
		 PVS_EXIT_FAILED, "create_association: no method", NULL},
		{"\"code\":-32001,\"message\":\"no\",\"data\":{\"reason\":\"cuid-required\","
		 "\"param\":\"/cuid\",\"hint\":\"bind it with cuid\"}",
		 PVS_EXIT_FAILED, "--cuid-hex: no", "*guest with --cuid-hex or --cuid"},
		{"\"code\":-32001,\"message\":\"no\",\"data\":{\"reason\":\"no-verify\","
		 "\"param\":\"/no_verify\",\"hint\":\"leave out no_verify\"}",
		 PVS_EXIT_FAILED, "--no-verify: no",
		 "leave out --no-verify, or *AllowNoVerify=yes"},
		/* The same word of another kind of error is another's. */
		{"\"code\":-32003,\"message\":\"no\",\"data\":{\"reason\":\"method\"}",
		 PVS_EXIT_FAILED, "no", NULL},
		{"\"code\":1,\"message\":\"\\u001b[2J\",\"data\":{\"hint\":\"\\u0007\"}",
		 PVS_EXIT_FAILED, "\\\\x1b[2J", "\\\\x07"},
		/* Nothing of data is believed. */
		{"\"code\":1,\"message\":\"m\",\"data\":[1]", PVS_EXIT_FAILED, "m", NULL},
		{"\"code\":1,\"message\":\"m\",\"data\":{\"param\":1,\"hint\":{},\"name\":[]}",
		 PVS_EXIT_FAILED, "m", NULL},
	};
	g_autoptr(PvsCall) call = pvs_call_new("create_association");

	pvs_call_true(call, "no_verify", "--no-verify");
	pvs_call_open(call, "host_keys", '[', NULL);
	pvs_call_open(call, NULL, '{', "-k z16.crt");
	pvs_call_close(call);
	pvs_call_close(call);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = g_strdup_printf(
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{%s}}", rows[i].error);
		g_autoptr(PvsReply) reply = pvs_reply_parse(text, strlen(text), NULL);
		g_autoptr(GError) error = NULL;

		g_assert_false(pvs_reply_refused(reply, call, &error));
		g_assert_error(error, PVS_FAILURE, (gint)rows[i].status);
		if (strpbrk(rows[i].text, "*\\"))
			g_assert_true(g_pattern_match_simple(rows[i].text, error->message) ||
				      strstr(rows[i].text, error->message));
		else
			g_assert_cmpstr(error->message, ==, rows[i].text);
		if (!rows[i].hint)
			g_assert_null(pvs_failure_hint(error));
		else
			g_assert_true(
				g_pattern_match_simple(rows[i].hint, pvs_failure_hint(error)) ||
				strstr(rows[i].hint, pvs_failure_hint(error)));
	}
}

/* However long a text the other side makes. */
static void test_long_refusal(void)
{
	g_autofree char *filler = g_strnfill(100000, 'x');
	g_autofree char *text =
		g_strdup_printf("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,"
				"\"message\":\"%s\",\"data\":{\"hint\":\"%s\",\"name\":\"%s\"}}}",
				filler, filler, filler);
	g_autoptr(PvsReply) reply = pvs_reply_parse(text, strlen(text), NULL);
	g_autoptr(PvsCall) call = pvs_call_new("ping");
	g_autoptr(GError) error = NULL;

	g_assert_false(pvs_reply_refused(reply, call, &error));
	g_assert_cmpuint(strlen(error->message), <, 2000);
	g_assert_cmpuint(strlen(pvs_failure_hint(error)), <, 1000);
}

static char *json_of(JsonObject *object, PvsJsonMode mode)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	pvs_output_json(file, mode, object);
	(void)fclose(file);
	return text;
}

static void test_json_output(void)
{
	static const char text[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"z\":1,\"a\":[],\"o\":{},\"l\":[1,-2,"
		"true,"
		"null,1.5],\"s\":\"\\\"\\\\\\n\\u001b\303\274\\u202e\\udbff\\udfff\\ud83d\\ude00\"}"
		"}";
	g_autoptr(PvsReply) reply = pvs_reply_parse(text, strlen(text), NULL);
	JsonObject *result = pvs_reply_result(reply);
	g_autofree char *short_text = json_of(result, PVS_JSON_SHORT);
	g_autofree char *pretty = json_of(result, PVS_JSON_PRETTY);
	g_autofree char *off = json_of(result, PVS_JSON_OFF);

	g_assert_cmpstr(
		short_text, ==,
		"{\"z\":1,\"a\":[],\"o\":{},\"l\":[1,-2,true,null,1.5],\"s\":\"\\\"\\\\\\u000a"
		"\\u001b\303\274\\u202e\\udbff\\udfff\360\237\230\200\"}\n");
	g_assert_true(g_str_has_prefix(pretty, "{\n  \"z\": 1,\n  \"a\": [],\n  \"o\": {},\n  "
					       "\"l\": [\n    1,\n    -2,\n"));
	g_assert_true(g_str_has_suffix(pretty, "\"\n}\n"));
	g_assert_cmpstr(off, ==, "");
}

static void assert_unreachable(const char *path, gboolean own, int err, const char *root,
			       const char *why, const char *hint)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(pvs_unreachable(&error, path, own, err, root));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
	g_assert_true(g_pattern_match_simple(why, error->message));
	g_assert_true(g_pattern_match_simple(hint, pvs_failure_hint(error)));
}

static void test_unreachable(void)
{
	g_autofree char *root = g_dir_make_tmp("pvs-root-XXXXXX", NULL);
	g_autofree char *units = g_build_filename(root, "usr/lib/systemd/system", NULL);
	g_autofree char *unit = g_build_filename(units, "pvsecretd.socket", NULL);
	g_autofree char *command = g_strdup_printf("rm -r '%s'", root);

	assert_unreachable("/x/y.sock", TRUE, ENOENT, root, "*not installed*", "install *");
	g_assert_cmpint(g_mkdir_with_parents(units, 0755), ==, 0);
	assert_unreachable("/x/y.sock", TRUE, ENOENT, root, "*not installed*", "install *");
	g_assert_true(g_file_set_contents(unit, "", 0, NULL));
	assert_unreachable("/x/y.sock", TRUE, ENOENT, root, "/x/y.sock: *not active",
			   "systemctl enable --now pvsecretd.socket");
	assert_unreachable("/x/y.sock", FALSE, ENOENT, root, "--socket /x/y.sock: *no such socket",
			   "*--socket*");
	assert_unreachable("/nonexistent/y.sock", TRUE, EACCES, root,
			   "*permission denied: the user * is not in the group pvsecret",
			   "usermod -aG pvsecret *log in again");
	assert_unreachable("/x/y.sock", FALSE, EACCES, root,
			   "--socket /x/y.sock: permission denied", "ask whoever *");
	/* Nobody is told to join root's group. */
	assert_unreachable("/", TRUE, EACCES, root, "*not in the group pvsecret",
			   "usermod -aG pvsecret *");
	assert_unreachable(unit, FALSE, ECONNREFUSED, root, "*: is not a socket", "check *");
	assert_unreachable("/x/y.sock", TRUE, ECONNREFUSED, root, "/x/y.sock: nobody listens*",
			   "journalctl -u pvsecretd*");
	assert_unreachable("/x/y.sock", FALSE, ECONNREFUSED, root, "/x/y.sock: nobody listens*",
			   "start pvsecretd*");
	assert_unreachable("/x/y.sock", TRUE, ENOTSOCK, root, "/x/y.sock: cannot connect: *", "*");
	g_assert_cmpint(system(command), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/client/text", test_text);
	g_test_add_func("/client/call", test_call);
	g_test_add_func("/client/call-copies-no-secret", test_call_copies_no_secret);
	g_test_add_func("/client/base64", test_base64);
	g_test_add_func("/client/secret-files", test_secret_files);
	g_test_add_func("/client/reply", test_reply);
	g_test_add_func("/client/members", test_members);
	g_test_add_func("/client/refusals", test_refusals);
	g_test_add_func("/client/long-refusal", test_long_refusal);
	g_test_add_func("/client/json-output", test_json_output);
	g_test_add_func("/client/unreachable", test_unreachable);
	return g_test_run();
}

/* SPDX-License-Identifier: MIT */
/*
 * test-commands.c - the commands, with a thread in the daemon's place that answers what it is told
 * to
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "client/command.h"
#include "client/failure.h"
#include "client/text.h"
#include "tests/unit/desk.h"

#define CUID "00112233445566778899aabbccddeeff"

#define CREATE "create association -k z16.crt --hdr se.hdr -o request "

static void test_create(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	run(CREATE "'my secret'", &error);
	g_assert_no_error(error);
	assert_file("request", f->request, REQUEST_SIZE);
	assert_text("my_secret.yaml", "!Association\nname: my secret\nid: 0x" ID "\n");
	assert_text("out", "");
	assert_text("err", "Successfully generated the request\n"
			   "Successfully wrote secret info to 'my_secret.yaml'\n");
	/* Once more, over what is there. */
	run(CREATE "'my secret' -q", &error);
	g_assert_no_error(error);
	assert_text("err", "");
}

static void test_parameters(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *header = NULL;
	g_autofree char *base64 = NULL;
	g_autofree char *expected = NULL;
	g_autofree char *params = NULL;
	g_autofree char *random_params = NULL;
	g_autoptr(GError) error = NULL;
	gsize size;

	put("value", "0123456789abcdef0123456789abcdef", 32);
	run(CREATE "'my secret' -k installed -C ca.crt --crl z16.crt --cck prod --offline "
		   "--cuid-hex 0x00112233445566778899AABBCCDDEEFF --flags disable-dump "
		   "--input-secret value",
	    &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents("se.hdr", &header, &size, NULL));
	base64 = g_base64_encode((guchar *)header, size);
	expected = g_strdup_printf(
		"{\"name\":\"my secret\",\"cuid\":\"" CUID "\",\"flags\":[\"disable-dump\"],"
		"\"cck\":\"prod\",\"hdr\":\"%s\","
		"\"host_keys\":[{\"document\":\"-----BEGIN X\"},{\"name\":\"installed\"}],"
		"\"certificates\":[\"MII=\"],\"crls\":[\"-----BEGIN X\"],"
		"\"secret\":{\"value\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"}}",
		base64);
	params = last_params(f);
	g_assert_cmpstr(params, ==, expected);
	/* And with nothing but what must be. */
	run(CREATE "'my secret'", &error);
	g_assert_no_error(error);
	g_clear_pointer(&expected, g_free);
	expected = g_strdup_printf("{\"name\":\"my secret\",\"hdr\":\"%s\","
				   "\"host_keys\":[{\"document\":\"-----BEGIN X\"}],"
				   "\"secret\":{\"random\":true}}",
				   base64);
	random_params = last_params(f);
	g_assert_cmpstr(random_params, ==, expected);
}

static void test_standard_output(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *json = NULL;

	run("create association -k z16.crt --hdr se.hdr -o - 'my secret'", &error);
	g_assert_no_error(error);
	assert_file("out", f->request, REQUEST_SIZE);
	g_assert_false(g_file_test("request", G_FILE_TEST_EXISTS));
	g_assert_cmpint(g_unlink("my_secret.yaml"), ==, 0);

	run(CREATE "'my secret' --stdout", &error);
	g_assert_no_error(error);
	assert_text("out", "!Association\nname: my secret\nid: 0x" ID "\n");
	assert_text("err", "Successfully generated the request\n");
	assert_file("request", f->request, REQUEST_SIZE);
	g_assert_false(g_file_test("my_secret.yaml", G_FILE_TEST_EXISTS));

	run(CREATE "'my secret' -j", &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents("out", &json, NULL, NULL));
	g_assert_true(g_str_has_prefix(json, "{\"request\":\"YXNy"));
	g_assert_true(g_str_has_suffix(json, "\"host_keys\":[{\"phkh\":\"aa\"}]}\n"));
	assert_file("request", f->request, REQUEST_SIZE);
	g_assert_true(g_file_test("my_secret.yaml", G_FILE_TEST_EXISTS));
}

/* Wrong usage, and what can be told without the daemon, is told without it. */
static void test_refused_here(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *line;
		PvsExit status;
		const char *why;
	} rows[] = {
		{"create association -k z16.crt --hdr se.hdr N", PVS_EXIT_USAGE,
		 "-o/--output FILE is missing"},
		{"create association -k z16.crt -o request N", PVS_EXIT_USAGE,
		 "--hdr FILE|NAME is missing"},
		{"create association --hdr se.hdr -o request N", PVS_EXIT_USAGE,
		 "-k/--host-key-document FILE|NAME is missing"},
		{CREATE "N --cck dir/cck", PVS_EXIT_USAGE,
		 "--cck dir/cck: is a path, and CCKs live in the daemon*"},
		{CREATE "N --cck -- -x", PVS_EXIT_USAGE, "*missing"},
		{CREATE "N --cck=.x", PVS_EXIT_USAGE, "--cck .x: is not the name of a CCK*"},
		{CREATE "''", PVS_EXIT_USAGE,
		 "the secret's name '' cannot name the file NAME.yaml: it is empty"},
		{CREATE "'\xff'", PVS_EXIT_USAGE, "NAME *: is not valid UTF-8"},
		{CREATE "N --cuid-hex 0x0011", PVS_EXIT_USAGE, "--cuid-hex 0x0011: is not *"},
		{CREATE "N --cuid-hex " CUID "00", PVS_EXIT_USAGE, "--cuid-hex *: is not *"},
		{CREATE "N --cuid-hex 0x0x112233445566778899aabbccddeeff", PVS_EXIT_USAGE,
		 "--cuid-hex *: is not *"},
		{CREATE "N --flags enable-dump", PVS_EXIT_USAGE, "--flags enable-dump: *"},
		{CREATE "N --stdout -j", PVS_EXIT_USAGE, "--stdout and --json: *"},
		{"create association -k z16.crt --hdr se.hdr -o - --stdout N", PVS_EXIT_USAGE,
		 "-o - and --stdout: *"},
		{"create association -k z16.crt --hdr se.hdr -o - -j N", PVS_EXIT_USAGE,
		 "-o - and --json: *"},
		{CREATE "a/b", PVS_EXIT_USAGE, "the secret's name 'a/b' *"},
		{"create association -k z16.crt --hdr se.hdr -o no/request N", PVS_EXIT_FAILED,
		 "-o no/request: the directory cannot be opened: *"},
		{"create association -k z16.crt --hdr se.hdr -o N.yaml N", PVS_EXIT_USAGE,
		 "*request itself"},
		{"create association -k z16.crt --hdr se.hdr -o ./N.yaml N", PVS_EXIT_USAGE,
		 "*request itself"},
		{"create association -k no/z16.crt --hdr se.hdr -o request N", PVS_EXIT_FAILED,
		 "-k no/z16.crt: cannot be opened: *"},
		{"create association -k z16.crt --hdr no/none -o request N", PVS_EXIT_FAILED,
		 "--hdr no/none: cannot be opened: *"},
		{"create association -k z16.crt --hdr z16.crt -o request N", PVS_EXIT_FAILED,
		 "--hdr z16.crt: there is no SE header in it *"},
		{CREATE "N -C none", PVS_EXIT_FAILED, "-C none: cannot be opened: *"},
		{CREATE "N --crl none", PVS_EXIT_FAILED, "--crl none: cannot be opened: *"},
		{CREATE "N --input-secret se.hdr", PVS_EXIT_FAILED,
		 "--input-secret se.hdr: has * bytes, exactly 32 are needed"},
		{"host-key verify none", PVS_EXIT_FAILED, "none: cannot be opened: *"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(run(rows[i].line, &error));
		g_assert_error(error, PVS_FAILURE, (gint)rows[i].status);
		if (!g_pattern_match_simple(rows[i].why, error->message))
			g_error("%s: %s", rows[i].line, error->message);
		g_assert_nonnull(pvs_failure_hint(error));
		assert_no_files();
	}
	g_assert_cmpuint(f->calls->len, ==, 0);
	/* With --stdout any name will do. */
	g_assert_false(run(CREATE "--stdout a/b", NULL));
	g_assert_cmpuint(f->calls->len, ==, 1);
}

#define ERROR(param)                                                                        \
	"\"error\":{\"code\":-32002,\"message\":\"no.\",\"data\":{\"param\":\"" param "\"," \
	"\"reason\":\"r\",\"hint\":\"do\"}}"

static void test_refused_by_the_daemon(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *answer;
		const char *why;
	} rows[] = {
		{ERROR("/hdr"), "--hdr se.hdr: no."},
		{ERROR("/host_keys"), "-k: no."},
		{ERROR("/host_keys/0"), "-k z16.crt: no."},
		{ERROR("/host_keys/0/document"), "-k z16.crt: no."},
		{ERROR("/host_keys/1/name"), "-k installed (no file, so a name): no."},
		{ERROR("/certificates/0"), "-C ca.crt: no."},
		{ERROR("/crls/0"), "--crl z16.crt: no."},
		{ERROR("/cck"), "--cck prod: no."},
		{ERROR("/cuid"), "--cuid-hex 0x" CUID ": no."},
		{ERROR("/flags/0"), "--flags disable-dump: no."},
		{ERROR("/name"), "NAME: no."},
		{ERROR("/secret/value"), "--input-secret value: no."},
	};

	put("value", "0123456789abcdef0123456789abcdef", 32);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		answer(f, "create_association", rows[i].answer);
		g_assert_false(run(CREATE "N -k installed -C ca.crt --crl z16.crt --cck prod "
					  "--cuid-hex 0x" CUID " --flags disable-dump "
					  "--input-secret value",
				   &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
		g_assert_cmpstr(error->message, ==, rows[i].why);
		g_assert_cmpstr(pvs_failure_hint(error), ==, "do");
		assert_text("out", "");
		assert_no_files();
	}
	g_assert_false(run(CREATE "--json=short N", NULL));
	assert_text("out", "{\"code\":-32002,\"message\":\"no.\",\"data\":{\"param\":"
			   "\"/secret/value\",\"reason\":\"r\",\"hint\":\"do\"}}\n");
}

/* A result that is not what was asked for leaves no file. */
static void test_wrong_results(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 short_request[64] = "asrcbM";
	g_autofree guint8 *other_magic = g_memdup2(f->request, REQUEST_SIZE);
	g_autofree guint8 *other_size = g_memdup2(f->request, REQUEST_SIZE);
	char *results[] = {
		g_strdup("\"result\":{}"),
		g_strdup("\"result\":{\"request\":\"*\",\"tag\":\"" TAG "\",\"secret\":" SECRET
			 "}"),
		made(f->request, REQUEST_SIZE, "", SECRET),
		made(f->request, REQUEST_SIZE, TAG "00", SECRET),
		made(f->request, REQUEST_SIZE, "ff0102030405060708090a0b0c0d0e0f", SECRET),
		made(f->request, REQUEST_SIZE - 1, TAG, SECRET),
		made(short_request, sizeof short_request, TAG, SECRET),
		made((other_magic[0]++, other_magic), REQUEST_SIZE, TAG, SECRET),
		made((other_size[15]++, other_size), REQUEST_SIZE, TAG, SECRET),
		made(f->request, REQUEST_SIZE, TAG, "null"),
		made(f->request, REQUEST_SIZE, TAG,
		     "{\"type\":\"meta\",\"name\":\"my secret\",\"id\":\"" ID "\"}"),
		made(f->request, REQUEST_SIZE, TAG,
		     "{\"type\":\"association\",\"name\":\"another\",\"id\":\"" ID "\"}"),
		made(f->request, REQUEST_SIZE, TAG,
		     "{\"type\":\"association\",\"name\":\"my secret\"}"),
		made(f->request, REQUEST_SIZE, TAG,
		     "{\"type\":\"association\",\"name\":\"my secret\",\"id\":\"" ID "0\"}"),
		made(f->request, REQUEST_SIZE, TAG,
		     "{\"type\":\"association\",\"name\":\"my secret\",\"id\":\"\\n" ID "\"}"),
	};

	for (gsize i = 0; i < G_N_ELEMENTS(results); i++) {
		g_autoptr(GError) error = NULL;

		answer(f, "create_association", results[i]);
		g_assert_false(run(CREATE "'my secret'", &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_UNREACHABLE);
		assert_no_files();
		g_free(results[i]);
	}
}

/* The request is not left behind where the secret info cannot be written. */
static void test_both_or_neither(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir("my_secret.yaml", 0755), ==, 0);
	g_assert_false(run(CREATE "'my secret'", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_false(g_file_test("request", G_FILE_TEST_EXISTS));
	g_assert_cmpuint(f->calls->len, ==, 0);
	g_assert_cmpint(g_rmdir("my_secret.yaml"), ==, 0);
}

static void test_verify(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *out = NULL;
	g_autofree char *params = NULL;

	answer(f, "verify_host_key",
	       "\"result\":{\"phkh\":\"abcd\",\"subject\":\"CN=\\u001bhost\",\"valid_until\":\"V\","
	       "\"until\":\"U\",\"chain\":[{\"role\":\"host-key\",\"subject\":\"S\",\"serial\":"
	       "\"1\","
	       "\"valid_from\":\"F\",\"valid_until\":\"V\"},{\"role\":\"crl\"},7]}");
	run("host-key verify z16.crt -C ca.crt", &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents("out", &out, NULL, NULL));
	g_assert_cmpstr(out, ==,
			"z16.crt: accepted\n"
			"Host key hash (PHKH)  abcd\n"
			"Subject               CN=\\x1bhost\n"
			"Document valid until  V\n"
			"Verdict holds until   U\n"
			"Resting on:\n"
			"  ROLE      VALID FROM  VALID UNTIL  SERIAL  SUBJECT\n"
			"  host-key  F           V            1       S\n"
			"  crl\n"
			"\n");
	params = last_params(f);
	g_assert_cmpstr(params, ==,
			"{\"host_key_document\":\"-----BEGIN X\",\"certificates\":[\"MII=\"]}");

	answer(f, "verify_host_key", ERROR("/host_key_document"));
	g_assert_false(run("host-key verify z16.crt", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_cmpstr(error->message, ==, "z16.crt: no.");
}

/* A table is narrow where the names in it can be told apart by a part of them. */
static void test_subjects(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *name;
		const char *shown;
	} rows[] = {
		{"CN=Root G4,OU=www.ca.example,O=CA\\, Inc.,C=US", "Root G4"},
		{"OU=Host Key Signing,L=Armonk,CN=Company,O=Company,C=US", "Host Key Signing"},
		{"CN=Company,O=Company,C=US", "CN=Company,O=Company,C=US"},
		{"O=Only,C=US", "O=Only,C=US"},
		{"CN=a\\,OU=b,O=x", "a\\,OU=b"},
		{"CN=", ""},
		{"", ""},
		{"CN=tail\\", "tail\\"},
	};
	const char *const lines[] = {"status", "trust list"};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *shown = pvs_text_subject(rows[i].name);

		g_assert_cmpstr(shown, ==, rows[i].shown);
	}
	answer(f, "get_status",
	       "\"result\":{\"connections\":1,\"restarts\":2,\"trust\":{\"entries\":[{"
	       "\"kind\":\"root\",\"file\":\"f\",\"subject\":\"CN=Short,O=Long,C=US\"}]}}");
	answer(f, "list_ccks", "\"result\":{\"ccks\":[]}");
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *loud = g_strconcat(lines[i], " -v", NULL);
		g_autofree char *out = NULL, *whole = NULL;

		g_assert_true(run(lines[i], NULL));
		g_assert_true(g_file_get_contents("out", &out, NULL, NULL));
		g_assert_nonnull(strstr(out, " Short\n"));
		g_assert_null(strstr(out, "Long"));
		g_assert_true(run(loud, NULL));
		g_assert_true(g_file_get_contents("out", &whole, NULL, NULL));
		g_assert_nonnull(strstr(whole, " CN=Short,O=Long,C=US\n"));
		if (i == 0)
			g_assert_nonnull(
				strstr(out, "1 connection, 2 replacements after a crash\n"));
	}
}

/* What went well is not spoken of, whichever command it was. */
static void test_quiet(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const lines[] = {
		"ping -q",
		"status -q",
		"access -q",
		"trust list -q",
		"host-key list -q",
		"host-key verify -q z16.crt",
		"describe -q z16.crt",
	};

	answer(f, "ping", "\"result\":{}");
	answer(f, "get_status", "\"result\":{\"version\":\"1\",\"warnings\":[\"w\"]}");
	answer(f, "list_ccks", "\"result\":{\"ccks\":[{\"name\":\"prod\"}]}");
	answer(f, "get_access", "\"result\":{\"uid\":0,\"gid\":0,\"sections\":[]}");
	answer(f, "verify_host_key", "\"result\":{\"phkh\":\"00\"}");
	answer(f, "describe_request", "\"result\":{\"size\":1}");
	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(GError) error = NULL;

		g_test_message("%s", lines[i]);
		g_assert_true(run(lines[i], &error));
		g_assert_no_error(error);
		assert_text("out", "");
		assert_text("err", "");
	}
}

/* A certificate, and nothing that it could have verified: no success is claimed. */
static void test_nothing_verified(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	answer(f, "verify_request", "\"result\":{\"user_data_type\":\"none\"}");
	g_assert_true(run("verify --user-cert ca.crt z16.crt", &error));
	g_assert_no_error(error);
	assert_text("err", "pvsecretctl: warning: z16.crt: has no user data, so nothing was "
			   "verified with --user-cert ca.crt\n");
	g_assert_true(run("verify z16.crt", &error));
	g_assert_no_error(error);
	assert_text("err", "Successfully verified the request.\n");
}

/* Zeros are a CUID, and bind to nothing. */
static void test_zero_cuid(Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *err = NULL;

	g_assert_true(
		run(CREATE "--cuid-hex 00000000000000000000000000000000 'my secret'", &error));
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents("err", &err, NULL, NULL));
	g_assert_nonnull(strstr(err, "warning: --cuid-hex 0000"));
	g_assert_nonnull(strstr(err, "binds the request to no guest"));
	g_assert_true(run(CREATE "-f 'my secret' --cuid-hex " CUID, &error));
	g_clear_pointer(&err, g_free);
	g_assert_true(g_file_get_contents("err", &err, NULL, NULL));
	g_assert_null(strstr(err, "warning"));
}

static void test_access(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *out = NULL;

	answer(f, "get_access",
	       "\"result\":{\"uid\":1000,\"gid\":100,\"groups\":[27,1001],\"sections\":[{"
	       "\"name\":\"ops\",\"methods\":[\"create_*\",\"verify_host_key\"],"
	       "\"ccks\":[\"prod-?\"],\"images\":[\"web\"],\"extension_secrets\":[],"
	       "\"names\":[\"a\\u0007b\"],\"require_cuid\":true,\"allow_no_verify\":false},"
	       "{\"name\":\"more\",\"allow_no_verify\":true}]}");
	run("access", &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents("out", &out, NULL, NULL));
	g_assert_cmpstr(out, ==,
			"pvsecretd sees you as uid 1000, gid 100, groups 27 1001\n"
			"\n"
			"[access ops]\n"
			"  Methods           create_* verify_host_key\n"
			"  CCKs              prod-?\n"
			"  Extension secrets none\n"
			"  User signing keys none\n"
			"  Images            web\n"
			"  Secrets' names    a\\x07b\n"
			"  CUID              required\n"
			"  Host keys         must be verified\n"
			"\n"
			"[access more]\n"
			"  Methods           none\n"
			"  CCKs              none\n"
			"  Extension secrets none\n"
			"  User signing keys none\n"
			"  Images            any header; no derived secrets\n"
			"  Secrets' names    none\n"
			"  CUID              not required\n"
			"  Host keys         may be unverified\n"
			"\n"
			"A call is allowed if one of these sections allows all of it.\n");

	run("access -j short", &error);
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
	g_clear_error(&error);
	run("access -jshort", &error);
	g_assert_no_error(error);
	g_clear_pointer(&out, g_free);
	g_assert_true(g_file_get_contents("out", &out, NULL, NULL));
	g_assert_true(g_str_has_prefix(out, "{\"uid\":1000,\"gid\":100,\"groups\":[27,1001],"
					    "\"sections\":[{\"name\":\"ops\","));

	/* What is no identity and no section is shown as well as it goes. */
	answer(f, "get_access", "\"result\":{\"uid\":\"x\",\"sections\":[7,{\"ccks\":7}]}");
	run("access", &error);
	g_assert_no_error(error);

	answer(f, "get_access",
	       "\"error\":{\"code\":-32001,\"message\":\"m\",\"data\":{\"reason\":\"method\","
	       "\"hint\":\"h\"}}");
	run("access", &error);
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
}

/* Where there is no file of the name. */
static void test_image(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	JsonObject *params;

	answer(f, "create_association",
	       "\"error\":{\"code\":-32001,\"message\":\"no\",\"data\":{\"reason\":\"image\","
	       "\"param\":\"/image\",\"name\":\"web.1\"}}");
	run("create association -k z16.crt --hdr web.1 -o request N", &error);
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_nonnull(strstr(error->message, "--hdr web.1 (no file, so a name): no"));
	params = json_object_get_object_member(json_node_get_object(f->calls->pdata[0]), "params");
	g_assert_cmpstr(json_object_get_string_member(params, "image"), ==, "web.1");
	g_assert_false(json_object_has_member(params, "hdr"));
}

static void test_status(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *out = NULL;

	answer(f, "list_ccks",
	       "\"result\":{\"ccks\":[{\"name\":\"prod\",\"check_value\":\"0011\"}]}");
	answer(f, "get_status",
	       "\"result\":{\"version\":\"9.9\",\"uptime_sec\":90061,\"api_version\":1,"
	       "\"cck_count\":1,\"workers\":[{\"role\":\"vault\",\"pid\":77,\"uptime_sec\":61}],"
	       "\"reload_error\":\"a: bad\\nb: bad\","
	       "\"trust\":{\"entries\":[{\"kind\":\"crl\",\"file\":\"old.crl\","
	       "\"valid_until\":\"2021-01-01T00:00:00Z\"},{\"kind\":\"root\","
	       "\"valid_until\":\"2388-01-01T00:00:00Z\"}]},\"warnings\":[\"w\\u0007\"]}");
	run("status", &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents("out", &out, NULL, NULL));
	g_assert_nonnull(strstr(out, "9.9, API 1, up 1 d 1 h\n"));
	g_assert_nonnull(strstr(out, "  prod  0011\n"));
	g_assert_nonnull(strstr(out, "2021-01-01T00:00:00Z EXPIRED"));
	g_assert_nonnull(strstr(out, "2388-01-01T00:00:00Z\n"));
	g_assert_nonnull(strstr(out, "  vault  77   1 min 1 s\n"));
	g_assert_nonnull(strstr(out, "  w\\x07\n"));
	g_assert_nonnull(strstr(out, "reload failed, what was there before stays:\n"
				     "  a: bad\n  b: bad\n"));

	run("status --json=short", &error);
	g_assert_no_error(error);
	g_clear_pointer(&out, g_free);
	g_assert_true(g_file_get_contents("out", &out, NULL, NULL));
	g_assert_true(g_str_has_prefix(out, "{\"version\":\"9.9\",\"uptime_sec\":90061,"
					    "\"api_version\":1,\"cck_count\":1,"));
	g_assert_nonnull(strstr(out, ",\"ccks\":[{\"name\":\"prod\","
				     "\"check_value\":\"0011\"}]"));
	g_assert_nonnull(strstr(out, "\"warnings\":[\"w\\u0007\"]"));

	/* A daemon that says nothing, or nonsense, is shown as well as it goes. */
	answer(f, "list_ccks", "\"result\":{\"ccks\":[1,null,{\"name\":7}]}");
	answer(f, "get_status",
	       "\"result\":{\"version\":1,\"uptime_sec\":-5,\"trust\":[],\"workers\":{},"
	       "\"warnings\":[1,{}],\"counters\":7}");
	run("status", &error);
	g_assert_no_error(error);
	answer(f, "get_status", "\"result\":{}");
	run("status", &error);
	g_assert_no_error(error);
}

static void test_ping(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *out = NULL;

	answer(f, "ping", "\"result\":{}");
	run("ping", &error);
	g_assert_no_error(error);
	g_assert_true(g_file_get_contents("out", &out, NULL, NULL));
	g_assert_true(g_str_has_prefix(out, "pvsecretd answered after "));
	run("ping --json=short", &error);
	g_assert_no_error(error);
	assert_text("out", "{}\n");
	run("ping -q", &error);
	g_assert_no_error(error);
	assert_text("out", "");
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/commands/create", test_create);
	ADD("/commands/parameters", test_parameters);
	ADD("/commands/standard-output", test_standard_output);
	ADD("/commands/refused-here", test_refused_here);
	ADD("/commands/refused-by-the-daemon", test_refused_by_the_daemon);
	ADD("/commands/wrong-results", test_wrong_results);
	ADD("/commands/both-or-neither", test_both_or_neither);
	ADD("/commands/verify", test_verify);
	ADD("/commands/status", test_status);
	ADD("/commands/access", test_access);
	ADD("/commands/quiet", test_quiet);
	ADD("/commands/subjects", test_subjects);
	ADD("/commands/nothing-verified", test_nothing_verified);
	ADD("/commands/zero-cuid", test_zero_cuid);
	ADD("/commands/image", test_image);
	ADD("/commands/ping", test_ping);
	return g_test_run();
}

/* SPDX-License-Identifier: MIT */
/*
 * test-describe.c - what pvsecretctl describe shows to people, all of it
 */
#include <string.h>

#include "client/failure.h"
#include "tests/unit/desk.h"

/* Hexadecimal digits that tell one line from another. */
#define LINE(c) c "0000000000000000000000000000000000000000000000000000000000000" c "1"
#define INDENT	"                      "

static void set_up_request(Fixture *f, gconstpointer data)
{
	set_up(f, data);
	put("value", "request", -1);
}

/* The answer's JSON as a result, and all that is shown. */
static void assert_shows(Fixture *f, const char *result, const char *expected)
{
	g_autofree char *members = g_strconcat("\"result\":", result, NULL);
	g_autoptr(GError) error = NULL;

	answer(f, "describe_request", members);
	g_assert_true(run("describe value", &error));
	g_assert_no_error(error);
	assert_text("out", expected);
	assert_text("err", "");
}

/* A name, and bits that have none; two keys; bound to one guest; signed. */
static void test_full(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	guint8 user_data[128] = "user", signature[384] = {[0] = 0xab, [383] = 0xcd};
	g_autofree char *first = g_base64_encode(user_data, sizeof user_data);
	g_autofree char *second = g_base64_encode(signature, sizeof signature);
	g_autofree char *zeros = g_strnfill(64, '0');
	g_autofree char *result = g_strdup_printf(
		"{\"version\":256,\"size\":1512,\"encrypted_size\":64,\"iv\":"
		"\"0102030405060708090a0b0c\","
		"\"flags\":[\"disable-dump\"],\"pcf\":\"c000000000000001\","
		"\"cuid\":\"00112233445566778899aabbccddeeff\","
		"\"pld\":\"" LINE("a") LINE("b") "\",\"ald\":\"" LINE("c") LINE(
			"d") "\","
			     "\"tld\":\"" LINE("e") LINE(
				     "f") "\",\"header_tag\":\"00aa\","
					  "\"customer_key\":\"" LINE("1") LINE(
						  "2") "3%.30s3"
						       "4%.30s4" LINE("5") LINE(
							       "6") "\","
								    "\"host_keys\":[{\"phkh\":"
								    "\"aa\"},{\"phkh\":\"bb\"}],"
								    "\"secret\":{\"type\":"
								    "\"association\",\"size\":32,"
								    "\"id\":\"" ID "\"},"
								    "\"user_data_type\":\"rsa-"
								    "3072\",\"user_data\":\"%s\","
								    "\"signature\":\"%s\","
								    "\"tag\":\"" TAG "\"}",
		zeros, zeros, first, second);
	g_autofree char *expected = g_strdup_printf(
		"value: add-secret request, version 0x0100, 1512 bytes\n"
		"Secret                association\n"
		"Secret size           32 bytes; encrypted area 64 bytes\n"
		"Secret id             " ID "\n"
		"Flags                 disable-dump, and more: 0xc000000000000001\n"
		"CUID                  00112233445566778899aabbccddeeff\n"
		"SE header tag         00aa\n"
		"Page list digest      " LINE("a") "\n" INDENT LINE(
			"b") "\n"
			     "Address list digest   " LINE("c") "\n" INDENT LINE(
				     "d") "\n"
					  "Tweak list digest     " LINE("e") "\n" INDENT LINE(
						  "f") "\n"
						       "Host keys (PHKH)      aa\n" INDENT "bb\n"
						       "Customer key, X       " LINE(
							       "1") "\n" INDENT
							       LINE("2") "\n" INDENT "3%.30s3\n"
									 "Customer key, Y       "
									 "4%.30s4"
									 "5%.31s\n" INDENT "%.30s51"
									 "6%.31s\n" INDENT
									 "%.30s61\n"
									 "IV                    "
									 "0102030405060708090a0b0c"
									 "\n"
									 "User data             "
									 "rsa-3072\n" INDENT
									 "128 bytes, of which the "
									 "last 124 are "
									 "zero\n" INDENT
									 "75736572\n"
									 "Signature             "
									 "384 bytes, of which the "
									 "last 0 are zero\n" INDENT
									 "ab%.62s\n" INDENT
									 "%s\n" INDENT "%s\n" INDENT
									 "%s\n" INDENT "%s\n" INDENT
									 "%s\n" INDENT "%s\n" INDENT
									 "%s\n" INDENT "%s\n" INDENT
									 "%s\n" INDENT "%s\n" INDENT
									 "%.62scd\n"
									 "Tag                  "
									 " " TAG "\n",
		zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros,
		zeros, zeros, zeros, zeros, zeros, zeros);

	assert_shows(f, result, expected);
}

/* None of all that. */
static void test_least(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *zeros = g_strnfill(512, '0');
	guint8 none[512] = {0};
	g_autofree char *user_data = g_base64_encode(none, sizeof none);
	g_autofree char *result = g_strdup_printf(
		"{\"version\":256,\"size\":1352,\"encrypted_size\":32,\"iv\":\"0b\","
		"\"flags\":[],\"pcf\":\"0000000000000000\",\"cuid\":\"%.32s\","
		"\"pld\":\"01\",\"ald\":\"02\",\"tld\":\"03\",\"header_tag\":\"04\","
		"\"customer_key\":\"0506\",\"host_keys\":[{\"phkh\":\"aa\"}],"
		"\"secret\":{\"type\":\"meta\",\"size\":0},"
		"\"user_data_type\":\"unsigned\",\"user_data\":\"%s\",\"tag\":\"" TAG "\"}",
		zeros, user_data);

	assert_shows(f, result,
		     "value: add-secret request, version 0x0100, 1352 bytes\n"
		     "Secret                meta\n"
		     "Secret size           0 bytes; encrypted area 32 bytes\n"
		     "Flags                 none\n"
		     "CUID                  none: for any guest of this image\n"
		     "SE header tag         04\n"
		     "Page list digest      01\n"
		     "Address list digest   02\n"
		     "Tweak list digest     03\n"
		     "Host keys (PHKH)      aa\n"
		     "Customer key, X       05\n"
		     "Customer key, Y       06\n"
		     "IV                    0b\n"
		     "User data             unsigned\n" INDENT
		     "512 bytes, of which the last 512 are zero\n"
		     "Tag                   " TAG "\n");
}

/* By name alone, by bits alone, and by a name that this version does not know: then the bits say
 * what they are. */
static void test_flags(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *flags, *pcf, *shown;
	} rows[] = {
		{"\"disable-dump\"", "8000000000000000", "disable-dump"},
		{"", "4000000000000000", "0x4000000000000000"},
		{"\"disable-dump\",\"other\"", "c000000000000000",
		 "disable-dump, other, and more: 0xc000000000000000"},
		{"", "0000000000000000", "none"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *members = g_strdup_printf(
			"\"result\":{\"flags\":[%s],\"pcf\":\"%s\"}", rows[i].flags, rows[i].pcf);
		g_autofree char *line =
			g_strdup_printf("\nFlags                 %s\n", rows[i].shown);
		g_autofree char *out = NULL;
		g_autoptr(GError) error = NULL;

		answer(f, "describe_request", members);
		g_assert_true(run("describe value", &error));
		g_assert_true(g_file_get_contents("out", &out, NULL, NULL));
		if (!strstr(out, line))
			g_error("not \"%s\": %s", rows[i].shown, out);
	}
}

static void test_refused(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	answer(f, "describe_request",
	       "\"error\":{\"code\":-32602,\"message\":\"no request\","
	       "\"data\":{\"reason\":\"request\",\"param\":\"/request\",\"hint\":\"h\"}}");
	g_assert_false(run("describe value", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	assert_text("out", "");
	g_clear_error(&error);
	g_assert_false(run("describe value value", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*test)(Fixture *f, gconstpointer data);
	} rows[] = {
		{"/describe/full", test_full},
		{"/describe/least", test_least},
		{"/describe/flags", test_flags},
		{"/describe/refused", test_refused},
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_test_add(rows[i].path, Fixture, NULL, set_up_request, rows[i].test, tear_down);
	return g_test_run();
}

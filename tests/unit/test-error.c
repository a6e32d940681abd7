/* SPDX-License-Identifier: MIT */
/*
 * test-error.c - the list of errors: every row is whole, can be told apart, and is all that is said
 */
#include "protocol/error.h"

#include <string.h>

#define ROWS ((guint)PVS_ERROR_CONFIG)

/* What a program acts on is a (code, reason); what a person reads is a sentence and a remedy. */
static void test_rows(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (guint i = 0; i < ROWS; i++) {
		const char *reason = pvs_error_reason((PvsError)i);
		const char *sentence = pvs_error_sentence((PvsError)i);
		const char *hint = pvs_error_hint((PvsError)i);
		int code = pvs_error_code((PvsError)i);

		g_test_message("row %u, %s", i, reason);
		g_assert_true((code <= -32001 && code >= -32005) || code == -32600 ||
			      code == -32601 || code == -32602 || code == -32603 || code == -32700);
		g_assert_true(*reason != '\0' &&
			      strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789-") ==
				      strlen(reason));
		g_assert_true(*sentence != '\0' && !g_str_has_suffix(sentence, "."));
		g_assert_true(*hint != '\0' && !g_str_has_suffix(hint, "."));
		/* No place where anything could be put in. */
		g_assert_null(strchr(sentence, '%'));
		g_assert_null(strchr(hint, '%'));
		/* Two sentences of one reason, which programs need not tell apart. */
		if (i != PVS_ERROR_DENIED_SECTION && i != PVS_ERROR_DENIED_DERIVE_UNVERIFIED)
			g_assert_true(
				g_hash_table_add(seen, g_strdup_printf("%d %s", code, reason)));
	}
}

static void test_own_errors(void)
{
	static const PvsError own[] = {PVS_ERROR_CONFIG, PVS_ERROR_SYSTEM, PVS_ERROR_LAST_};

	for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
		g_assert_cmpint(pvs_error_code(own[i]), ==, -32603);
		g_assert_cmpstr(pvs_error_reason(own[i]), ==, "internal");
	}
}

static void test_fail(void)
{
	g_autoptr(GError) error = NULL, copy = NULL;

	g_assert_false(pvs_fail(NULL, PVS_ERROR_PARSE, "/a", "b"));
	g_assert_false(pvs_fail(&error, PVS_ERROR_NO_CCK, "/cck", "prod"));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_NO_CCK);
	g_assert_cmpstr(error->message, ==, pvs_error_sentence(PVS_ERROR_NO_CCK));
	g_assert_cmpstr(pvs_error_param(error), ==, "/cck");
	g_assert_cmpstr(pvs_error_name(error), ==, "prod");
	copy = g_error_copy(error);
	g_clear_error(&error);
	g_assert_cmpstr(pvs_error_param(copy), ==, "/cck");
	g_assert_cmpstr(pvs_error_name(copy), ==, "prod");
}

static void test_prefix(void)
{
	g_autoptr(GError) error = NULL, bare = NULL;

	pvs_fail(&error, PVS_ERROR_HOST_KEY_TYPE, "/document", NULL);
	pvs_error_prefix_param(error, "/host_keys/0");
	g_assert_cmpstr(pvs_error_param(error), ==, "/host_keys/0/document");
	pvs_fail(&bare, PVS_ERROR_HOST_KEY_TYPE, NULL, NULL);
	g_assert_null(pvs_error_param(bare));
	pvs_error_prefix_param(bare, "/host_keys/1");
	g_assert_cmpstr(pvs_error_param(bare), ==, "/host_keys/1");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/error/rows", test_rows);
	g_test_add_func("/error/own", test_own_errors);
	g_test_add_func("/error/fail", test_fail);
	g_test_add_func("/error/prefix", test_prefix);
	return g_test_run();
}

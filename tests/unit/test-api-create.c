/* SPDX-License-Identifier: MIT */
/*
 * test-api-create.c - what the create methods have besides a target, and what goes together
 */
#include "protocol/api.h"

#include <string.h>

#include "protocol/error.h"
#include "protocol/secret-type.h"

#define TARGET "\"image\":\"se\",\"host_keys\":[{\"name\":\"h\"}]"
#define NAME31 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"

static gboolean decode(PvsMethod method, const char *members, PvsParams *params, GError **error)
{
	g_autofree char *text = g_strdup_printf("{" TARGET "%s%s}", *members ? "," : "", members);
	g_autoptr(JsonNode) node = json_from_string(text, NULL);

	g_assert_nonnull(node);
	*params = (PvsParams){.max_host_keys = 3};
	return pvs_params_decode(method, json_node_get_object(node), params, error);
}

static void test_meta(void)
{
	g_auto(PvsParams) p = {.name = NULL};

	g_assert_true(decode(PVS_METHOD_CREATE_META, "", &p, NULL));
	g_assert_cmpuint(p.value_kind, ==, PVS_VALUE_NONE);
	g_assert_null(p.user_data);
	g_assert_false(p.no_verify);
}

static void test_update_cck(void)
{
	g_auto(PvsParams) p = {.name = NULL};

	g_assert_true(decode(PVS_METHOD_CREATE_UPDATE_CCK, "\"new_cck\":\"next\",\"cck\":\"now\"",
			     &p, NULL));
	g_assert_cmpuint(p.value_kind, ==, PVS_VALUE_NONE);
	g_assert_cmpstr(p.new_cck, ==, "next");
	g_assert_cmpstr(p.cck, ==, "now");
}

static void test_retrievable(void)
{
	g_auto(PvsParams) p = {.name = NULL};

	g_assert_true(decode(PVS_METHOD_CREATE_RETRIEVABLE,
			     "\"name\":\"n\",\"type\":\"ec\",\"curve\":\"ed448\",\"secret\":"
			     "{\"value\":\"3\"},\"use_name\":true,\"no_verify\":true,"
			     "\"extension_secret\":\"e\",\"user_data\":\"QUI=\","
			     "\"user_sign_key\":\"s\",\"pcf\":\"8000000000000001\"",
			     &p, NULL));
	g_assert_cmpstr(p.kind, ==, "ec");
	g_assert_cmpstr(p.curve, ==, "ed448");
	g_assert_cmpuint(p.value_kind, ==, PVS_VALUE_GIVEN);
	g_assert_cmpuint(p.value, ==, 3);
	g_assert_true(p.use_name && p.no_verify);
	g_assert_cmpstr(p.extension_secret, ==, "e");
	g_assert_cmpstr(p.user_sign_key, ==, "s");
	g_assert_cmpmem(g_bytes_get_data(p.user_data, NULL), g_bytes_get_size(p.user_data), "AB",
			2);
	g_assert_cmphex(p.flags, ==, G_GUINT64_CONSTANT(0x8000000000000001));
}

static void test_derive(void)
{
	g_auto(PvsParams) p = {.name = NULL};

	g_assert_true(decode(PVS_METHOD_CREATE_ASSOCIATION,
			     "\"name\":\"n\",\"secret\":{\"derive\":true},\"user_data\":\"\"", &p,
			     NULL));
	g_assert_cmpuint(p.value_kind, ==, PVS_VALUE_DERIVED);
	/* Empty is not the same as absent. */
	g_assert_nonnull(p.user_data);
	g_assert_cmpuint(g_bytes_get_size(p.user_data), ==, 0);
}

static void test_bad(void)
{
	static const struct {
		PvsMethod method;
		const char *members;
		PvsError code; /* PVS_ERROR_LAST_: it is good */
		const char *at;
	} rows[] = {
#define ASSOCIATION PVS_METHOD_CREATE_ASSOCIATION, "\"name\":\"n\","
#define META	    PVS_METHOD_CREATE_META, ""
#define PLAIN                          \
	PVS_METHOD_CREATE_RETRIEVABLE, \
		"\"name\":\"n\",\"type\":\"plain\",\"secret\":{\"value\":\"1\"},"
#define RETRIEVABLE PVS_METHOD_CREATE_RETRIEVABLE, "\"name\":\"n\",\"secret\":{\"value\":\"1\"},"
		{META "\"name\":\"n\"", PVS_ERROR_PARAM_UNKNOWN, NULL},
		{META "\"secret\":{\"random\":true}", PVS_ERROR_PARAM_UNKNOWN, NULL},
		{META "\"use_name\":true", PVS_ERROR_PARAM_UNKNOWN, NULL},
		{META "\"new_cck\":\"c\"", PVS_ERROR_PARAM_UNKNOWN, NULL},
		{META "\"extension_secret\":\"a/b\"", PVS_ERROR_PARAM_KEY_NAME,
		 "/extension_secret"},
		{META "\"extension_secret\":\"e\",\"cck\":\"c\"", PVS_ERROR_PARAM_EXTENSION,
		 "/extension_secret"},
		{META "\"user_sign_key\":\"../k\"", PVS_ERROR_PARAM_KEY_NAME, "/user_sign_key"},
		{META "\"user_data\":\"QUI\"", PVS_ERROR_PARAM_BASE64, "/user_data"},
		{META "\"user_data\":7", PVS_ERROR_PARAM_TYPE, "/user_data"},
		{META "\"no_verify\":1", PVS_ERROR_PARAM_TYPE, "/no_verify"},
		{META "\"no_verify\":\"true\"", PVS_ERROR_PARAM_TYPE, "/no_verify"},
		{META "\"no_verify\":null", PVS_ERROR_PARAM_TYPE, "/no_verify"},
		{META "\"pcf\":\"0\"", PVS_ERROR_LAST_, NULL},
		{META "\"pcf\":\"\"", PVS_ERROR_PARAM_PCF, "/pcf"},
		{META "\"pcf\":\"0x1\"", PVS_ERROR_PARAM_PCF, "/pcf"},
		{META "\"pcf\":\"00000000000000001\"", PVS_ERROR_PARAM_PCF, "/pcf"},
		{META "\"pcf\":\" 1\"", PVS_ERROR_PARAM_PCF, "/pcf"},
		{META "\"pcf\":1", PVS_ERROR_PARAM_TYPE, "/pcf"},
		{META "\"pcf\":\"0\",\"flags\":[]", PVS_ERROR_PARAM_FLAGS_OR_PCF, "/pcf"},
		{ASSOCIATION "\"type\":\"aes\"", PVS_ERROR_PARAM_UNKNOWN, NULL},
		{ASSOCIATION "\"use_name\":\"yes\"", PVS_ERROR_PARAM_TYPE, "/use_name"},
		{PVS_METHOD_CREATE_ASSOCIATION, "\"name\":\"" NAME31 "\",\"use_name\":true",
		 PVS_ERROR_LAST_, NULL},
		{PVS_METHOD_CREATE_ASSOCIATION, "\"name\":\"n" NAME31 "\",\"use_name\":true",
		 PVS_ERROR_PARAM_USE_NAME, "/name"},
		{PVS_METHOD_CREATE_ASSOCIATION, "\"name\":\"n" NAME31 "\",\"use_name\":false",
		 PVS_ERROR_LAST_, NULL},
		/* Bytes count, not characters. */
		{PVS_METHOD_CREATE_ASSOCIATION,
		 "\"name\":\"\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc"
		 "\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\\u00fc\",\"use_name\":true",
		 PVS_ERROR_PARAM_USE_NAME, "/name"},
		{PLAIN "\"use_name\":true", PVS_ERROR_LAST_, NULL},
		{PLAIN "\"curve\":\"ed25519\"", PVS_ERROR_PARAM_CURVE, "/curve"},
		{PLAIN "\"curve\":\"\"", PVS_ERROR_PARAM_CURVE, "/curve"},
		{RETRIEVABLE "\"use_name\":true", PVS_ERROR_PARAM_MISSING, "/type"},
		{RETRIEVABLE "\"type\":\"ec\"", PVS_ERROR_PARAM_CURVE, "/curve"},
		{RETRIEVABLE "\"type\":\"ec\",\"curve\":\"secp256k1\"", PVS_ERROR_PARAM_CURVE,
		 "/curve"},
		{RETRIEVABLE "\"type\":\"PLAIN\"", PVS_ERROR_PARAM_RETRIEVABLE, "/type"},
		{RETRIEVABLE "\"type\":\"association\"", PVS_ERROR_PARAM_RETRIEVABLE, "/type"},
		{RETRIEVABLE "\"type\":3", PVS_ERROR_PARAM_TYPE, "/type"},
		{PVS_METHOD_CREATE_RETRIEVABLE, "\"name\":\"n\",\"type\":\"aes\"",
		 PVS_ERROR_PARAM_MISSING, "/secret"},
		{PVS_METHOD_CREATE_RETRIEVABLE,
		 "\"name\":\"n\",\"type\":\"aes\",\"secret\":{\"random\":true}",
		 PVS_ERROR_PARAM_SECRET_VALUE, "/secret"},
		{PVS_METHOD_CREATE_RETRIEVABLE,
		 "\"name\":\"n\",\"type\":\"aes\",\"secret\":{\"derive\":true}",
		 PVS_ERROR_PARAM_SECRET_VALUE, "/secret"},
		{PVS_METHOD_CREATE_RETRIEVABLE, "\"type\":\"plain\",\"secret\":{\"value\":\"1\"}",
		 PVS_ERROR_PARAM_MISSING, "/name"},
		{PVS_METHOD_CREATE_UPDATE_CCK, "\"cck\":\"c\"", PVS_ERROR_PARAM_MISSING,
		 "/new_cck"},
		{PVS_METHOD_CREATE_UPDATE_CCK, "\"new_cck\":\"/c\"", PVS_ERROR_PARAM_KEY_NAME,
		 "/new_cck"},
		{PVS_METHOD_CREATE_UPDATE_CCK, "\"new_cck\":\"c\",\"name\":\"n\"",
		 PVS_ERROR_PARAM_UNKNOWN, NULL},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PvsParams) p = {.name = NULL};
		g_autoptr(GError) error = NULL;
		gboolean good = decode(rows[i].method, rows[i].members, &p, &error);

		g_test_message("%s: %s", pvs_method_name(rows[i].method), rows[i].members);
		g_assert_cmpint(good, ==, rows[i].code == PVS_ERROR_LAST_);
		if (good)
			continue;
		g_assert_error(error, PVS_ERROR, (gint)rows[i].code);
		g_assert_cmpstr(pvs_error_param(error), ==, rows[i].at);
		g_assert_true(!p.user_data && !p.extension_secret && !p.user_sign_key &&
			      !p.new_cck);
	}
}

static void test_user_data_size(void)
{
	for (gsize size = 510; size <= 516; size++) {
		guint8 bytes[520] = {0};
		g_autofree char *base64 = g_base64_encode(bytes, size);
		g_autofree char *member = g_strdup_printf("\"user_data\":\"%s\"", base64);
		g_auto(PvsParams) p = {.name = NULL};
		g_autoptr(GError) error = NULL;

		g_assert_cmpint(decode(PVS_METHOD_CREATE_META, member, &p, &error), ==,
				size <= 512);
		if (size > 512)
			g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_USER_DATA);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/api-create/meta", test_meta);
	g_test_add_func("/api-create/update-cck", test_update_cck);
	g_test_add_func("/api-create/retrievable", test_retrievable);
	g_test_add_func("/api-create/derive", test_derive);
	g_test_add_func("/api-create/bad", test_bad);
	g_test_add_func("/api-create/user-data-size", test_user_data_size);
	return g_test_run();
}

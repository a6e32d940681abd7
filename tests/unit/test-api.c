/* SPDX-License-Identifier: MIT */
/*
 * test-api.c - parameters: each field with what it takes and what it refuses, and where
 */
#include "protocol/api.h"

#include <string.h>

#include "protocol/error.h"

/* What every good create call has; a row replaces members by its own. */
static char *create_text(const char *name, const char *value)
{
	static char *header_base64;
	guint8 header[PVS_HEADER_FIXED + sizeof(PvsKeyslot) + 16 + 16] = {0};
	const guint32 version = GUINT32_TO_BE(0x100), size = GUINT32_TO_BE(sizeof header);
	const guint64 keyslots = GUINT64_TO_BE(1), encrypted = GUINT64_TO_BE(16);
	GString *text = g_string_new("{");
	const char *members[][2] = {{"name", "\"secret\""},
				    {"hdr", NULL},
				    {"host_keys", "[{\"document\":\"QUJD\"}]"},
				    {name, value}};

	if (!header_base64) {
		memcpy(header, "IBMSecEx", 8);
		memcpy(header + 8, &version, sizeof version);
		memcpy(header + 12, &size, sizeof size);
		memcpy(header + 32, &keyslots, sizeof keyslots);
		memcpy(header + 40, &encrypted, sizeof encrypted);
		memset(header + sizeof header - 16, 0x7a, 16); /* the tag */
		header_base64 = g_base64_encode(header, sizeof header);
	}
	for (guint i = 0; i < G_N_ELEMENTS(members); i++) {
		if (!members[i][0] || (i < 3 && g_strcmp0(members[i][0], name) == 0))
			continue;
		if (i == 3 && !value)
			continue;
		g_string_append_printf(text, "%s\"%s\":", text->len > 1 ? "," : "", members[i][0]);
		if (i == 1)
			g_string_append_printf(text, "\"%s\"", header_base64);
		else
			g_string_append(text, members[i][1]);
	}
	g_string_append_c(text, '}');
	return g_string_free(text, FALSE);
}

static gboolean decode(PvsMethod method, const char *text, PvsParams *params, GError **error)
{
	g_autoptr(JsonNode) node = json_from_string(text, NULL);

	g_assert_nonnull(node);
	*params = (PvsParams){.max_host_keys = 3};
	return pvs_params_decode(method, json_node_get_object(node), params, error);
}

static gboolean is_clear(const PvsParams *p)
{
	return !p->name && !p->image && !p->cck && !p->extension_secret && !p->new_cck &&
	       !p->user_sign_key && !p->user_data && !p->document && !p->host_keys.items &&
	       !p->certs.items && !p->crls.items && p->host_keys.n + p->certs.n + p->crls.n == 0;
}

static void test_all(void)
{
	g_autofree char *text = create_text("more", "1");
	g_auto(PvsParams) p = {.name = NULL};
	g_autoptr(GError) error = NULL;
	const PvsHostKey *keys;
	gsize size;

	g_free(text);
	text = create_text("host_keys",
			   "[{\"document\":\"-----BEGIN CERTIFICATE-----\\nQUJD\\n\"},"
			   "{\"name\":\"z16-1.a\"},{\"document\":\"QUJD\"}],"
			   "\"cck\":\"prod\",\"cuid\":\"00112233445566778899aabbCCDDEEFF\","
			   "\"flags\":[\"disable-dump\",\"disable-dump\"],"
			   "\"certificates\":[\"QUI=\"],\"crls\":[],\"secret\":{\"value\":\"17\"}");
	g_assert_true(decode(PVS_METHOD_CREATE_ASSOCIATION, text, &p, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(p.name, ==, "secret");
	g_assert_cmpuint(p.tags.tag[0], ==, 0x7a);
	g_assert_cmpuint(p.tags.pld[0], ==, 0);
	g_assert_cmpuint(p.host_keys.n, ==, 3);
	keys = p.host_keys.items;
	/* PEM is passed on as it is, base64 as what it stands for. */
	g_assert_cmpmem(g_bytes_get_data(keys[0].document, NULL),
			g_bytes_get_size(keys[0].document), "-----BEGIN CERTIFICATE-----\nQUJD\n",
			33);
	g_assert_null(keys[0].name);
	g_assert_cmpstr(keys[1].name, ==, "z16-1.a");
	g_assert_null(keys[1].document);
	g_assert_cmpmem(g_bytes_get_data(keys[2].document, &size), size, "ABC", 3);
	g_assert_cmpstr(p.cck, ==, "prod");
	g_assert_cmpuint(p.cuid[1], ==, 0x11);
	g_assert_cmpuint(p.cuid[15], ==, 0xff);
	g_assert_cmpuint(p.flags, ==, PVS_FLAG_DISABLE_DUMP);
	g_assert_cmpuint(p.certs.n, ==, 1);
	g_assert_cmpuint(p.crls.n, ==, 0);
	g_assert_cmpuint(p.value_kind, ==, PVS_VALUE_GIVEN);
	g_assert_cmpuint(p.value, ==, 17);
}

static void test_least(void)
{
	g_autofree char *text = create_text(NULL, NULL);
	g_auto(PvsParams) p = {.name = NULL};

	g_assert_true(decode(PVS_METHOD_CREATE_ASSOCIATION, text, &p, NULL));
	g_assert_cmpuint(p.value_kind, ==, PVS_VALUE_RANDOM);
	g_assert_null(p.cck);
	g_assert_cmpuint(p.flags, ==, 0);
	g_assert_cmpuint(p.cuid[0], ==, 0);
}

/* Instead of a header: there is no test of both at once but in test_fields(). */
static void test_image(void)
{
	static const char text[] = "{\"name\":\"n\",\"image\":\"se.1\","
				   "\"host_keys\":[{\"name\":\"h\"}]}";
	g_auto(PvsParams) p = {.name = NULL};
	g_autoptr(GError) error = NULL;

	g_assert_true(decode(PVS_METHOD_CREATE_ASSOCIATION, text, &p, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(p.image, ==, "se.1");
	g_assert_false(p.has_header);
}

/* A CUID of zeros is the word for none. */
static void test_cuid(void)
{
	static const struct {
		const char *cuid;
		gboolean expected;
	} rows[] = {{"\"00000000000000000000000000000000\"", FALSE},
		    {"\"00000000000000000000000000000001\"", TRUE},
		    {"\"80000000000000000000000000000000\"", TRUE},
		    {NULL, FALSE}};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = create_text("cuid", rows[i].cuid);
		g_auto(PvsParams) p = {.name = NULL};

		g_assert_true(decode(PVS_METHOD_CREATE_ASSOCIATION, text, &p, NULL));
		g_assert_cmpint(pvs_params_have_cuid(&p), ==, rows[i].expected);
	}
}

typedef struct {
	const char *name;
	const char *value; /* NULL: absent */
	PvsError code;	   /* PVS_ERROR_LAST_: none */
	const char *at;
} Row;

#define GOOD PVS_ERROR_LAST_

static void test_fields(void)
{
	static const Row rows[] = {
		{"name", NULL, PVS_ERROR_PARAM_MISSING, "/name"},
		{"name", "\"\"", GOOD, NULL},
		{"name", "1", PVS_ERROR_PARAM_TYPE, "/name"},
		{"name", "null", PVS_ERROR_PARAM_TYPE, "/name"},
		{"name", "[\"a\"]", PVS_ERROR_PARAM_TYPE, "/name"},
		{"name", "\"\\u00fc \\n/..\"", GOOD, NULL},
		{"hdr", NULL, PVS_ERROR_PARAM_MISSING, "/hdr"},
		{"hdr", "7", PVS_ERROR_PARAM_TYPE, "/hdr"},
		/* A header or the name of one, and not both. */
		{"image", "\"se.1\"", PVS_ERROR_PARAM_IMAGE, "/image"},
		{"image", "\"../se\"", PVS_ERROR_PARAM_KEY_NAME, "/image"},
		{"image", "\"\"", PVS_ERROR_PARAM_KEY_NAME, "/image"},
		{"image", "7", PVS_ERROR_PARAM_TYPE, "/image"},
		{"hdr", "\"QUJD\\n\"", PVS_ERROR_PARAM_BASE64, "/hdr"},
		{"hdr", "\"QUI\"", PVS_ERROR_PARAM_BASE64, "/hdr"},
		{"hdr", "\"\"", PVS_ERROR_HEADER_SHORT, "/hdr"},
		{"hdr", "\"QUJD\"", PVS_ERROR_HEADER_SHORT, "/hdr"},
		{"host_keys", NULL, PVS_ERROR_PARAM_MISSING, "/host_keys"},
		{"host_keys", "{}", PVS_ERROR_PARAM_TYPE, "/host_keys"},
		{"host_keys", "\"QUJD\"", PVS_ERROR_PARAM_TYPE, "/host_keys"},
		{"host_keys", "[]", PVS_ERROR_PARAM_HOST_KEYS, "/host_keys"},
		{"host_keys", "[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]", GOOD, NULL},
		{"host_keys",
		 "[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"d\"}]",
		 PVS_ERROR_PARAM_HOST_KEYS, "/host_keys"},
		{"host_keys", "[{\"name\":\"a\"},\"QUJD\"]", PVS_ERROR_PARAM_TYPE, "/host_keys/1"},
		{"host_keys", "[{}]", PVS_ERROR_PARAM_HOST_KEY, "/host_keys/0"},
		{"host_keys", "[{\"name\":\"a\",\"document\":\"QUJD\"}]", PVS_ERROR_PARAM_HOST_KEY,
		 "/host_keys/0"},
		{"host_keys", "[{\"name\":\"a\",\"SECRET\":1}]", PVS_ERROR_PARAM_UNKNOWN,
		 "/host_keys/0"},
		{"host_keys", "[{\"name\":\"../a\"}]", PVS_ERROR_PARAM_KEY_NAME,
		 "/host_keys/0/name"},
		{"host_keys", "[{\"name\":1}]", PVS_ERROR_PARAM_TYPE, "/host_keys/0/name"},
		{"host_keys", "[{\"document\":1}]", PVS_ERROR_PARAM_TYPE, "/host_keys/0/document"},
		{"host_keys", "[{\"document\":\"\"}]", PVS_ERROR_HOST_KEY_FORMAT,
		 "/host_keys/0/document"},
		{"host_keys", "[{\"document\":\"QUJD\"},{\"document\":\"QUJ\"}]",
		 PVS_ERROR_PARAM_BASE64, "/host_keys/1/document"},
		{"host_keys", "[{\"document\":\"word -----BEGIN \"}]", GOOD, NULL},
		{"cck", "\"a/b\"", PVS_ERROR_PARAM_KEY_NAME, "/cck"},
		{"cck", "\"\"", PVS_ERROR_PARAM_KEY_NAME, "/cck"},
		{"cck", "\".a\"", PVS_ERROR_PARAM_KEY_NAME, "/cck"},
		{"cck", "{\"value\":\"a\"}", PVS_ERROR_PARAM_TYPE, "/cck"},
		{"cck", "null", PVS_ERROR_PARAM_TYPE, "/cck"},
		{"cuid", "\"00112233445566778899aabbccddeeff\"", GOOD, NULL},
		{"cuid", "\"0x112233445566778899aabbccddeeff\"", PVS_ERROR_PARAM_CUID, "/cuid"},
		{"cuid", "\"00112233445566778899aabbccddeef\"", PVS_ERROR_PARAM_CUID, "/cuid"},
		{"cuid", "\"00112233445566778899aabbccddeeff0\"", PVS_ERROR_PARAM_CUID, "/cuid"},
		{"cuid", "\"g0112233445566778899aabbccddeeff\"", PVS_ERROR_PARAM_CUID, "/cuid"},
		{"cuid", "42", PVS_ERROR_PARAM_TYPE, "/cuid"},
		{"flags", "[]", GOOD, NULL},
		{"flags", "\"disable-dump\"", PVS_ERROR_PARAM_TYPE, "/flags"},
		{"flags", "[\"disable-dump\",\"x\"]", PVS_ERROR_PARAM_FLAG, "/flags/1"},
		{"flags", "[0]", PVS_ERROR_PARAM_TYPE, "/flags/0"},
		{"certificates", "\"QUJD\"", PVS_ERROR_PARAM_TYPE, "/certificates"},
		{"certificates", "[1]", PVS_ERROR_PARAM_TYPE, "/certificates/0"},
		{"certificates", "[\"QUJD\",\"~\"]", PVS_ERROR_PARAM_BASE64, "/certificates/1"},
		{"crls", "[\"\"]", PVS_ERROR_CRL_FORMAT, "/crls/0"},
		{"certificates", "[\"\"]", PVS_ERROR_CERT_FORMAT, "/certificates/0"},
		{"secret", "{\"random\":true}", GOOD, NULL},
		{"secret", "{\"random\":false}", PVS_ERROR_PARAM_SECRET, "/secret"},
		{"secret", "{\"random\":1}", PVS_ERROR_PARAM_SECRET, "/secret"},
		{"secret", "{}", PVS_ERROR_PARAM_SECRET, "/secret"},
		{"secret", "{\"derive\":true}", GOOD, NULL},
		{"secret", "{\"derive\":false}", PVS_ERROR_PARAM_SECRET, "/secret"},
		{"secret", "{\"derive\":\"true\"}", PVS_ERROR_PARAM_SECRET, "/secret"},
		{"secret", "{\"derive\":true,\"random\":true}", PVS_ERROR_PARAM_SECRET, "/secret"},
		{"secret", "{\"random\":true,\"value\":\"0\"}", PVS_ERROR_PARAM_SECRET, "/secret"},
		{"secret", "true", PVS_ERROR_PARAM_TYPE, "/secret"},
		{"secret", "{\"value\":0}", PVS_ERROR_PARAM_TYPE, "/secret/value"},
		{"secret", "{\"value\":\"\"}", GOOD, NULL},
		{"secret", "{\"value\":\"!\"}", PVS_ERROR_PARAM_BASE64, "/secret/value"},
		{"secret", "{\"value\":\"-1\"}", PVS_ERROR_PARAM_BASE64, "/secret/value"},
		{"secret", "{\"value\":\"99999999999\"}", PVS_ERROR_PARAM_BASE64, "/secret/value"},
		{"secret", "{\"value\":\"0\"}", GOOD, NULL},
		{"CCK", "\"a\"", PVS_ERROR_PARAM_UNKNOWN, NULL},
		{"", "1", PVS_ERROR_PARAM_UNKNOWN, NULL},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = create_text(rows[i].name, rows[i].value);
		g_auto(PvsParams) p = {.name = NULL};
		g_autoptr(GError) error = NULL;
		gboolean good = decode(PVS_METHOD_CREATE_ASSOCIATION, text, &p, &error);

		g_test_message("%s: %s", rows[i].name, rows[i].value);
		if (rows[i].code == GOOD) {
			g_assert_no_error(error);
			g_assert_true(good);
			continue;
		}
		g_assert_error(error, PVS_ERROR, (gint)rows[i].code);
		g_assert_false(good);
		g_assert_cmpstr(pvs_error_param(error), ==, rows[i].at);
		g_assert_cmpstr(pvs_error_name(error), ==, NULL);
		g_assert_cmpstr(error->message, ==, pvs_error_sentence(rows[i].code));
		g_assert_true(is_clear(&p));
	}
}

static void test_sizes(void)
{
	for (gsize over = 0; over <= 1; over++) {
		g_autofree char *name = g_strnfill(PVS_SECRET_NAME_MAX + over, 'n');
		g_autofree char *name_value = g_strdup_printf("\"%s\"", name);
		g_autofree char *text = create_text("name", name_value);
		g_autoptr(GString) list = g_string_new("[");
		g_autofree char *key = g_strnfill(PVS_KEY_NAME_MAX + over, 'k');
		g_autofree char *key_value = g_strdup_printf("\"%s\"", key);
		g_autofree char *with_key = create_text("cck", key_value);
		g_auto(PvsParams) p = {.name = NULL};
		g_autoptr(GError) error = NULL;

		decode(PVS_METHOD_CREATE_ASSOCIATION, text, &p, &error);
		if (over)
			g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_NAME);
		else
			g_assert_no_error(error);
		pvs_params_clear(&p);
		g_clear_error(&error);

		decode(PVS_METHOD_CREATE_ASSOCIATION, with_key, &p, &error);
		if (over)
			g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_KEY_NAME);
		else
			g_assert_no_error(error);
		pvs_params_clear(&p);
		g_clear_error(&error);

		for (gsize i = 0; i < PVS_CERTS_MAX + over; i++)
			g_string_append_printf(list, "%s\"QUJD\"", i ? "," : "");
		g_string_append_c(list, ']');
		for (guint i = 0; i < 2; i++) {
			const char *member = i ? "crls" : "certificates";
			g_autofree char *with = create_text(member, list->str);

			decode(PVS_METHOD_CREATE_ASSOCIATION, with, &p, &error);
			if (over)
				g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_CERTS);
			else
				g_assert_no_error(error);
			if (over)
				g_assert_cmpstr(pvs_error_param(error) + 1, ==, member);
			pvs_params_clear(&p);
			g_clear_error(&error);
		}
	}
}

/* As large as a message between the processes can hold, in either form. */
static void test_document_size(void)
{
	for (gsize over = 0; over <= 1; over++) {
		g_autofree guchar *bytes = g_malloc0(PVS_DOCUMENT_MAX + over);
		g_autofree char *base64 = g_base64_encode(bytes, PVS_DOCUMENT_MAX + over);
		g_autofree char *pem = g_strnfill(PVS_DOCUMENT_MAX + over, 'x');
		const char *const both[] = {base64, pem};

		memcpy(pem, "-----BEGIN ", 11);
		for (guint i = 0; i < 2; i++) {
			g_autofree char *text =
				g_strdup_printf("{\"host_key_document\":\"%s\"}", both[i]);
			g_auto(PvsParams) p = {.name = NULL};
			g_autoptr(GError) error = NULL;

			decode(PVS_METHOD_VERIFY_HOST_KEY, text, &p, &error);
			if (over) {
				g_assert_error(error, PVS_ERROR, PVS_ERROR_HOST_KEY_FORMAT);
				g_assert_cmpstr(pvs_error_param(error), ==, "/host_key_document");
			} else {
				g_assert_no_error(error);
				g_assert_cmpuint(g_bytes_get_size(p.document), ==,
						 PVS_DOCUMENT_MAX);
			}
		}
	}
}

static void test_methods(void)
{
	static const struct {
		const char *name;
		guint params;
		const char *first;
	} rows[] = {{"create_association", 16, "name"},
		    {"create_meta", 13, "hdr"},
		    {"create_retrievable", 18, "name"},
		    {"create_update_cck", 14, "new_cck"},
		    {"verify_request", 2, "request"},
		    {"describe_request", 1, "request"},
		    {"verify_host_key", 3, "host_key_document"},
		    {"list_ccks", 0, NULL},
		    {"get_access", 0, NULL},
		    {"get_status", 0, NULL},
		    {"ping", 0, NULL}};
	static const char *const none[] = {"", "Ping", "ping ", "create_", "rpc.discover"};
	g_autoptr(GError) error = NULL;
	PvsMethod method = PVS_METHOD_LAST_;

	G_STATIC_ASSERT(G_N_ELEMENTS(rows) == PVS_METHOD_LAST_);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_true(pvs_method_find(rows[i].name, &method, &error));
		g_assert_cmpuint(g_strv_length((char **)pvs_method_params(method)), ==,
				 rows[i].params);
		g_assert_cmpstr(pvs_method_params(method)[0], ==, rows[i].first);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(none); i++) {
		method = PVS_METHOD_LAST_;
		g_assert_false(pvs_method_find(none[i], &method, &error));
		g_assert_error(error, PVS_ERROR, PVS_ERROR_METHOD);
		g_assert_cmpuint(method, ==, PVS_METHOD_LAST_);
		g_clear_error(&error);
	}
}

static void test_verify_host_key(void)
{
	static const Row rows[] = {
		{"{}", NULL, PVS_ERROR_PARAM_MISSING, "/host_key_document"},
		{"{\"host_key_document\":[]}", NULL, PVS_ERROR_PARAM_TYPE, "/host_key_document"},
		{"{\"host_key_document\":\"QUJD\",\"hdr\":\"\"}", NULL, PVS_ERROR_PARAM_UNKNOWN,
		 NULL},
		{"{\"host_key_document\":\"QUJD\",\"crls\":[0]}", NULL, PVS_ERROR_PARAM_TYPE,
		 "/crls/0"},
	};
	g_auto(PvsParams) good = {.name = NULL};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PvsParams) p = {.name = NULL};
		g_autoptr(GError) error = NULL;

		g_assert_false(decode(PVS_METHOD_VERIFY_HOST_KEY, rows[i].name, &p, &error));
		g_assert_error(error, PVS_ERROR, (gint)rows[i].code);
		g_assert_cmpstr(pvs_error_param(error), ==, rows[i].at);
		g_assert_true(is_clear(&p));
	}
	g_assert_true(decode(PVS_METHOD_VERIFY_HOST_KEY,
			     "{\"host_key_document\":\"QUJD\",\"certificates\":[\"QQ==\"]}", &good,
			     NULL));
	g_assert_cmpuint(g_bytes_get_size(good.document), ==, 3);
	g_assert_cmpuint(good.certs.n, ==, 1);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/api/all", test_all);
	g_test_add_func("/api/least", test_least);
	g_test_add_func("/api/image", test_image);
	g_test_add_func("/api/cuid", test_cuid);
	g_test_add_func("/api/fields", test_fields);
	g_test_add_func("/api/sizes", test_sizes);
	g_test_add_func("/api/document-size", test_document_size);
	g_test_add_func("/api/methods", test_methods);
	g_test_add_func("/api/verify-host-key", test_verify_host_key);
	return g_test_run();
}

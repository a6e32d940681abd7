/* SPDX-License-Identifier: MIT */
/*
 * test-front.c - each method from the call to its result, secrets, and what is as large as it gets
 *
 * The front is the real one; see stage.h.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/locked.h"
#include "daemon/role.h"
#include "protocol/api.h"
#include "protocol/encoding.h"
#include "protocol/error.h"
#include "tests/unit/plain-request.h"
#include "tests/unit/stage-fixture.h"

/* Not in main(): a child process that is a front of its own makes one as well. */
#ifdef PVS_CAGE_LOG
#define CAGE "log"
#else
#define CAGE "kill"
#endif

static void make_arena(void)
{
	g_autoptr(GError) error = NULL;

	if (!pvs_locked_kind() && !pvs_locked_init(pvs_role_front.locked_size, &error))
		g_error("%s", error->message);
}

static void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	make_arena();
	fixture_set_up(f, NULL);
}

static char *json_of(JsonObject *object)
{
	g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

	json_node_set_object(node, object);
	return json_to_string(node, FALSE);
}

/* ---- what is asked, and what comes of it ---- */

static void test_create(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *more =
		g_strdup(",\"cck\":\"prod.1\",\"cuid\":\"00112233445566778899AABBCCDDEEFF\","
			 "\"flags\":[\"disable-dump\"],\"certificates\":[\"QUJD\"],"
			 "\"crls\":[\"QUJD\",\"-----BEGIN X509 CRL-----\\n\"]");
	g_autofree char *text = text_create("1", "document", more);
	g_autoptr(JsonObject) result = NULL;
	g_autofree guchar *request = NULL;
	JsonObject *key, *secret, *cck;
	g_autofree char *id = g_strnfill(64, 'd');
	g_autofree char *tag = NULL;
	gsize size;

	for (gsize i = 0; i < 64; i += 2)
		id[i] = '1';
	client_send(f->client, text);

	g_assert_cmpuint(f->stage.verifies, ==, 1);
	g_assert_cmpuint(f->stage.keys, ==, 1);
	g_assert_cmpuint(f->stage.certs, ==, 1);
	g_assert_cmpuint(f->stage.crls, ==, 2);
	g_assert_cmpmem(f->stage.document, f->stage.document_size, "document", 8);
	g_assert_cmpuint(f->stage.builds, ==, 1);
	g_assert_cmpuint(f->stage.build.type, ==, PVS_SECRET_ASSOCIATION);
	g_assert_cmpuint(f->stage.build.value_kind, ==, PVS_VALUE_RANDOM);
	g_assert_cmpuint(f->stage.build.flags, ==, PVS_FLAG_DISABLE_DUMP);
	g_assert_cmpuint(f->stage.build.cuid[0], ==, 0x00);
	g_assert_cmpuint(f->stage.build.cuid[15], ==, 0xff);
	g_assert_cmpuint(f->stage.build.tags[sizeof(PvsHeaderTags) - 1], ==, 0x7a);
	g_assert_cmpuint(f->stage.build.tags[0], ==, 0);
	g_assert_cmpstr(f->stage.name, ==, "secret");
	g_assert_cmpstr(f->stage.cck, ==, "prod.1");

	result = client_expect_result(f->client, "1");
	g_assert_cmpuint(json_object_get_size(result), ==, 5);
	request = g_base64_decode(json_object_get_string_member(result, "request"), &size);
	g_assert_cmpuint(size, >, sizeof(PvsRequestHead));
	tag = pvs_hex(request + size - PVS_TAG_SIZE, PVS_TAG_SIZE);
	g_assert_cmpstr(json_object_get_string_member(result, "tag"), ==, tag);
	secret = json_object_get_object_member(result, "secret");
	g_assert_cmpstr(json_object_get_string_member(secret, "type"), ==, "association");
	g_assert_cmpstr(json_object_get_string_member(secret, "name"), ==, "secret");
	g_assert_cmpstr(json_object_get_string_member(secret, "id"), ==, id);
	key = json_array_get_object_element(json_object_get_array_member(result, "host_keys"), 0);
	g_assert_true(g_str_has_prefix(json_object_get_string_member(key, "phkh"), "a0a0a0"));
	g_assert_cmpstr(json_object_get_string_member(key, "subject"), ==, "CN=host 0");
	g_assert_cmpstr(json_object_get_string_member(key, "valid_until"), ==,
			"2000-02-29T00:00:00Z");
	cck = json_object_get_object_member(result, "cck");
	g_assert_cmpstr(json_object_get_string_member(cck, "name"), ==, "prod.1");
	g_assert_cmpstr(json_object_get_string_member(cck, "check_value"), ==, "c4c4c4c4c4c4c4c4");
}

static void test_create_by_name(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *params = g_strdup_printf("{\"name\":\"n\",\"hdr\":\"%s\",\"host_keys\":"
						  "[{\"name\":\"z16\"},{\"document\":\"QUJD\"}]}",
						  text_header());
	g_autoptr(JsonObject) result = NULL;

	fixture_call(f, "1", "create_association", params);
	g_assert_cmpuint(f->stage.keys, ==, 2);
	g_assert_cmpstr(f->stage.host_key, ==, "z16");
	g_assert_cmpstr(f->stage.cck, ==, NULL);
	result = client_expect_result(f->client, "1");
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(result, "host_keys")),
			 ==, 2);
	g_assert_false(json_object_has_member(result, "cck"));
}

static void test_verify_host_key(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(JsonObject) result = NULL;
	g_autofree char *text = NULL;

	fixture_call(f, "1", "verify_host_key",
		     "{\"host_key_document\":\"-----BEGIN CERTIFICATE-----\\n\",\"crls\":[]}");
	g_assert_cmpuint(f->stage.examines, ==, 1);
	g_assert_cmpmem(f->stage.document, f->stage.document_size, "-----BEGIN CERTIFICATE-----\n",
			28);
	result = client_expect_result(f->client, "1");
	text = json_of(result);
	g_assert_cmpstr(
		text, ==,
		"{\"phkh\":\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\","
		"\"subject\":\"CN=examined\",\"valid_until\":\"2099-12-31T23:59:59Z\","
		"\"until\":\"1970-01-01T00:00:01Z\",\"chain\":[{\"role\":\"host-key\","
		"\"subject\":\"CN=examined\",\"serial\":\"01ab\","
		"\"valid_from\":\"1970-01-01T00:00:00Z\","
		"\"valid_until\":\"2099-12-31T23:59:59Z\"},{\"role\":\"crl\","
		"\"subject\":\"CN=issuer\",\"serial\":\"\","
		"\"valid_from\":\"1970-01-01T00:00:00Z\","
		"\"valid_until\":\"1970-01-01T00:00:00Z\"}]}");
}

/* The least request: nothing of it but the outer form is looked at here. */
static char *text_request(gsize *size)
{
	static const guint8 start[] = {'a', 's', 'r', 'c', 'b', 'M', 0, 0,
				       0,   0,	 1,   0,   0,	0,   5, 0x48};
	guint8 request[0x548] = {0};

	memcpy(request, start, sizeof start);
	request[0x027] = 1;
	request[0x02f] = 32;
	request[0x030] = 0x80;
	request[0x108] = 0xc1;
	request[0x4b8] = 0xaa;
	request[0x50b] = PVS_SECRET_NULL;
	*size = 0x548;
	request[0x547] = 0x7a;
	return g_base64_encode(request, *size);
}

static void test_verify_request(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	gsize size;
	g_autofree char *request = text_request(&size);
	g_autofree char *params =
		g_strdup_printf("{\"request\":\"%s\",\"user_certificate\":\"QUJD\"}", request);
	g_autoptr(JsonObject) result = NULL;
	g_autofree char *text = NULL;

	fixture_call(f, "1", "verify_request", params);
	g_assert_cmpuint(f->stage.examines, ==, 1);
	result = client_expect_result(f->client, "1");
	text = json_of(result);
	g_assert_cmpstr(text, ==,
			"{\"user_data_type\":\"rsa-3072\",\"user_data\":\"dXNlciBkYXRh\"}");
	/* What is no request is not asked about. */
	fixture_call(f, "2", "verify_request", "{\"request\":\"QUJD\"}");
	client_expect_error(f->client, "2", PVS_ERROR_PARAM_REQUEST, "/request");
	fixture_call(f, "3", "describe_request", "{\"request\":\"QUJD\"}");
	client_expect_error(f->client, "3", PVS_ERROR_PARAM_REQUEST, "/request");
	g_assert_cmpuint(f->stage.examines, ==, 1);
}

static char *describe(Fixture *f, const char *id, const char *request)
{
	g_autofree char *params = g_strdup_printf("{\"request\":\"%s\"}", request);
	g_autoptr(JsonObject) result = NULL;

	fixture_call(f, id, "describe_request", params);
	result = client_expect_result(f->client, id);
	g_assert_cmpuint(f->stage.examines, ==, 0);
	return json_of(result);
}

static void test_describe_request(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	gsize size;
	g_autofree char *request = text_request(&size);
	g_autofree char *text = describe(f, "1", request);
	g_autofree char *zeros = g_strnfill(320, '0');
	g_autofree char *expected = g_strdup_printf(
		"{\"version\":256,\"size\":1352,\"encrypted_size\":32,\"iv\":\"%.24s\","
		"\"flags\":[\"disable-dump\"],\"pcf\":\"8000000000000000\","
		"\"cuid\":\"c1%.30s\",\"pld\":\"%.128s\",\"ald\":\"%.128s\","
		"\"tld\":\"%.128s\",\"header_tag\":\"%.32s\",\"customer_key\":\"%s\","
		"\"host_keys\":[{\"phkh\":\"aa%.62s\"}],"
		"\"secret\":{\"type\":\"meta\",\"size\":0},\"user_data_type\":\"none\","
		"\"tag\":\"%.30s7a\"}",
		zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros, zeros);

	g_assert_cmpstr(text, ==, expected);
}

/* A secret that has a name has an id, and user data are where they stand. */
static void test_describe_named(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const PlainRequest what = {PVS_USER_DATA_UNSIGNED, 1, PVS_SECRET_AES_256, 32, 1};
	g_autoptr(GByteArray) bytes = plain_request(&what);
	const PvsRequestHead *head = (const PvsRequestHead *)bytes->data;
	g_autofree char *request = g_base64_encode(bytes->data, bytes->len);
	g_autofree char *text = describe(f, "1", request);
	g_autofree char *user_data = g_base64_encode(head->user_data, sizeof head->user_data);
	g_autofree char *end = g_strdup_printf("\"user_data_type\":\"unsigned\","
					       "\"user_data\":\"%s\",\"tag\":\""
					       "e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5\"}",
					       user_data);

	g_assert_nonnull(strstr(text, "\"flags\":[],\"pcf\":\"0000000000000001\","));
	g_assert_nonnull(strstr(text, "\"secret\":{\"type\":\"aes-256-key\",\"size\":32,\"id\":\""
				      "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d"
				      "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d\"},"));
	g_assert_true(g_str_has_suffix(text, end));
}

static void test_list_ccks(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(JsonObject) result = NULL;
	g_autofree char *text = NULL;

	fixture_call(f, "1", "list_ccks", "{}");
	result = client_expect_result(f->client, "1");
	text = json_of(result);
	g_assert_cmpstr(text, ==,
			"{\"ccks\":[{\"name\":\"one\",\"check_value\":\"0000000000000000\"},"
			"{\"name\":\"two\",\"check_value\":\"2222222222222222\"}]}");
}

static void test_get_status(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(JsonObject) result = NULL;
	g_autoptr(GRegex) uptimes = g_regex_new("(\"uptime_sec\":)\\d+", 0, 0, NULL);
	g_autofree char *raw = NULL;
	g_autofree char *text = NULL;

	fixture_call(f, "1", "get_status", "{}");
	result = client_expect_result(f->client, "1");
	g_assert_cmpint(json_object_get_int_member(result, "uptime_sec"), >=, 100);
	g_assert_cmpint(json_object_get_int_member(result, "uptime_sec"), <, 200);
	raw = json_of(result);
	g_assert_nonnull(strstr(raw, "\"pid\":11,\"uptime_sec\":10"));
	g_assert_null(strstr(raw, "\"pid\":12,\"uptime_sec\":10"));
	text = g_regex_replace(uptimes, raw, -1, 0, "\\1N", 0, NULL);
	g_assert_cmpstr(text, ==,
			"{\"version\":\"" PACKAGE_VERSION "\",\"api_version\":1,\"uptime_sec\":N,"
			"\"generation\":4,\"restarts\":2,\"connections\":9,\"workers\":["
			"{\"role\":\"monitor\",\"pid\":11,\"uptime_sec\":N},"
			"{\"role\":\"vault\",\"pid\":12,\"uptime_sec\":N}],"
			"\"counters\":{\"built\":7,\"refused\":3},\"cage\":\"" CAGE "\","
			"\"locked_memory\":{\"kind\":\"memfd_secret\",\"used\":4096,\"peak\":8192,"
			"\"threads\":2},\"cck_count\":2,\"extension_secret_count\":3,"
			"\"user_sign_key_count\":4,\"image_count\":5,"
			"\"has_association_master\":true,\"trust\":{\"entries\":[{"
			"\"kind\":\"signing-key\",\"file\":\"ibm-sign.crt\","
			"\"subject\":\"CN=signing key\",\"serial\":\"02\","
			"\"valid_from\":\"1970-01-01T00:00:00Z\","
			"\"valid_until\":\"2000-02-29T00:00:00Z\",\"good\":true}]},"
			"\"reload_error\":\"a bad file\",\"warnings\":[\"something expires\"]}");
}

static void test_bad_calls(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	fixture_call(f, "1", "create_association", "{}");
	client_expect_error(f->client, "1", PVS_ERROR_PARAM_MISSING, "/name");
	fixture_call(f, "1", "create_associations", "{}");
	client_expect_error(f->client, "1", PVS_ERROR_METHOD, NULL);
	g_assert_cmpuint(f->stage.verifies, ==, 0);
}

static void test_refused(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->stage.trust.refuses = PVS_ERROR_HOST_KEY_REVOKED;
	f->stage.trust.param = "/host_keys/0/document";
	fixture_create(f, "1", "revoked");
	client_expect_error(f->client, "1", PVS_ERROR_HOST_KEY_REVOKED, "/host_keys/0/document");
	/* Nothing is remembered of it: the next asks again. */
	fixture_create(f, "2", "revoked");
	client_expect_error(f->client, "2", PVS_ERROR_HOST_KEY_REVOKED, "/host_keys/0/document");
	g_assert_cmpuint(f->stage.verifies, ==, 2);
	g_assert_cmpuint(f->stage.builds, ==, 0);

	f->stage.trust.param = "/host_key_document";
	fixture_call(f, "3", "verify_host_key", "{\"host_key_document\":\"QUJD\"}");
	client_expect_error(f->client, "3", PVS_ERROR_HOST_KEY_REVOKED, "/host_key_document");

	f->stage.trust.refuses = PVS_ERROR_PARSE;
	f->stage.vault.refuses = PVS_ERROR_NO_CCK;
	f->stage.vault.param = "/cck";
	fixture_create(f, "4", "good");
	client_expect_error(f->client, "4", PVS_ERROR_NO_CCK, "/cck");
	/* The grant is as good as before. */
	f->stage.vault.refuses = PVS_ERROR_PARSE;
	fixture_create(f, "5", "good");
	fixture_expect_result(f, "5");
	g_assert_cmpuint(f->stage.verifies, ==, 3);
}

/* ---- secrets ---- */

static void create_with(Fixture *f, const char *value)
{
	g_autofree char *more = g_strdup_printf(",\"secret\":{\"value\":\"%s\"}", value);
	g_autofree char *text = text_create("1", "host", more);

	client_send(f->client, text);
}

static void test_given_secret(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	guint8 secret[33];
	gsize used = pvs_locked_used();

	for (guint i = 0; i < sizeof secret; i++)
		secret[i] = (guint8)(255 - i);
	for (gsize size = 31; size <= 33; size++) {
		g_autofree char *base64 = g_base64_encode(secret, size);

		create_with(f, base64);
		if (size != 32) {
			client_expect_error(f->client, "1", PVS_ERROR_PARAM_SECRET_SIZE,
					    "/secret/value");
			continue;
		}
		fixture_expect_result(f, "1");
		g_assert_cmpuint(f->stage.build.value_kind, ==, PVS_VALUE_GIVEN);
		g_assert_cmpuint(f->stage.build.value.size, ==, 32);
		g_assert_cmpmem(f->stage.value, 32, secret, 32);
	}
	create_with(f, "");
	client_expect_error(f->client, "1", PVS_ERROR_PARAM_SECRET_SIZE, "/secret/value");
	create_with(f, "~");
	client_expect_error(f->client, "1", PVS_ERROR_PARAM_BASE64, "/secret/value");
	create_with(f, "00000000000000000000000000000000000000000000000000000000000000~~");
	client_expect_error(f->client, "1", PVS_ERROR_PARAM_BASE64, "/secret/value");
	/* Numbers are what stands there afterwards; a client's own are just not base64. */
	create_with(f, "0");
	client_expect_error(f->client, "1", PVS_ERROR_PARAM_BASE64, "/secret/value");
	g_assert_cmpuint(f->stage.builds, ==, 1);
	/* Nothing stays behind. */
	g_assert_cmpuint(pvs_locked_used(), ==, used);
}

/* Of no bytes: a plaintext may be that, and nothing else. */
static void test_empty_secret(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const types[] = {"aes", "plain"};
	gsize used = pvs_locked_used();

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		g_autofree char *params =
			g_strdup_printf("{\"name\":\"n\",\"type\":\"%s\",\"secret\":{\"value\":"
					"\"\"},\"hdr\":\"%s\","
					"\"host_keys\":[{\"document\":\"QUJD\"}]}",
					types[i], text_header());

		fixture_call(f, "1", "create_retrievable", params);
		if (i == 0) {
			client_expect_error(f->client, "1", PVS_ERROR_PARAM_SECRET_SIZE,
					    "/secret/value");
			continue;
		}
		fixture_expect_result(f, "1");
		g_assert_cmpuint(f->stage.build.type, ==, PVS_SECRET_PLAINTEXT);
		g_assert_cmpuint(f->stage.build.value_kind, ==, PVS_VALUE_GIVEN);
		g_assert_cmpuint(f->stage.build.value.size, ==, 0);
	}
	g_assert_cmpuint(f->stage.builds, ==, 1);
	g_assert_cmpuint(pvs_locked_used(), ==, used);
}

/* Each call of a batch gets its own. */
static void test_secrets_of_a_batch(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GString) text = g_string_new("[");
	gsize used = pvs_locked_used();

	f->stage.vault.waits = TRUE;
	for (guint i = 0; i < 20; i++) {
		guint8 secret[32];
		g_autofree char *base64 = NULL, *more = NULL, *one = NULL;

		memset(secret, (int)(0x50 + i), sizeof secret);
		base64 = g_base64_encode(secret, sizeof secret);
		more = g_strdup_printf(",\"secret\":{\"value\":\"%s\"}", base64);
		one = text_create("1", "host", more);
		g_string_append_printf(text, "%s%s", i ? "," : "", one);
	}
	g_string_append_c(text, ']');
	client_send(f->client, text->str);
	for (guint i = 0; i < 20; i++) {
		/* The last that was asked: sixteen at a time, then one for each that is answered.
		 */
		g_assert_cmpuint(f->stage.value[0], ==, 0x50 + MIN(15 + i, 19));
		g_assert_cmpuint(f->stage.value[31], ==, 0x50 + MIN(15 + i, 19));
		stage_answer(&f->stage, &f->stage.vault);
		stage_settle();
	}
	g_assert_cmpuint(f->stage.builds, ==, 20);
	g_free(client_line(f->client));
	g_assert_cmpuint(pvs_locked_used(), ==, used);
}

static void test_no_room_for_secrets(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	const char value[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(pvs_locked_free);
	gpointer memory;

	for (gsize size = 65536; size >= 16; size /= 2)
		while ((memory = pvs_locked_alloc(size)))
			g_ptr_array_add(all, memory);
	/* The call is told so, not left without an answer. */
	create_with(f, value);
	client_expect_error(f->client, "1", PVS_ERROR_TOO_FAST, "/secret/value");
	/* Without a secret of its own there is nothing to keep, but the question has to stand there
	 * as well. */
	fixture_create(f, "2", "host");
	client_expect_error(f->client, "2", PVS_ERROR_TOO_FAST, NULL);
	g_ptr_array_set_size(all, 0);
	create_with(f, value);
	fixture_expect_result(f, "1");
}

/* ---- documents as large as they get ---- */

static void set_up_large(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	make_arena();
	stage_init(&f->stage);
	f->stage.start.message_size = 2 * 1024 * 1024;
	f->stage.start.max_host_keys = 255;
	stage_open(&f->stage);
	f->client = client_new(&f->stage);
}

static void test_large_documents(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *filler = NULL, *params = NULL;
	gsize most = PVS_DOCUMENT_MAX - strlen("-----BEGIN ");

	for (guint over = 0; over <= 1; over++) {
		filler = g_strnfill(most + over, 'x');
		params = g_strdup_printf("{\"host_key_document\":\"-----BEGIN %s\"}", filler);
		fixture_call(f, "1", "verify_host_key", params);
		if (over)
			client_expect_error(f->client, "1", PVS_ERROR_HOST_KEY_FORMAT,
					    "/host_key_document");
		else
			fixture_expect_result(f, "1");
		g_clear_pointer(&filler, g_free);
		g_clear_pointer(&params, g_free);
	}
	g_assert_cmpuint(f->stage.examines, ==, 1);
	g_assert_cmpuint(f->stage.document_size, ==, PVS_DOCUMENT_MAX);
}

/* As much as a text can hold, in as many pieces as there may be: it fits into a message to trust.
 */
static void test_largest_call(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GString) more = g_string_new(",\"certificates\":[");
	g_autofree char *filler = g_strnfill(1040000, 'x');
	g_autofree char *text = NULL;

	for (guint i = 0; i < PVS_CERTS_MAX; i++)
		g_string_append_printf(more, "%s\"%s\"", i ? "," : "", i ? "QQ==" : "");
	g_string_append(more, "],\"crls\":[");
	for (guint i = 0; i < PVS_CERTS_MAX; i++)
		g_string_append_printf(more, "%s\"QQ==\"", i ? "," : "");
	g_string_append(more, "]");
	/* The first certificate takes what is left. */
	g_string_insert(more, 18, "-----BEGIN ");
	g_string_insert(more, 29, filler);
	text = text_create("1", "host", more->str);
	g_assert_cmpuint(strlen(text), <, 2 * 1024 * 1024);
	client_send(f->client, text);
	fixture_expect_result(f, "1");
	g_assert_cmpuint(f->stage.certs, ==, PVS_CERTS_MAX);
	g_assert_cmpuint(f->stage.crls, ==, PVS_CERTS_MAX);
}

/* ---- a sibling that breaks the rules ---- */

/* The front as a process of its own, with the test as monitor, trust and vault. Returns its exit
 * status after trust has said what it may not. */
static int run_with_bad_trust(gboolean bad)
{
	Stage s;
	const PvsPeers peers = {.generation = 1};
	int to_monitor[2], to_trust[2], to_vault[2], status;
	pid_t pid;

	stage_init(&s);
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, to_monitor), ==, 0);
	pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		close(to_monitor[0]);
		if (dup2(to_monitor[1], PVS_CHANNEL_FD) < 0)
			_exit(99);
		_exit(pvs_role_main(&pvs_role_front));
	}
	close(to_monitor[1]);
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, to_trust), ==, 0);
	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, to_vault), ==, 0);
	{
		static const PvsHandlerRow rows[] = {{0, NULL}};
		g_autoptr(PvsChannel) monitor = pvs_channel_new(to_monitor[0], PVS_ROLE_MONITOR,
								PVS_ROLE_FRONT, rows, NULL, NULL);
		g_autoptr(PvsChannel) trust = pvs_channel_new(to_trust[0], PVS_ROLE_TRUST,
							      PVS_ROLE_FRONT, rows, NULL, NULL);
		g_auto(PvsWriter) start = pvs_writer();
		g_auto(PvsWriter) body = pvs_writer();

		pvs_body_put(&start, pvs_front_start_fields, &s.start);
		pvs_channel_send(monitor, PVS_MESSAGE_START, 0, &start, NULL);
		pvs_body_put(&body, pvs_peers_fields, &peers);
		pvs_channel_send(monitor, PVS_MESSAGE_PEERS, 0, &body,
				 (const int[]){to_trust[1], to_vault[1]});
		close(to_trust[1]);
		/* An answer to nothing that was asked. */
		if (bad) {
			const PvsVerified verified = {.until = 1};
			g_auto(PvsWriter) w = pvs_writer();

			pvs_body_put(&w, pvs_verified_fields, &verified);
			pvs_channel_send(trust, PVS_MESSAGE_VERIFIED, 1, &w, NULL);
		} else {
			shutdown(to_monitor[0], SHUT_WR);
		}
		g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	}
	close(to_vault[0]);
	close(to_vault[1]);
	g_string_free(s.order, TRUE);
	g_assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_bad_sibling(void)
{
	/* Where all is well it ends when the monitor does. */
	g_assert_cmpint(run_with_bad_trust(FALSE), ==, 0);
	g_assert_cmpint(run_with_bad_trust(TRUE), ==, 70);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*test)(Fixture *f, gconstpointer data);
	} rows[] = {
		{"/front/create", test_create},
		{"/front/create-by-name", test_create_by_name},
		{"/front/verify-host-key", test_verify_host_key},
		{"/front/verify-request", test_verify_request},
		{"/front/describe-request", test_describe_request},
		{"/front/describe-named", test_describe_named},
		{"/front/list-ccks", test_list_ccks},
		{"/front/get-status", test_get_status},
		{"/front/bad-calls", test_bad_calls},
		{"/front/refused", test_refused},
		{"/front/secret/given", test_given_secret},
		{"/front/secret/empty", test_empty_secret},
		{"/front/secret/of-a-batch", test_secrets_of_a_batch},
		{"/front/secret/no-room", test_no_room_for_secrets},
	};

	g_test_init(&argc, &argv, NULL);
	/* Before anything else: its child starts as a process of one thread. */
	g_test_add_func("/front/bad-sibling", test_bad_sibling);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_test_add(rows[i].name, Fixture, NULL, set_up, rows[i].test, fixture_tear_down);
	g_test_add("/front/large/documents", Fixture, NULL, set_up_large, test_large_documents,
		   fixture_tear_down);
	g_test_add("/front/large/call", Fixture, NULL, set_up_large, test_largest_call,
		   fixture_tear_down);
	return g_test_run();
}

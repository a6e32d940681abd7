/* SPDX-License-Identifier: MIT */
/*
 * test-record.c - what the audit log says of a call: whatever a call is, it makes a line that can
 * be read
 */
#include "daemon/vault/record.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "protocol/error.h"
#include "protocol/secret-type.h"

static const PvsAddFront nobody = {.uid = G_MAXUINT32, .gid = G_MAXUINT32};

/* The line that a record makes, which any reader takes; frees @record. */
static JsonObject *line_of(GString *record, const char *event, gsize most)
{
	GString *line = g_string_new(NULL);
	PvsAuditChain chain = {.n = G_MAXINT64 / 2}, before = chain;
	g_autoptr(JsonNode) root = NULL;
	JsonObject *object;

	pvs_audit_append(line, &chain, 253402300799, event, record->str);
	g_test_message("%s: %" G_GSIZE_FORMAT " bytes", event, line->len);
	g_assert_cmpuint(line->len, <=, most);
	g_assert_cmpint(pvs_audit_check(&before, line->str, line->len - 1), ==, PVS_AUDIT_GOOD);
	root = json_from_string(line->str, NULL);
	g_assert_nonnull(root);
	object = json_object_ref(json_node_get_object(root));
	g_string_free(record, TRUE);
	g_string_free(line, TRUE);
	return object;
}

static const char *text_of(JsonObject *line, const char *member)
{
	g_assert_true(json_object_has_member(line, member));
	return json_object_get_string_member(line, member);
}

static guint length_of(JsonObject *line, const char *member)
{
	return json_array_get_length(json_object_get_array_member(line, member));
}

/* Everything that a call can name, and as long as it can be. */
static PvsBuild longest_build(const char *name)
{
	static char key[PVS_KEY_NAME_MAX + 1];
	PvsBuild build = {
		.pid = G_MAXUINT32,
		.image = key,
		.flags = G_MAXUINT64,
		.type = PVS_SECRET_ASSOCIATION,
		.value_kind = PVS_VALUE_DERIVED,
		.name = (char *)name,
		.use_name = 1,
		.cck = key,
		.extension_secret = key,
		.new_cck = key,
		.user_sign_key = key,
		.no_verify = 1,
	};

	memset(key, 'k', PVS_KEY_NAME_MAX);
	memset(build.tags, 1, sizeof build.tags);
	memset(build.cuid, 1, sizeof build.cuid);
	return build;
}

static void test_longest_call(void)
{
	g_autofree char *name = g_strnfill(PVS_SECRET_NAME_MAX, '\x01');
	g_autofree guint8 *points = g_malloc0_n(PVS_HOST_KEYS_MAX, PVS_POINT_SIZE);
	PvsBuild build = longest_build(name);
	GString *record = pvs_record_build(&nobody, &build);
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonObject) line = NULL, refused = NULL;

	pvs_record_host_keys(record, points, PVS_HOST_KEYS_MAX);
	pvs_audit_hex(record, "id", points, PVS_ID_SIZE);
	pvs_fail(&error, PVS_ERROR_DENIED_NO_VERIFY, "/no_verify", NULL);
	pvs_record_outcome(record, error);
	line = line_of(record, "create_association", PVS_AUDIT_LINE_MAX / 2);
	g_assert_cmpuint(length_of(line, "host_keys"), ==, PVS_HOST_KEYS_MAX);

	/* What is refused before its host keys are looked at costs its caller nothing: so it must
	 * not cost the disk much. */
	record = pvs_record_build(&nobody, &build);
	pvs_record_outcome(record, error);
	refused = line_of(record, "create_association", 4096);
	g_assert_cmpuint(strlen(text_of(refused, "name")), ==, 256);
}

/* A name that is cut is told apart from others, and no character is. */
static void test_names(void)
{
	static const struct {
		const char *piece;
		guint times, shown; /* bytes */
	} rows[] = {
		{"a", 1, 0},
		{"a", 256, 0},
		{"a", 257, 256},
		{"a", 4096, 256},
		{"\n", 4096, 256},
		{"\xc3\xa4", 128, 0},
		{"\xc3\xa4", 129, 256},
		{"\xe2\x82\xac", 85, 0},
		{"\xe2\x82\xac", 86, 255},
		{"\xf0\x9d\x84\x9e", 65, 256},
		{"\xf0\x9d\x84\x9e", 1024, 256},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		GString *name = g_string_new(NULL);
		g_autofree char *hash = NULL, *shown = NULL;
		g_autoptr(JsonObject) line = NULL;
		PvsBuild build;

		for (guint n = 0; n < rows[i].times; n++)
			g_string_append(name, rows[i].piece);
		build = (PvsBuild){.type = PVS_SECRET_ASSOCIATION, .name = name->str};
		line = line_of(pvs_record_build(&nobody, &build), "create_association", 4096);
		hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name->str, -1);
		shown = g_strndup(name->str, rows[i].shown ? rows[i].shown : name->len);
		g_assert_cmpstr(text_of(line, "name"), ==, shown);
		g_assert_cmpint(json_object_has_member(line, "name_sha256"), ==, rows[i].shown > 0);
		if (rows[i].shown) {
			g_assert_cmpstr(text_of(line, "name_sha256"), ==, hash);
			g_assert_cmpint(json_object_get_int_member(line, "name_size"), ==,
					(gint64)name->len);
		}
		g_string_free(name, TRUE);
	}
}

static void test_no_name(void)
{
	PvsBuild build = {.type = PVS_SECRET_NULL};
	g_autoptr(JsonObject) line =
		line_of(pvs_record_build(&nobody, &build), "create_meta", 4096);

	g_assert_false(json_object_has_member(line, "name"));
	g_assert_false(json_object_has_member(line, "name_sha256"));
}

/* Each host key that was named is there, however many there are. */
static void test_trust(void)
{
	g_auto(PvsRecord) body = {
		.error = PVS_ERROR_PARAM_HOST_KEYS,
		.param = g_strnfill(64, '\x01'),
		.pid = G_MAXUINT32,
	};
	PvsRecordedKey *keys = pvs_list_init(&body.documents, PvsRecordedKey, PVS_HOST_KEYS_MAX);

	for (guint named = 0; named <= PVS_HOST_KEYS_MAX; named += 51) {
		g_autoptr(JsonObject) line = NULL;
		const char *event;
		GString *record;

		for (guint i = 0; i < named; i++)
			if (!keys[i].name)
				keys[i].name = g_strnfill(PVS_KEY_NAME_MAX, 'k');
		record = pvs_record_trust(&nobody, &body, &event);
		line = line_of(record, event, PVS_AUDIT_LINE_MAX / 2);
		g_assert_cmpint(json_object_has_member(line, "host_key_names"), ==, named > 0);
		g_assert_cmpint(json_object_has_member(line, "documents"), ==,
				named < PVS_HOST_KEYS_MAX);
		if (named > 0)
			g_assert_cmpuint(length_of(line, "host_key_names"), ==, named);
		if (named < PVS_HOST_KEYS_MAX)
			g_assert_cmpuint(length_of(line, "documents"), ==,
					 PVS_HOST_KEYS_MAX - named);
	}
}

static void test_grant(void)
{
	g_auto(PvsGrant) grant = {.pid = 4711};
	PvsSignedKey *keys = pvs_list_init(&grant.keys, PvsSignedKey, PVS_HOST_KEYS_MAX);
	g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "signed", -1);
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonObject) line = NULL, unverified = NULL;

	for (guint i = 0; i < grant.keys.n; i++) {
		keys[i].tbs = g_bytes_new_static("signed", 6);
		keys[i].point = g_bytes_new_static("point", 5);
	}
	pvs_fail(&error, PVS_ERROR_HOST_KEY_SIGNATURE, NULL, NULL);
	line = line_of(pvs_record_grant(&nobody, &grant, error), "grant", PVS_AUDIT_LINE_MAX / 2);
	g_assert_cmpuint(length_of(line, "signed_parts"), ==, PVS_HOST_KEYS_MAX);
	g_assert_cmpstr(json_array_get_string_element(
				json_object_get_array_member(line, "signed_parts"), 0),
			==, hash);
	g_assert_cmpint(json_object_get_int_member(line, "pid"), ==, 4711);
	g_assert_cmpstr(text_of(line, "outcome"), ==, "signature");
	g_assert_false(json_object_has_member(line, "no_verify"));

	grant.unverified = 1;
	unverified =
		line_of(pvs_record_grant(&nobody, &grant, error), "grant", PVS_AUDIT_LINE_MAX / 2);
	g_assert_cmpuint(length_of(unverified, "host_keys"), ==, PVS_HOST_KEYS_MAX);
	g_assert_true(json_object_get_boolean_member(unverified, "no_verify"));
}

/* The last guard: a line that nobody could read is not made. */
static void test_too_long(void)
{
	if (g_test_subprocess()) {
		g_autofree char *members = g_strnfill(PVS_AUDIT_MEMBERS_MAX + 1, 'x');
		GString *line = g_string_new(NULL);
		PvsAuditChain chain = {0};

		pvs_audit_append(line, &chain, 0, "x", members);
		return;
	}
	g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
	g_test_trap_assert_failed();
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/record/longest-call", test_longest_call);
	g_test_add_func("/record/names", test_names);
	g_test_add_func("/record/no-name", test_no_name);
	g_test_add_func("/record/trust", test_trust);
	g_test_add_func("/record/grant", test_grant);
	g_test_add_func("/record/too-long", test_too_long);
	return g_test_run();
}

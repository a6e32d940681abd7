/* SPDX-License-Identifier: MIT */
/*
 * test-results.c - every public field of a request, as JSON: what describe_request answers
 */
#include <string.h>

#include "daemon/front/results.h"
#include "protocol/request-view.h"
#include "tests/unit/plain-request.h"

static char *describe(const GByteArray *request)
{
	g_autoptr(GBytes) bytes = g_bytes_new(request->data, request->len);
	g_autoptr(JsonNode) node = pvs_result_described(bytes);

	return json_to_string(node, FALSE);
}

/* @digits, @n times. */
static char *repeat(const char *digits, gsize n)
{
	GString *text = g_string_new(NULL);

	while (n-- > 0)
		g_string_append(text, digits);
	return g_string_free(text, FALSE);
}

static void test_whole(void)
{
	static const PlainRequest what = {
		PVS_USER_DATA_NONE,
		2,
		PVS_SECRET_ASSOCIATION,
		32,
		PVS_FLAG_DISABLE_DUMP | G_GUINT64_CONSTANT(0x4000000000000001),
	};
	g_autoptr(GByteArray) request = plain_request(&what);
	PvsRequestHead *head = (PvsRequestHead *)request->data;
	g_autofree char *pld = repeat("a1", 64), *ald = repeat("a2", 64), *tld = repeat("a3", 64);
	g_autofree char *x = repeat("c1", 80), *y = repeat("c2", 80), *id = repeat("1d", 32);
	g_autofree char *zero = repeat("00", 32), *one = repeat("01", 32);
	g_autofree char *text = NULL, *expected = NULL;

	/* Each other than its neighbours. */
	memset(head->tags.pld, 0xa1, sizeof head->tags.pld);
	memset(head->tags.ald, 0xa2, sizeof head->tags.ald);
	memset(head->tags.tld, 0xa3, sizeof head->tags.tld);
	memset(head->customer_point, 0xc1, 80);
	memset(head->customer_point + 80, 0xc2, 80);
	text = describe(request);
	expected = g_strdup_printf(
		"{\"version\":256,\"size\":%u,\"encrypted_size\":64,"
		"\"iv\":\"555555555555555555555555\",\"flags\":[\"disable-dump\"],"
		"\"pcf\":\"c000000000000001\",\"cuid\":\"42424242424242424242424242424242\","
		"\"pld\":\"%s\",\"ald\":\"%s\",\"tld\":\"%s\","
		"\"header_tag\":\"77777777777777777777777777777777\",\"customer_key\":\"%s%s\","
		"\"host_keys\":[{\"phkh\":\"%s\"},{\"phkh\":\"%s\"}],"
		"\"secret\":{\"type\":\"association\",\"size\":32,\"id\":\"%s\"},"
		"\"user_data_type\":\"none\",\"tag\":\"e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5\"}",
		request->len, pld, ald, tld, x, y, zero, one, id);
	g_assert_cmpstr(text, ==, expected);
}

/* The two parts of the 512 bytes, for each type. */
static void test_user_data(void)
{
	static const struct {
		PvsUserDataType type;
		gsize part;
	} rows[] = {
		{PVS_USER_DATA_NONE, 0},	   {PVS_USER_DATA_UNSIGNED, 512},
		{PVS_USER_DATA_EC_SECP521R1, 256}, {PVS_USER_DATA_RSA_2048, 256},
		{PVS_USER_DATA_RSA_3072, 128},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const PlainRequest what = {rows[i].type, 1, PVS_SECRET_NULL, 0, 0};
		g_autoptr(GByteArray) request = plain_request(&what);
		guint8 *data = request->data + offsetof(PvsRequestHead, user_data);
		g_autoptr(JsonNode) node = NULL;
		g_autofree char *text = NULL, *part = NULL, *signature = NULL;
		JsonObject *object;

		for (guint k = 0; rows[i].part > 0 && k < PVS_USER_DATA_SIZE; k++)
			data[k] = (guint8)(k * 7 + 1);
		part = g_base64_encode(data, rows[i].part);
		signature = g_base64_encode(data + rows[i].part, PVS_USER_DATA_SIZE - rows[i].part);
		text = describe(request);
		node = json_from_string(text, NULL);
		object = json_node_get_object(node);
		g_assert_cmpstr(json_object_get_string_member(object, "user_data_type"), ==,
				pvs_user_data_word(rows[i].type));
		g_assert_cmpstr(
			json_object_get_string_member_with_default(object, "user_data", NULL), ==,
			rows[i].part > 0 ? part : NULL);
		g_assert_cmpstr(
			json_object_get_string_member_with_default(object, "signature", NULL), ==,
			rows[i].type > PVS_USER_DATA_UNSIGNED ? signature : NULL);
	}
}

/* Without an id, and of a type that nobody knows yet. */
static void test_secrets(void)
{
	static const PlainRequest meta = {.keyslots = 1, .secret_type = PVS_SECRET_NULL};
	static const PlainRequest other = {
		.keyslots = 1, .secret_type = 0x7777, .secret_length = 48};
	g_autoptr(GByteArray) first = plain_request(&meta), second = plain_request(&other);
	g_autofree char *without = describe(first), *unknown = describe(second);

	g_assert_nonnull(strstr(without, "\"encrypted_size\":32,"));
	g_assert_nonnull(strstr(without, "\"secret\":{\"type\":\"meta\",\"size\":0},"));
	g_assert_nonnull(strstr(unknown, "\"encrypted_size\":80,"));
	g_assert_nonnull(strstr(unknown, "\"secret\":{\"type\":\"0x7777\",\"size\":48,\"id\":"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/results/described/whole", test_whole);
	g_test_add_func("/results/described/user-data", test_user_data);
	g_test_add_func("/results/described/secrets", test_secrets);
	return g_test_run();
}

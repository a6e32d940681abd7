/* SPDX-License-Identifier: MIT */
/*
 * test-request-view.c - what can be read of a request from outside, from both sides of each limit
 */
#include <string.h>

#include "protocol/error.h"
#include "protocol/request-view.h"
#include "tests/unit/plain-request.h"

static gboolean view_of(const GByteArray *request, PvsRequestView *view)
{
	g_autoptr(GError) error = NULL;
	/* Where nothing behind it may be read, and nothing is aligned. */
	g_autofree guint8 *copy = g_malloc(request->len + 1);

	memcpy(copy + 1, request->data, request->len);
	if (pvs_request_view(copy + 1, request->len, view, &error)) {
		g_assert_true(pvs_request_view(request->data, request->len, view, NULL));
		return TRUE;
	}
	g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_REQUEST);
	return FALSE;
}

static void test_kinds(void)
{
	static const PlainRequest rows[] = {
		{PVS_USER_DATA_NONE, 1, PVS_SECRET_NULL, 0, 0},
		{PVS_USER_DATA_UNSIGNED, 2, PVS_SECRET_ASSOCIATION, 32, PVS_FLAG_DISABLE_DUMP},
		{PVS_USER_DATA_RSA_3072, 20, PVS_SECRET_PLAINTEXT, 8192, 1},
		{PVS_USER_DATA_EC_SECP521R1, 255, PVS_SECRET_UPDATE_CCK, 32, G_MAXUINT64},
		{PVS_USER_DATA_RSA_2048, 255, PVS_SECRET_PLAINTEXT, 8192, 0},
		{PVS_USER_DATA_NONE, 1, 0x7777, 48, 0},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) request = plain_request(&rows[i]);
		PvsRequestView view;

		g_assert_true(view_of(request, &view));
		g_assert_cmpuint(view.user_data_type, ==, (guint)rows[i].user_data);
		g_assert_cmpuint(view.flags, ==, rows[i].flags);
		g_assert_cmpuint(view.keyslots, ==, rows[i].keyslots);
		g_assert_cmpuint(view.secret_type, ==, rows[i].secret_type);
		g_assert_cmpuint(view.secret_length, ==, rows[i].secret_length);
		g_assert_cmphex(view.slots[(rows[i].keyslots - 1) * sizeof(PvsKeyslot)], ==,
				rows[i].keyslots - 1);
		g_assert_true((view.id == NULL) == (rows[i].secret_type == PVS_SECRET_NULL));
		if (view.id)
			g_assert_true(view.id[0] == 0x1d && view.id[31] == 0x1d &&
				      view.id[32] == 0xe5);
		g_assert_true(view.tag == request->data + request->len - PVS_TAG_SIZE);
	}
}

static void test_refused(void)
{
	static const struct {
		guint at;
		guint8 value;
	} rows[] = {
		{0x000, 'A'},  {0x005, 'm'},  {0x006, 1},    {0x007, 5},    {0x008, 1},
		{0x00a, 2},    {0x00b, 1},    {0x00c, 1},    {0x00f, 0x87}, {0x00f, 0x89},
		{0x027, 0},    {0x027, 2},    {0x027, 255},  {0x02c, 0xff}, {0x02f, 0x3f},
		{0x02f, 0x41}, {0x218, 1},    {0x50a, 0xff}, {0x50b, 1},    {0x50c, 0x80},
		{0x50f, 0x1f}, {0x50f, 0x21}, {0x50f, 0},
	};
	static const PlainRequest what = {
		.keyslots = 1, .secret_type = PVS_SECRET_ASSOCIATION, .secret_length = 32};
	g_autoptr(GByteArray) request = plain_request(&what);
	PvsRequestView view;

	g_assert_cmpuint(request->len, ==, 0x588);
	g_assert_true(view_of(request, &view));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		guint8 before = request->data[rows[i].at];
		gboolean another_type = rows[i].at == 0x50a;

		request->data[rows[i].at] = rows[i].value;
		/* A type that nobody knows yet is none of a wrong size. */
		if (view_of(request, &view) != another_type)
			g_error("0x%x at 0x%x", rows[i].value, rows[i].at);
		request->data[rows[i].at] = before;
	}
	while (request->len > 0) {
		g_byte_array_set_size(request, request->len - 1);
		g_assert_false(view_of(request, &view));
	}
}

static void test_trailing(void)
{
	static const PlainRequest what = {.keyslots = 1, .secret_type = PVS_SECRET_NULL};
	g_autoptr(GByteArray) request = plain_request(&what);
	PvsRequestView view;

	g_byte_array_append(request, (const guint8 *)"\n", 1);
	g_assert_false(view_of(request, &view));
	/* Nor where the request says so itself. */
	request->data[0x00f]++;
	g_assert_false(view_of(request, &view));
}

static void test_published(void)
{
	static const struct {
		const char *name;
		guint type;
		gboolean cuid;
	} rows[] = {
		{"null_none_default_ncuid_one", PVS_SECRET_NULL, FALSE},
		{"null_simple_default_cuid_one", PVS_SECRET_NULL, TRUE},
		{"assoc_derived_default_cuid_one", PVS_SECRET_ASSOCIATION, TRUE},
	};
	const char *assets = g_getenv("S390_TOOLS_ASSETS");

	if (!assets) {
		g_test_skip("S390_TOOLS_ASSETS is not set");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path =
			g_build_filename(assets, "exp", "asrcb", rows[i].name, NULL);
		g_autofree char *data = NULL;
		PvsRequestView view;
		gsize size;

		g_assert_true(g_file_get_contents(path, &data, &size, NULL));
		g_assert_true(pvs_request_view((const guint8 *)data, size, &view, NULL));
		g_assert_cmpuint(view.secret_type, ==, rows[i].type);
		g_assert_cmpuint(view.keyslots, ==, 1);
		g_assert_cmpuint(view.user_data_type, ==, PVS_USER_DATA_NONE);
		g_assert_cmphex(view.head->cuid[15], ==, rows[i].cuid ? 0x42 : 0);
		g_assert_cmphex(view.head->tags.tag[0], ==, 4);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/request-view/kinds", test_kinds);
	g_test_add_func("/request-view/refused", test_refused);
	g_test_add_func("/request-view/trailing", test_trailing);
	g_test_add_func("/request-view/published", test_published);
	return g_test_run();
}

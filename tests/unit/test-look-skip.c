/* SPDX-License-Identifier: MIT */
/*
 * test-look-skip.c - finding the point in the signed bytes of a host-key document
 */
#include "daemon/vault/look.h"

#include <string.h>

static void append(GByteArray *out, const char *bytes, gsize size)
{
	g_byte_array_append(out, (const guint8 *)bytes, (guint)size);
}

/* An element with a length of the given form: how many bytes it takes; 0: the shortest. */
static void element(GByteArray *out, guint8 tag, const char *content, gsize size, guint form)
{
	guint8 head[6] = {tag};
	guint n = form ? form : size < 0x80 ? 1 : size < 0x100 ? 2 : size < 0x10000 ? 3 : 4;

	if (n == 1) {
		head[1] = (guint8)size;
	} else {
		head[1] = (guint8)(0x80 | (n - 1));
		for (guint i = 0; i < n - 1; i++)
			head[2 + i] = (guint8)(size >> 8 * (n - 2 - i));
	}
	append(out, (const char *)head, 1 + n);
	append(out, content, size);
}

#define VERSION	 "\xa0\x03\x02\x01\x02"
#define ELEMENTS "\x02\x01\x05\x30\x00\x30\x00\x30\x00\x30\x00"
#define KEY_INFO                                                                               \
	"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23" \
	"\x03\x81\x86\x00\x04"
#define LITERAL(text) (text), sizeof(text) - 1

static GByteArray *inside(const char *version, gsize version_size, const char *elements,
			  gsize elements_size, const char *info, gsize info_size)
{
	GByteArray *out = g_byte_array_new();

	append(out, version, version_size);
	append(out, elements, elements_size);
	append(out, info, info_size);
	for (guint i = 0; i < 132; i++) {
		guint8 byte = (guint8)(i + 1);

		g_byte_array_append(out, &byte, 1);
	}
	return out;
}

static gboolean skips(const GByteArray *tbs, guint8 point[PVS_POINT_SIZE])
{
	/* A copy of just that size, so that a sanitizer sees a read behind it. */
	g_autofree guint8 *copy = g_memdup2(tbs->data, tbs->len);

	return pvs_look_skip(copy, tbs->len, point);
}

static gboolean skips_inside(GByteArray *content, guint8 point[PVS_POINT_SIZE])
{
	g_autoptr(GByteArray) tbs = g_byte_array_new();

	element(tbs, 0x30, (const char *)content->data, content->len, 0);
	return skips(tbs, point);
}

static void test_skip(void)
{
	g_autoptr(GByteArray) good = inside(LITERAL(VERSION), LITERAL(ELEMENTS), LITERAL(KEY_INFO));
	guint8 point[PVS_POINT_SIZE];
	static const guint8 zeros[14];

	g_assert_true(skips_inside(good, point));
	g_assert_cmpmem(point, 14, zeros, 14);
	g_assert_cmpmem(point + 80, 14, zeros, 14);
	for (guint i = 0; i < 66; i++) {
		g_assert_cmphex(point[14 + i], ==, 1 + i);
		g_assert_cmphex(point[94 + i], ==, 67 + i);
	}
	/* What stands behind the key (extensions) is not looked at. */
	append(good, LITERAL("\xa3\x02\x30\x00"));
	g_assert_true(skips_inside(good, point));
	for (guint i = 0; i < 300; i++)
		append(good, LITERAL("x"));
	g_assert_true(skips_inside(good, point));
}

static void test_skip_refuses(void)
{
	static const struct {
		const char *text;
		gsize size;
	} versions[] =
		{
			{LITERAL("")},
			{LITERAL("\xa0\x03\x02\x01\x01")},
			{LITERAL("\xa0\x03\x02\x01\x00")},
			{LITERAL("\xa0\x81\x03\x02\x01\x02")},
			{LITERAL("\xa0\x04\x02\x02\x00\x02")},
		},
	  elements[] = {
		  {LITERAL("")},
		  {LITERAL("\x02\x01\x05\x30\x00\x30\x00\x30\x00")},		     /* four */
		  {LITERAL("\x02\x01\x05\x30\x00\x30\x00\x30\x00\x30\x00\x30\x00")}, /* six */
		  {LITERAL("\x30\x00\x30\x00\x30\x00\x30\x00\x30\x00")},	     /* no serial */
		  {LITERAL("\x30\x00\x30\x00\x30\x00\x30\x00")}, /* nor anything for it */
		  {LITERAL("\x02\x01\x05\x31\x00\x30\x00\x30\x00\x30\x00")},
		  {LITERAL("\x02\x01\x05\x30\x00\x30\x00\x30\x00\x24\x00")},
		  {LITERAL(
			  "\x02\x01\x05\x30\x80\x30\x00\x30\x00\x30\x00\x30\x00")}, /* indefinite */
		  {LITERAL("\x02\x81\x01\x05\x30\x00\x30\x00\x30\x00\x30\x00")},    /* long form */
		  {LITERAL("\x02\x82\x00\x01\x05\x30\x00\x30\x00\x30\x00\x30\x00")},
		  {LITERAL("\x02\x84\x00\x00\x00\x01\x05\x30\x00\x30\x00\x30\x00\x30\x00")},
		  {LITERAL("\x02\xff\x05\x30\x00\x30\x00\x30\x00\x30\x00")},
		  {LITERAL("\x02\x01\x05\x30\x00\x30\x00\x30\x00\x30\x7f")}, /* too long */
		  {LITERAL("\x02\x01\x05\x30\x00\x30\x00\x30\x00\x30\x83\xff\xff\xff")},
	  };
	guint8 point[PVS_POINT_SIZE];

	for (gsize i = 0; i < G_N_ELEMENTS(versions); i++) {
		g_autoptr(GByteArray) bad = inside(versions[i].text, versions[i].size,
						   LITERAL(ELEMENTS), LITERAL(KEY_INFO));

		g_assert_false(skips_inside(bad, point));
	}
	for (gsize i = 0; i < G_N_ELEMENTS(elements); i++) {
		g_autoptr(GByteArray) bad = inside(LITERAL(VERSION), elements[i].text,
						   elements[i].size, LITERAL(KEY_INFO));

		g_assert_false(skips_inside(bad, point));
	}
	for (gsize i = 0; i < sizeof(KEY_INFO) - 1; i++) {
		char info[] = KEY_INFO;
		g_autoptr(GByteArray) bad = NULL;

		info[i] = (char)(info[i] ^ 1);
		bad = inside(LITERAL(VERSION), LITERAL(ELEMENTS), info, sizeof info - 1);
		g_assert_false(skips_inside(bad, point));
	}
}

static void test_skip_lengths(void)
{
	g_autoptr(GByteArray) good = inside(LITERAL(VERSION), LITERAL(ELEMENTS), LITERAL(KEY_INFO));
	guint8 point[PVS_POINT_SIZE];

	/* The outer length in every form but the shortest. */
	for (guint form = 2; form <= 5; form++) {
		g_autoptr(GByteArray) tbs = g_byte_array_new();

		element(tbs, 0x30, (const char *)good->data, good->len, form);
		g_assert_true(skips(tbs, point) == (form == 2));
	}
	{
		g_autoptr(GByteArray) tbs = g_byte_array_new();
		static const guint8 more = 0;

		element(tbs, 0x30, (const char *)good->data, good->len, 0);
		/* Cut anywhere, and with one byte behind. */
		for (gsize size = 0; size < tbs->len; size++) {
			g_autofree guint8 *copy = g_memdup2(tbs->data, size);

			g_assert_false(pvs_look_skip(copy, size, point));
		}
		g_byte_array_append(tbs, &more, 1);
		g_assert_false(skips(tbs, point));
	}
	/* Cut inside, with the right length around it. */
	for (guint size = 0; size < good->len; size++) {
		g_autoptr(GByteArray) tbs = g_byte_array_new();

		element(tbs, 0x30, (const char *)good->data, size, 0);
		g_assert_false(skips(tbs, point));
	}
	/* Long serials and names, so that lengths of two and three bytes are seen. */
	for (gsize size = 100; size < 70000; size += size < 300 ? 1 : 7919) {
		g_autofree char *filling = g_malloc0(size);
		g_autoptr(GByteArray) elements = g_byte_array_new();
		g_autoptr(GByteArray) content = NULL;

		element(elements, 0x02, "\1", 1, 0);
		for (guint i = 0; i < 4; i++)
			element(elements, 0x30, filling, i == 1 ? size : 1, 0);
		content = inside(LITERAL(VERSION), (const char *)elements->data, elements->len,
				 LITERAL(KEY_INFO));
		g_assert_true(skips_inside(content, point));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/look-skip/good", test_skip);
	g_test_add_func("/look-skip/refuses", test_skip_refuses);
	g_test_add_func("/look-skip/lengths", test_skip_lengths);
	return g_test_run();
}

/* SPDX-License-Identifier: MIT */
/*
 * test-seheader.c - the SE header: its tags, its stated sizes against what there is, where it
 * stands in an image
 */
#include "protocol/seheader.h"

#include <string.h>

#include "protocol/encoding.h"
#include "protocol/error.h"

#define KEYSLOTS  3
#define ENCRYPTED 128
#define SIZE	  (PVS_HEADER_FIXED + KEYSLOTS * 80 + ENCRYPTED + 16)
#define IMAGE	  0x20000

/* Where the fields stand, by number and not by the reader's structure. */
#define AT_VERSION   0x08
#define AT_SIZE	     0x0c
#define AT_KEYSLOTS  0x20
#define AT_ENCRYPTED 0x28
#define AT_PLD	     0xe0
#define AT_ALD	     0x120
#define AT_TLD	     0x160

static void put(guint8 *at, guint64 value, gsize size)
{
	for (gsize i = 0; i < size; i++)
		at[i] = (guint8)(value >> (8 * (size - 1 - i)));
}

static void make(guint8 *h)
{
	memset(h, 0xee, SIZE);
	memcpy(h, "IBMSecEx", 8);
	put(h + AT_VERSION, 0x100, 4);
	put(h + AT_SIZE, SIZE, 4);
	put(h + AT_KEYSLOTS, KEYSLOTS, 8);
	put(h + AT_ENCRYPTED, ENCRYPTED, 8);
	memset(h + AT_PLD, 1, 64);
	memset(h + AT_ALD, 2, 64);
	memset(h + AT_TLD, 3, 64);
	memset(h + SIZE - 16, 4, 16);
}

#define assert_row(error, row)                                            \
	G_STMT_START                                                      \
	{                                                                 \
		g_assert_error(error, PVS_ERROR, PVS_ERROR_HEADER_##row); \
		g_clear_error(&(error));                                  \
	}                                                                 \
	G_STMT_END

static void test_good(void)
{
	guint8 h[SIZE], wanted[208];
	PvsHeaderTags tags;
	g_autoptr(GError) error = NULL;
	gsize size = 0;

	make(h);
	g_assert_true(pvs_header_parse(h, SIZE, &tags, &error));
	g_assert_no_error(error);
	memset(wanted, 1, 64);
	memset(wanted + 64, 2, 64);
	memset(wanted + 128, 3, 64);
	memset(wanted + 192, 4, 16);
	g_assert_cmpmem(&tags, sizeof tags, wanted, sizeof wanted);
	g_assert_true(pvs_header_size(h, 16, &size, &error));
	g_assert_cmpuint(size, ==, SIZE);
}

/* Nothing is read behind a header that is cut, at whatever byte: each stands in room of its own
 * size, which a sanitizer watches. */
static void test_cut(void)
{
	guint8 h[SIZE];

	make(h);
	for (gsize n = 0; n < SIZE; n++) {
		g_autofree guint8 *cut = n ? g_memdup2(h, n) : g_malloc(1);
		g_autoptr(GError) error = NULL;
		PvsHeaderTags tags;

		g_assert_false(pvs_header_parse(cut, n, &tags, &error));
		assert_row(error, SHORT);
	}
}

static void test_refused(void)
{
	static const struct {
		gsize at;
		guint64 value;
		gsize size;
		PvsError error;
	} cases[] = {
		{0, 0, 1, PVS_ERROR_HEADER_MAGIC},
		{7, 'X', 1, PVS_ERROR_HEADER_MAGIC},
		{AT_VERSION, 0x101, 4, PVS_ERROR_HEADER_VERSION},
		{AT_VERSION, 0x200, 4, PVS_ERROR_HEADER_VERSION},
		{AT_VERSION, 0x00010000, 4, PVS_ERROR_HEADER_VERSION},
		{AT_SIZE, 0, 4, PVS_ERROR_HEADER_SIZES},
		{AT_SIZE, 0x1a0, 4, PVS_ERROR_HEADER_SIZES},
		{AT_SIZE, SIZE - 1, 4, PVS_ERROR_HEADER_SIZES},
		{AT_SIZE, SIZE + 1, 4, PVS_ERROR_HEADER_SIZES},
		{AT_SIZE, PVS_HEADER_MAX + 1, 4, PVS_ERROR_HEADER_SIZES},
		{AT_SIZE, 0xffffffff, 4, PVS_ERROR_HEADER_SIZES},
		{AT_KEYSLOTS, 0, 8, PVS_ERROR_HEADER_SIZES},
		{AT_KEYSLOTS, KEYSLOTS + 1, 8, PVS_ERROR_HEADER_SIZES},
		/* 80 times this is 0 modulo 2^64; and the sum wraps to the right one. */
		{AT_KEYSLOTS, KEYSLOTS + (G_GUINT64_CONSTANT(1) << 60), 8, PVS_ERROR_HEADER_SIZES},
		{AT_KEYSLOTS, G_MAXUINT64, 8, PVS_ERROR_HEADER_SIZES},
		{AT_ENCRYPTED, ENCRYPTED + 1, 8, PVS_ERROR_HEADER_SIZES},
		{AT_ENCRYPTED, ENCRYPTED - 1, 8, PVS_ERROR_HEADER_SIZES},
		{AT_ENCRYPTED, G_MAXUINT64, 8, PVS_ERROR_HEADER_SIZES},
		{AT_ENCRYPTED, G_MAXUINT64 - 15, 8, PVS_ERROR_HEADER_SIZES},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		guint8 h[SIZE];
		PvsHeaderTags tags;

		make(h);
		put(h + cases[i].at, cases[i].value, cases[i].size);
		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_false(pvs_header_parse(h, SIZE, &tags, &error));
		g_assert_error(error, PVS_ERROR, (gint)cases[i].error);
	}
}

/* Fields that lie about more than there is: short. Bytes behind: trailing. */
static void test_longer(void)
{
	g_autofree guint8 *h = g_malloc0(SIZE + 80);
	g_autoptr(GError) error = NULL;
	PvsHeaderTags tags;

	make(h);
	put(h + AT_SIZE, SIZE + 80, 4);
	put(h + AT_KEYSLOTS, KEYSLOTS + 1, 8);
	g_assert_false(pvs_header_parse(h, SIZE, &tags, &error));
	assert_row(error, SHORT);
	g_assert_true(pvs_header_parse(h, SIZE + 80, &tags, NULL));
	make(h);
	g_assert_false(pvs_header_parse(h, SIZE + 1, &tags, &error));
	assert_row(error, TRAILING);
}

static void test_size(void)
{
	guint8 h[SIZE];
	gsize size = 77;
	g_autoptr(GError) error = NULL;

	make(h);
	for (gsize n = 0; n < 16; n++) {
		g_assert_false(pvs_header_size(h, n, &size, &error));
		assert_row(error, SHORT);
	}
	put(h + AT_SIZE, PVS_HEADER_MAX, 4);
	g_assert_true(pvs_header_size(h, 16, &size, NULL));
	g_assert_cmpuint(size, ==, PVS_HEADER_MAX);
	put(h + AT_SIZE, PVS_HEADER_FIXED + 15, 4);
	g_assert_false(pvs_header_size(h, 16, &size, &error));
	assert_row(error, SIZES);
	g_assert_cmpuint(size, ==, PVS_HEADER_MAX);
}

typedef struct {
	const char *name;
	gsize loader; /* what stands at 0xc008; 0: no loader's magic */
	gsize header; /* where the header is put; G_MAXSIZE: nowhere */
	gsize n;
	gsize found; /* G_MAXSIZE: refused */
	PvsError error;
} Place;

static void test_find(void)
{
	static const Place places[] = {
		{"alone", 0, 0, SIZE, 0, 0},
		{"alone, only its start", 0, 0, 16, 0, 0},
		{"loader names it", 0x14000, 0x14000, IMAGE, 0x14000, 0},
		{"loader names it, off a page", 0x14123, 0x14123, IMAGE, 0x14123, 0},
		{"loader goes before a page", 0x14000, 0x14000, IMAGE, 0x14000, 0},
		{"at a page", 0, 0x1000, IMAGE, 0x1000, 0},
		{"at the last page", 0, 0x14000, IMAGE, 0x14000, 0},
		{"behind the last page", 0, 0x15000, IMAGE, G_MAXSIZE, PVS_ERROR_HEADER_MAGIC},
		{"off a page", 0, 0x1008, IMAGE, G_MAXSIZE, PVS_ERROR_HEADER_MAGIC},
		{"nowhere", 0, G_MAXSIZE, IMAGE, G_MAXSIZE, PVS_ERROR_HEADER_MAGIC},
		{"of nothing", 0, G_MAXSIZE, 0, G_MAXSIZE, PVS_ERROR_HEADER_MAGIC},
		{"loader names what is none", 0x14000, G_MAXSIZE, IMAGE, G_MAXSIZE,
		 PVS_ERROR_HEADER_MAGIC},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		const Place *p = &places[i];
		g_autofree guint8 *image = g_malloc0(IMAGE + SIZE);
		g_autofree guint8 *part = NULL;
		g_autoptr(GError) error = NULL;
		guint64 offset = 77;
		gsize size = 77;
		gboolean good;

		if (p->loader) {
			memcpy(image + 0xc000, "SeImgLnx", 8);
			put(image + 0xc008, p->loader, 8);
		}
		if (p->header != G_MAXSIZE)
			make(image + p->header);
		part = p->n ? g_memdup2(image, p->n) : g_malloc(1);
		good = pvs_header_find(part, p->n, &offset, &size, &error);
		g_test_message("%s", p->name);
		if (p->found != G_MAXSIZE) {
			g_assert_no_error(error);
			g_assert_cmpuint(offset, ==, p->found);
			g_assert_cmpuint(size, ==, SIZE);
		} else {
			g_assert_false(good);
			g_assert_error(error, PVS_ERROR, (gint)p->error);
		}
	}
}

/* The loader names a place that the caller has not read yet, or that is in no file. */
static void test_find_further(void)
{
	static const guint64 offsets[] = {IMAGE - 15, IMAGE, IMAGE + 1, 0x100000000, G_MAXUINT64};

	for (gsize i = 0; i < G_N_ELEMENTS(offsets); i++) {
		g_autofree guint8 *image = g_malloc0(IMAGE);
		g_autoptr(GError) error = NULL;
		guint64 offset = 77;
		gsize size = 77;

		memcpy(image + 0xc000, "SeImgLnx", 8);
		put(image + 0xc008, offsets[i], 8);
		g_assert_false(pvs_header_find(image, IMAGE, &offset, &size, &error));
		assert_row(error, SHORT);
		g_assert_cmpuint(offset, ==, offsets[i]);
		g_assert_cmpuint(size, ==, 0);
	}
}

/* A header that others made. */
static void test_published(void)
{
	const char *assets = g_getenv("S390_TOOLS_ASSETS");
	g_autofree char *path = NULL, *data = NULL, *tag = NULL;
	g_autoptr(GError) error = NULL;
	PvsHeaderTags tags;
	gsize n;

	if (!assets) {
		g_test_skip("S390_TOOLS_ASSETS is not set");
		return;
	}
	path = g_build_filename(assets, "exp", "secure_guest.hdr", NULL);
	g_assert_true(g_file_get_contents(path, &data, &n, &error));
	g_assert_true(pvs_header_parse((const guint8 *)data, n, &tags, &error));
	g_assert_no_error(error);
	tag = pvs_hex(tags.tag, sizeof tags.tag);
	g_assert_cmpstr(tag, ==, "92309d4589b9a85b427f8753171d1520");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/seheader/good", test_good);
	g_test_add_func("/seheader/cut", test_cut);
	g_test_add_func("/seheader/refused", test_refused);
	g_test_add_func("/seheader/longer", test_longer);
	g_test_add_func("/seheader/size", test_size);
	g_test_add_func("/seheader/find", test_find);
	g_test_add_func("/seheader/find/further", test_find_further);
	g_test_add_func("/seheader/published", test_published);
	return g_test_run();
}

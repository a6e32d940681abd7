/* SPDX-License-Identifier: MIT */
/*
 * test-image.c - the SE header is found in a header file or an image, and nothing else is read
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "client/failure.h"
#include "client/input.h"
#include "protocol/error.h"
#include "protocol/seheader.h"

enum {
	KEYSLOTS = 2,
	ENCRYPTED = 128,
	HEADER_SIZE = PVS_HEADER_FIXED + KEYSLOTS * 80 + ENCRYPTED + 16,
	PAGE = 4096,
};

static guint8 header[HEADER_SIZE];

static void put_be(guint8 *at, guint64 value, guint bytes)
{
	for (guint i = 0; i < bytes; i++)
		at[i] = (guint8)(value >> 8 * (bytes - 1 - i));
}

static void make_header(void)
{
	for (gsize i = 0; i < sizeof header; i++)
		header[i] = (guint8)(i * 7);
	memcpy(header, (const guint8[]){'I', 'B', 'M', 'S', 'e', 'c', 'E', 'x'}, 8);
	put_be(header + 8, 0x100, 4);
	put_be(header + 12, HEADER_SIZE, 4);
	put_be(header + 28, 0, 4);
	put_be(header + 32, KEYSLOTS, 8);
	put_be(header + 40, ENCRYPTED, 8);
}

typedef struct {
	char *directory;
	char *path;
	int fd;
} Fixture;

static void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->directory = g_dir_make_tmp("pvs-image-XXXXXX", NULL);
	f->path = g_build_filename(f->directory, "image", NULL);
	f->fd = open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	g_assert_cmpint(f->fd, >=, 0);
}

static void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	close(f->fd);
	(void)g_remove(f->path);
	g_assert_cmpint(g_rmdir(f->directory), ==, 0);
	g_free(f->path);
	g_free(f->directory);
}

static void put(Fixture *f, const void *data, gsize size, off_t offset)
{
	g_assert_cmpint(pwrite(f->fd, data, size, offset), ==, (gssize)size);
}

static void assert_found(Fixture *f)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) found = NULL;

	pvs_input_header(f->path, "LABEL", &found, &error);
	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(found, NULL), g_bytes_get_size(found), header,
			sizeof header);
}

static void assert_refused(Fixture *f, PvsError row)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) found = NULL;
	g_autofree char *expected = g_strdup_printf(
		"LABEL: %s", row == PVS_ERROR_HEADER_MAGIC
				     ? "there is no SE header in it (no IBMSecEx where one can be)"
				     : pvs_error_sentence(row));

	g_assert_false(pvs_input_header(f->path, "LABEL", &found, &error));
	g_assert_null(found);
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_cmpstr(error->message, ==, expected);
	g_assert_cmpstr(pvs_failure_hint(error), ==, pvs_error_hint(row));
}

static void test_header_alone(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	put(f, header, sizeof header, 0);
	assert_found(f);
}

static void test_header_first(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	put(f, header, sizeof header, 0);
	put(f, "the rest of an image", 20, sizeof header);
	assert_found(f);
}

static void test_pages(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 zeros[sizeof header];

	for (off_t page = 0; page < 0x15; page++) {
		put(f, header, sizeof header, page * PAGE);
		assert_found(f);
		put(f, zeros, sizeof zeros, page * PAGE);
	}
	put(f, header, sizeof header, 0x15 * PAGE);
	assert_refused(f, PVS_ERROR_HEADER_MAGIC);
}

/* The last place, where the header goes on behind what is read first. */
static void test_end_of_first_part(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	enum { MANY = 200, LARGE = PVS_HEADER_FIXED + MANY * 80 + 16 };
	g_autofree guint8 *large = g_malloc0(LARGE);
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) found = NULL;

	memcpy(large, header, PVS_HEADER_FIXED);
	put_be(large + 12, LARGE, 4);
	put_be(large + 32, MANY, 8);
	put_be(large + 40, 0, 8);
	put(f, large, LARGE, 0x14 * PAGE);
	pvs_input_header(f->path, "LABEL", &found, &error);
	g_assert_no_error(error);
	g_assert_cmpmem(g_bytes_get_data(found, NULL), g_bytes_get_size(found), large, LARGE);
}

static void put_pointer(Fixture *f, guint64 offset)
{
	guint8 pointer[16] = "SeImgLnx";

	put_be(pointer + 8, offset, 8);
	put(f, pointer, sizeof pointer, 0xc000);
}

/* Only so much is read of an image, however large it is: this one is 1 TiB. */
static void test_pointer(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const guint64 offsets[] = {0xd000,  0x14000,  0x14800,
					  0x16000, 0x100000, G_GUINT64_CONSTANT(0x140000000)};

	for (gsize i = 0; i < G_N_ELEMENTS(offsets); i++) {
		g_assert_cmpint(ftruncate(f->fd, 0), ==, 0);
		put_pointer(f, offsets[i]);
		put(f, header, sizeof header, (off_t)offsets[i]);
		if (ftruncate(f->fd, (off_t)1 << 40) < 0)
			g_test_message("no sparse file of 1 TiB here");
		assert_found(f);
	}
}

static void test_bad_pointer(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const guint64 offsets[] = {0x200000, G_MAXINT64, G_MAXUINT64 - 8, G_MAXUINT64};

	for (gsize i = 0; i < G_N_ELEMENTS(offsets); i++) {
		put_pointer(f, offsets[i]);
		g_assert_cmpint(ftruncate(f->fd, 0x100000), ==, 0);
		assert_refused(f, PVS_ERROR_HEADER_SHORT);
	}
	/* Zeros are there. */
	put_pointer(f, 0x80000);
	assert_refused(f, PVS_ERROR_HEADER_MAGIC);
}

static void test_bad_headers(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		gsize at;
		guint8 value;
		PvsError row;
	} rows[] = {
		{0, 'X', PVS_ERROR_HEADER_MAGIC},
		{10, 2, PVS_ERROR_HEADER_VERSION},
		{39, KEYSLOTS + 1, PVS_ERROR_HEADER_SIZES},
		{32, 0xff, PVS_ERROR_HEADER_SIZES},
		{47, ENCRYPTED + 1, PVS_ERROR_HEADER_SIZES},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		put(f, header, sizeof header, 0);
		put(f, &rows[i].value, 1, (off_t)rows[i].at);
		assert_refused(f, rows[i].row);
	}
}

static void test_cut(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	put(f, header, sizeof header, 0);
	g_assert_cmpint(ftruncate(f->fd, sizeof header - 1), ==, 0);
	assert_refused(f, PVS_ERROR_HEADER_SHORT);
	g_assert_cmpint(ftruncate(f->fd, 15), ==, 0);
	assert_refused(f, PVS_ERROR_HEADER_SHORT);
}

static void test_no_files(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *missing = g_build_filename(f->directory, "missing", NULL);
	const struct {
		const char *path;
		const char *why;
	} rows[] = {
		{missing, "LABEL: cannot be opened: *"},
		{f->directory, "LABEL: is a directory"},
		{"/dev/null", "LABEL: is neither a regular file nor a block device"},
	};
	g_autoptr(GBytes) found = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(pvs_input_header(rows[i].path, "LABEL", &found, &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
		g_assert_true(g_pattern_match_simple(rows[i].why, error->message));
	}
}

static void test_documents(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree guint8 *large = g_malloc0(PVS_INPUT_MAX + 1);
	g_autoptr(GBytes) exactly = NULL;
	g_autoptr(GError) error = NULL;

	g_assert_null(pvs_input_read(f->path, "LABEL", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_cmpstr(error->message, ==, "LABEL: is empty");
	g_clear_error(&error);

	put(f, large, PVS_INPUT_MAX, 0);
	exactly = pvs_input_read(f->path, "LABEL", &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_bytes_get_size(exactly), ==, PVS_INPUT_MAX);

	put(f, large, PVS_INPUT_MAX + 1, 0);
	g_assert_null(pvs_input_read(f->path, "LABEL", &error));
	g_assert_cmpstr(error->message, ==, "LABEL: is larger than 1 MiB");
	g_assert_null(strstr(pvs_failure_hint(error), "CRL"));
	g_clear_error(&error);
	g_assert_null(pvs_input_read(f->path, "--crl LABEL", &error));
	g_assert_nonnull(strstr(pvs_failure_hint(error), "a large CRL can be installed"));
}

/* What is not there is said to be that, and not a header that begins wrongly. */
static void test_no_header(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) found = NULL;

	put(f, "", 0, 0);
	g_assert_false(pvs_input_header(f->path, "LABEL", &found, &error));
	g_assert_cmpstr(error->message, ==, "LABEL: is empty");
	g_clear_error(&error);
	g_assert_false(pvs_input_header("/dev/null", "LABEL", &found, &error));
	g_assert_nonnull(strstr(pvs_failure_hint(error), "not read from a pipe"));
}

/* The command in a hint is one that can be given as it stands. */
static void test_hint(void)
{
	static const struct {
		const char *label;
		const char *command;
	} rows[] = {
		{"a.crt", "namei -l 'a.crt'"},
		{"--hdr /x y/se.img", "namei -l '/x y/se.img'"},
		{"-k a'b", "namei -l 'a'\\''b'"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		pvs_failure_system(&error, EACCES, rows[i].label, "cannot be opened");
		g_assert_true(g_str_has_suffix(pvs_failure_hint(error), rows[i].command));
	}
}

/* A header that others made. */
static void test_s390_tools(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 tag[] = {0x92, 0x30, 0x9d, 0x45, 0x89, 0xb9, 0xa8, 0x5b,
				     0x42, 0x7f, 0x87, 0x53, 0x17, 0x1d, 0x15, 0x20};
	const char *assets = g_getenv("S390_TOOLS_ASSETS");
	g_autofree char *path = NULL;
	g_autoptr(GBytes) found = NULL;
	g_autoptr(GError) error = NULL;
	PvsHeaderTags tags;
	gsize size;

	(void)f;
	if (!assets) {
		g_test_skip("S390_TOOLS_ASSETS is not set");
		return;
	}
	path = g_build_filename(assets, "exp", "secure_guest.hdr", NULL);
	pvs_input_header(path, "LABEL", &found, &error);
	g_assert_no_error(error);
	size = g_bytes_get_size(found);
	g_assert_true(pvs_header_parse(g_bytes_get_data(found, NULL), size, &tags, NULL));
	g_assert_cmpmem(tags.tag, sizeof tags.tag, tag, sizeof tag);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	make_header();
	ADD("/image/header-alone", test_header_alone);
	ADD("/image/header-first", test_header_first);
	ADD("/image/pages", test_pages);
	ADD("/image/end-of-first-part", test_end_of_first_part);
	ADD("/image/pointer", test_pointer);
	ADD("/image/bad-pointer", test_bad_pointer);
	ADD("/image/bad-headers", test_bad_headers);
	ADD("/image/cut", test_cut);
	ADD("/image/no-files", test_no_files);
	ADD("/image/documents", test_documents);
	ADD("/image/no-header", test_no_header);
	g_test_add_func("/image/hint", test_hint);
	ADD("/image/s390-tools", test_s390_tools);
	return g_test_run();
}

/* SPDX-License-Identifier: MIT */
/*
 * test-images.c - images.d: what is loaded, and each rule that a file can break
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/vault/images.h"
#include "protocol/error.h"
#include "protocol/request-layout.h"

enum { HEADER_SIZE = PVS_HEADER_FIXED + sizeof(PvsKeyslot) + 16 + 16 };

typedef struct {
	char *dir;
} Files;

static void set_up(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	f->dir = g_dir_make_tmp("pvs-images-XXXXXX", NULL);
}

static void tear_down(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(f->dir, name, NULL);

		g_remove(path);
	}
	g_rmdir(f->dir);
	g_free(f->dir);
}

/* A header whose digests and tag are all @seed. */
static void make_header(guint8 header[HEADER_SIZE], guint8 seed)
{
	const guint32 version = GUINT32_TO_BE(0x100), size = GUINT32_TO_BE(HEADER_SIZE);
	const guint64 keyslots = GUINT64_TO_BE(1), encrypted = GUINT64_TO_BE(16);

	memset(header, 0, HEADER_SIZE);
	memcpy(header, "IBMSecEx", 8);
	memcpy(header + 8, &version, sizeof version);
	memcpy(header + 12, &size, sizeof size);
	memcpy(header + 32, &keyslots, sizeof keyslots);
	memcpy(header + 40, &encrypted, sizeof encrypted);
	memset(header + 0xe0, seed, 3 * 64);
	memset(header + HEADER_SIZE - 16, seed, 16);
}

static void put(Files *f, const char *name, guint8 seed, gsize size, int mode)
{
	g_autofree char *path = g_build_filename(f->dir, name, NULL);
	g_autofree guint8 *data = g_malloc0(MAX(size, (gsize)HEADER_SIZE));

	make_header(data, seed);
	g_assert_true(g_file_set_contents(path, (char *)data, (gssize)size, NULL));
	g_assert_cmpint(g_chmod(path, mode), ==, 0);
}

static void test_good(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsImages) images = NULL;
	g_autofree const char **names = NULL;
	PvsHeaderTags tags;

	put(f, "web.hdr", 1, HEADER_SIZE, 0644);
	put(f, "db-2.x.hdr", 2, HEADER_SIZE, 0600);
	put(f, "again.hdr", 1, HEADER_SIZE, 0444);
	put(f, ".#web.hdr", 1, 3, 0644); /* an editor's */
	put(f, "web.hdr~", 1, 3, 0644);
	images = pvs_images_load(f->dir, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(pvs_images_size(images), ==, 3);
	g_assert_cmpstr(pvs_images_nth(images, 0), ==, "again");
	g_assert_cmpstr(pvs_images_nth(images, 1), ==, "db-2.x");
	g_assert_cmpstr(pvs_images_nth(images, 2), ==, "web");
	g_assert_null(pvs_images_find(images, "web.hdr"));
	g_assert_null(pvs_images_find(images, ""));
	g_assert_cmpuint(pvs_images_find(images, "db-2.x")->ald[63], ==, 2);

	memset(&tags, 1, sizeof tags);
	g_assert_cmpmem(pvs_images_find(images, "web"), sizeof tags, &tags, sizeof tags);
	names = pvs_images_names(images, &tags);
	g_assert_cmpstr(names[0], ==, "again");
	g_assert_cmpstr(names[1], ==, "web");
	g_assert_null(names[2]);
	/* Each byte of them counts. */
	for (gsize i = 0; i < sizeof tags; i++) {
		g_autofree const char **none = NULL;

		((guint8 *)&tags)[i] ^= 0x80;
		none = pvs_images_names(images, &tags);
		g_assert_null(none[0]);
		((guint8 *)&tags)[i] ^= 0x80;
	}
}

static void test_none(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *missing = g_build_filename(f->dir, "missing", NULL);
	const char *directories[] = {NULL, missing, f->dir};

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autoptr(PvsImages) images = pvs_images_load(directories[i], NULL);

		g_assert_nonnull(images);
		g_assert_cmpuint(pvs_images_size(images), ==, 0);
	}
}

/* One mistake each; all are named. */
static void test_refused(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *file;
		gsize size;
		int mode;
		const char *expected;
	} rows[] = {
		{"README", 5, 0644, "is not called NAME.hdr"},
		{"a b.hdr", HEADER_SIZE, 0644, "is not the name of an image"},
		{"cut.hdr", HEADER_SIZE - 1, 0644, "shorter"},
		{"empty.hdr", 0, 0644, "shorter"},
		{"group.hdr", HEADER_SIZE, 0664, "could be written by others"},
		{"large.hdr", PVS_HEADER_MAX + 1, 0644, "more than 1048576 bytes"},
		{"long.hdr", HEADER_SIZE + 1, 0644, "bytes behind the SE header"},
		{"others.hdr", HEADER_SIZE, 0646, "could be written by others"},
	};
	g_autoptr(GError) error = NULL;
	g_autofree char *link = g_build_filename(f->dir, "zlink.hdr", NULL);
	g_autofree char *pipe = g_build_filename(f->dir, "zpipe.hdr", NULL);
	g_auto(GStrv) lines = NULL;

	put(f, "good.hdr", 1, HEADER_SIZE, 0644);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		put(f, rows[i].file, 1, rows[i].size, rows[i].mode);
	g_assert_cmpint(symlink("good.hdr", link), ==, 0);
	g_assert_cmpint(mkfifo(pipe, 0644), ==, 0);

	g_assert_null(pvs_images_load(f->dir, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	lines = g_strsplit(error->message, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, G_N_ELEMENTS(rows) + 2);
	for (gsize i = 0; i < G_N_ELEMENTS(rows) + 2; i++) {
		gboolean special = i >= G_N_ELEMENTS(rows);
		const char *file = special ? (i == G_N_ELEMENTS(rows) ? "zlink.hdr" : "zpipe.hdr")
					   : rows[i].file;
		g_autofree char *start = g_strdup_printf("%s/%s: ", f->dir, file);

		g_test_message("%s", lines[i]);
		g_assert_true(g_str_has_prefix(lines[i], start));
		g_assert_nonnull(
			strstr(lines[i], special ? "is not a regular file" : rows[i].expected));
		g_assert_nonnull(strstr(lines[i], "; "));
	}
}

static void test_owner(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = g_build_filename(f->dir, "web.hdr", NULL);
	g_autoptr(GError) error = NULL;

	if (geteuid() != 0) {
		g_test_skip("root alone can give a file to somebody else");
		return;
	}
	put(f, "web.hdr", 1, HEADER_SIZE, 0644);
	g_assert_cmpint(chown(path, 12345, 0), ==, 0);
	g_assert_null(pvs_images_load(f->dir, &error));
	g_assert_nonnull(strstr(error->message, "could be written by others (uid 12345"));
}

static void test_not_a_directory(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = g_build_filename(f->dir, "web.hdr", NULL);
	g_autoptr(GError) error = NULL;

	put(f, "web.hdr", 1, HEADER_SIZE, 0644);
	g_assert_null(pvs_images_load(path, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, "web.hdr: cannot be read as a directory"));
}

#define ADD(path, function) g_test_add(path, Files, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/images/good", test_good);
	ADD("/images/none", test_none);
	ADD("/images/refused", test_refused);
	ADD("/images/owner", test_owner);
	ADD("/images/not-a-directory", test_not_a_directory);
	return g_test_run();
}

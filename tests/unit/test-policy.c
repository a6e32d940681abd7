/* SPDX-License-Identifier: MIT */
/*
 * test-policy.c - references to policies, and the list of requests: a line for each that was made,
 * and for no other
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "client/failure.h"
#include "client/policy.h"
#include "tests/unit/desk.h"

#define TARGET	    "-k z16 --hdr prod -o request "
#define META	    "create meta " TARGET
#define ASSOCIATION "create association " TARGET "'my secret' "

static void set_up_all(Fixture *f, gconstpointer data)
{
	g_autofree char *members = NULL;

	set_up(f, data);
	members = made(f->request, REQUEST_SIZE, TAG, "{\"type\":\"meta\"}");
	answer(f, "create_meta", members);
}

static void tear_down_all(Fixture *f, gconstpointer data)
{
	static const char *const files[] = {"toc", "link"};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		(void)g_unlink(files[i]);
	tear_down(f, data);
}

static void test_policy(Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 hash[] = {0x9f, 0x9f, 0x51, 0x11, 0xf7, 0xb2, 0x7a, 0x78};
	g_autofree char *directory = g_strnfill(200, 'd');
	g_autofree char *path =
		g_strdup_printf("./%s/../%s/../%s/../value", directory, directory, directory);
	g_autoptr(GBytes) shorter = NULL, longer = NULL;
	g_autoptr(GError) error = NULL;
	const guint8 *bytes;
	gsize size;

	put("value", "0123456789abcdef", 16);
	shorter = pvs_policy_reference("value", "l", &error);
	g_assert_no_error(error);
	bytes = g_bytes_get_data(shorter, &size);
	g_assert_cmpuint(size, ==, 32 + 5);
	g_assert_cmpmem(bytes, sizeof hash, hash, sizeof hash);
	g_assert_cmpmem(bytes + 32, 5, "value", 5);
	g_assert_cmpint(g_mkdir(directory, 0700), ==, 0);
	longer = pvs_policy_reference(path, "l", &error);
	g_assert_no_error(error);
	bytes = g_bytes_get_data(longer, &size);
	g_assert_cmpuint(size, ==, 512);
	g_assert_cmpmem(bytes + 32, 480, path, 480);
	g_assert_cmpint(g_rmdir(directory), ==, 0);
}

static void test_toc(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(run(META "--toc-policy toc", &error));
	assert_text("toc", TAG "\n");
	/* A last line without its end gets one. */
	put("toc", "first", 5);
	g_assert_true(run(META "--toc-policy toc", &error));
	assert_text("toc", "first\n" TAG "\n");
	/* Refused, or not written: as it was. */
	answer(f, "create_meta", "\"error\":{\"code\":-32001,\"message\":\"no\"}");
	g_assert_false(run(META "--toc-policy toc", &error));
	g_clear_error(&error);
	assert_text("toc", "first\n" TAG "\n");
	g_unlink("toc");
	g_assert_false(run(META "--toc-policy toc", &error));
	g_assert_false(g_file_test("toc", G_FILE_TEST_EXISTS));
}

/* What was appended goes where the files cannot be put in place. */
static void test_toc_taken_back(Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	PvsToc *toc;

	put("toc", "first\n", 6);
	toc = pvs_toc_open("toc", &error);
	g_assert_no_error(error);
	g_assert_true(pvs_toc_append(toc, "second", &error));
	assert_text("toc", "first\nsecond\n");
	pvs_toc_free(toc);
	assert_text("toc", "first\n");
	toc = pvs_toc_open("toc", &error);
	g_assert_true(pvs_toc_append(toc, "second", &error));
	pvs_toc_keep(toc);
	pvs_toc_free(toc);
	assert_text("toc", "first\nsecond\n");
	g_assert_null(pvs_toc_open(".", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
}

/* While the daemon is asked. */
static gboolean toc_was_there;

static void look_for_toc(void)
{
	toc_was_there = g_file_test("toc", G_FILE_TEST_EXISTS);
}

static void put_directory(void)
{
	g_assert_cmpint(g_mkdir("my_secret.yaml", 0700), ==, 0);
}

static void put_first_line(void)
{
	put("toc", "first\n", 6);
}

/* A list that was not there is made when there is a line for it, not before: whoever presses ^C
 * while the daemon is asked leaves nothing. */
static void test_toc_made_late(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	f->before = look_for_toc;
	toc_was_there = TRUE;
	g_assert_true(run(META "--toc-policy toc", &error));
	g_assert_false(toc_was_there);
	assert_text("toc", TAG "\n");
	/* Somebody else makes it meanwhile: his line stays. */
	g_unlink("toc");
	f->before = put_first_line;
	g_assert_true(run(META "--toc-policy toc", &error));
	assert_text("toc", "first\n" TAG "\n");
}

/* The place of the secret info is taken while the daemon is asked, so that the last step fails. */
static void test_toc_of_none(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const before[] = {NULL, "first\n", "first"};

	f->before = put_directory;
	for (gsize i = 0; i < G_N_ELEMENTS(before); i++) {
		g_autoptr(GError) error = NULL;

		if (before[i])
			put("toc", before[i], -1);
		g_assert_false(run(ASSOCIATION "--toc-policy toc", &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
		g_assert_nonnull(strstr(error->message, "my_secret.yaml"));
		g_assert_cmpint(g_rmdir("my_secret.yaml"), ==, 0);
		assert_no_files();
		if (before[i])
			assert_text("toc", before[i]);
		else
			g_assert_false(g_file_test("toc", G_FILE_TEST_EXISTS));
	}
}

/* What waits for the lock of one that made the list, and takes it away, makes it anew. */
static void test_toc_taken_away(Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsToc) first = NULL, second = NULL, third = NULL;
	g_autoptr(GError) error = NULL;

	first = pvs_toc_open("toc", &error);
	second = pvs_toc_open("toc", &error);
	g_assert_no_error(error);
	g_assert_false(g_file_test("toc", G_FILE_TEST_EXISTS));
	g_assert_true(pvs_toc_append(first, "one", &error));
	g_clear_pointer(&first, pvs_toc_free);
	g_assert_false(g_file_test("toc", G_FILE_TEST_EXISTS));
	g_assert_true(pvs_toc_append(second, "two", &error));
	pvs_toc_keep(second);
	g_clear_pointer(&second, pvs_toc_free);
	assert_text("toc", "two\n");
	third = pvs_toc_open("toc", &error);
	g_assert_true(pvs_toc_append(third, "three", &error));
	assert_text("toc", "two\nthree\n");
	g_clear_pointer(&third, pvs_toc_free);
	assert_text("toc", "two\n");
}

/* Where there is no other file than the list. */
static void test_toc_alone(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(run("create meta -k z16 --hdr prod -o - --toc-policy toc", &error));
	assert_text("toc", TAG "\n");
	g_assert_cmpuint(f->calls->len, ==, 1);
}

static void test_toc_refused(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *line;
		PvsExit status;
		const char *why;
	} rows[] = {
		{META "--toc-policy request", PVS_EXIT_USAGE,
		 "--toc-policy request: is a file that the request or its secret info goes to"},
		{META "--toc-policy ./request", PVS_EXIT_USAGE,
		 "--toc-policy ./request: is a file*"},
		{ASSOCIATION "--toc-policy my_secret.yaml", PVS_EXIT_USAGE,
		 "--toc-policy my_secret.yaml: is a file*"},
		{META "--toc-policy link", PVS_EXIT_FAILED,
		 "--toc-policy link: is a symbolic link to nothing"},
		{META "--toc-policy no/toc", PVS_EXIT_FAILED, "--toc-policy no/toc: cannot be *"},
		{META "--toc-policy .", PVS_EXIT_FAILED, "--toc-policy .: is not a regular file"},
		{META "--toc-policy /dev/null", PVS_EXIT_FAILED,
		 "--toc-policy /dev/null: is not a regular file"},
	};

	g_assert_cmpint(symlink("nowhere", "link"), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(run(rows[i].line, &error));
		g_assert_error(error, PVS_FAILURE, (gint)rows[i].status);
		if (!g_pattern_match_simple(rows[i].why, error->message))
			g_error("%s: %s", rows[i].line, error->message);
		g_assert_nonnull(pvs_failure_hint(error));
		assert_no_files();
	}
	g_assert_cmpuint(f->calls->len, ==, 0);
}

/* Through a link to a list it is that list; through one to the request it is refused. */
static void test_toc_link(Fixture *f G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	put("toc", "", 0);
	g_assert_cmpint(symlink("toc", "link"), ==, 0);
	g_assert_true(run(META "--toc-policy link", &error));
	assert_text("toc", TAG "\n");
	g_assert_true(g_file_test("link", G_FILE_TEST_IS_SYMLINK));
	g_unlink("link");
	g_assert_cmpint(symlink("request", "link"), ==, 0);
	g_assert_false(run(META "--toc-policy link", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_USAGE);
	/* Another one of that name elsewhere is another one. */
	g_clear_error(&error);
	g_assert_cmpint(g_mkdir("elsewhere", 0700), ==, 0);
	g_assert_true(run(META "--toc-policy elsewhere/request", &error));
	assert_text("elsewhere/request", TAG "\n");
	g_assert_cmpint(g_unlink("elsewhere/request"), ==, 0);
	g_assert_cmpint(g_rmdir("elsewhere"), ==, 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*test)(Fixture *f, gconstpointer data);
	} rows[] = {
		{"/policy/reference", test_policy},
		{"/policy/toc", test_toc},
		{"/policy/toc-taken-back", test_toc_taken_back},
		{"/policy/toc-made-late", test_toc_made_late},
		{"/policy/toc-of-none", test_toc_of_none},
		{"/policy/toc-taken-away", test_toc_taken_away},
		{"/policy/toc-on-standard-output", test_toc_alone},
		{"/policy/toc-refused", test_toc_refused},
		{"/policy/toc-link", test_toc_link},
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_test_add(rows[i].path, Fixture, NULL, set_up_all, rows[i].test, tear_down_all);
	return g_test_run();
}

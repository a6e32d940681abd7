/* SPDX-License-Identifier: MIT */
/*
 * test-files.c - whole or not at all, all or none
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "client/failure.h"
#include "client/files.h"

typedef struct {
	char *directory;
	char *one;
	char *two;
	PvsFiles *files;
} Fixture;

static void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->directory = g_dir_make_tmp("pvs-files-XXXXXX", NULL);
	f->one = g_build_filename(f->directory, "one", NULL);
	f->two = g_build_filename(f->directory, "two", NULL);
	f->files = pvs_files_new();
}

static guint count_entries(const char *directory)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	guint n = 0;

	while (g_dir_read_name(dir))
		n++;
	return n;
}

static void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_clear_pointer(&f->files, pvs_files_free);
	(void)g_remove(f->one);
	(void)g_remove(f->two);
	/* Fails if a temporary file was left behind. */
	g_assert_cmpint(g_rmdir(f->directory), ==, 0);
	g_free(f->directory);
	g_free(f->one);
	g_free(f->two);
}

static void put(const char *path, const char *text)
{
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void assert_holds(const char *path, const char *text)
{
	g_autofree char *contents = NULL;

	g_assert_true(g_file_get_contents(path, &contents, NULL, NULL));
	g_assert_cmpstr(contents, ==, text);
}

static void plan_both(Fixture *f)
{
	g_autoptr(GError) error = NULL;

	pvs_files_add(f->files, f->one, "-o one", &error);
	g_assert_no_error(error);
	pvs_files_add(f->files, f->two, "two", &error);
	g_assert_no_error(error);
}

static void write_both(Fixture *f)
{
	g_autoptr(GError) error = NULL;

	pvs_files_write(f->files, 0, "first", 5, &error);
	g_assert_no_error(error);
	pvs_files_write(f->files, 1, "second", 6, &error);
	g_assert_no_error(error);
}

static void test_new_files(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	mode_t old = umask(0027);
	struct stat st;

	plan_both(f);
	write_both(f);
	g_assert_false(g_file_test(f->one, G_FILE_TEST_EXISTS));
	pvs_files_commit(f->files, &error);
	umask(old);
	g_assert_no_error(error);
	assert_holds(f->one, "first");
	assert_holds(f->two, "second");
	g_assert_cmpint(g_stat(f->one, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 07777, ==, 0640);
	g_assert_cmpuint(count_entries(f->directory), ==, 2);
}

static void test_replaced(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	put(f->one, "something longer from before");
	put(f->two, "old");
	plan_both(f);
	write_both(f);
	assert_holds(f->one, "something longer from before");
	pvs_files_commit(f->files, &error);
	g_assert_no_error(error);
	assert_holds(f->one, "first");
	assert_holds(f->two, "second");
	g_assert_cmpuint(count_entries(f->directory), ==, 2);
}

/* Who may read it, may still; who may not, never may. */
static void test_mode_is_kept(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const mode_t modes[] = {0600, 0640, 0666, 0755};
	struct stat st;

	for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
		g_autoptr(GError) error = NULL;

		put(f->one, "old");
		g_assert_cmpint(chmod(f->one, modes[i]), ==, 0);
		g_clear_pointer(&f->files, pvs_files_free);
		f->files = pvs_files_new();
		g_assert_true(pvs_files_add(f->files, f->one, "-o one", &error));
		g_assert_true(pvs_files_write(f->files, 0, "first", 5, &error));
		g_assert_true(pvs_files_commit(f->files, &error));
		assert_holds(f->one, "first");
		g_assert_cmpint(g_stat(f->one, &st), ==, 0);
		g_assert_cmphex(st.st_mode & 07777, ==, modes[i]);
	}
}

static void test_has(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *other = g_build_filename(f->directory, "..", NULL);
	g_autofree char *base = g_path_get_basename(f->directory);
	g_autofree char *roundabout = g_build_filename(other, base, "one", NULL);

	plan_both(f);
	g_assert_true(pvs_files_has(f->files, f->one));
	g_assert_true(pvs_files_has(f->files, roundabout));
	g_assert_false(pvs_files_has(f->files, "one"));
	g_assert_false(pvs_files_has(f->files, f->directory));
	g_assert_false(pvs_files_has(f->files, "/nonexistent/one"));
}

static void test_nothing_without_commit(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	put(f->two, "old");
	plan_both(f);
	write_both(f);
	g_clear_pointer(&f->files, pvs_files_free);
	g_assert_false(g_file_test(f->one, G_FILE_TEST_EXISTS));
	assert_holds(f->two, "old");
	g_assert_cmpuint(count_entries(f->directory), ==, 1);
}

/* The second file's name turns into a directory, which no rename replaces. */
static void test_second_fails_first_is_removed(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	plan_both(f);
	write_both(f);
	g_assert_cmpint(g_mkdir(f->two, 0755), ==, 0);
	g_assert_false(pvs_files_commit(f->files, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_false(g_file_test(f->one, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_test(f->two, G_FILE_TEST_IS_DIR));
}

static void test_second_fails_first_is_put_back(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	put(f->one, "old");
	plan_both(f);
	write_both(f);
	g_assert_cmpint(g_mkdir(f->two, 0755), ==, 0);
	g_assert_false(pvs_files_commit(f->files, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	assert_holds(f->one, "old");
	g_clear_pointer(&f->files, pvs_files_free);
	g_assert_cmpuint(count_entries(f->directory), ==, 2);
}

/* A link that came between is not replaced either, and what it points to is not touched. */
static void test_link_that_came_later(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	plan_both(f);
	write_both(f);
	g_assert_cmpint(symlink("/nonexistent", f->two), ==, 0);
	g_assert_false(pvs_files_commit(f->files, &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_false(g_file_test(f->one, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_test(f->two, G_FILE_TEST_IS_SYMLINK));
}

static void test_refused_beforehand(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *missing = g_build_filename(f->directory, "no", "file", NULL);
	g_autofree char *slash = g_strconcat(f->directory, "/", NULL);
	g_autofree char *below = g_build_filename(f->one, "file", NULL);
	const struct {
		const char *path;
		const char *why;
	} rows[] = {
		{missing, "LABEL: the directory cannot be opened: *"},
		{below, "LABEL: the directory cannot be opened: *"},
		{slash, "LABEL: is a directory"},
		{f->directory, "LABEL: is a directory"},
		{"..", "LABEL: is a directory"},
		{"/dev/null", "LABEL: is not a regular file"},
		{f->two, "LABEL: is a symbolic link"},
	};

	put(f->one, "a file");
	g_assert_cmpint(symlink(f->one, f->two), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(PvsFiles) files = pvs_files_new();
		g_autoptr(GError) error = NULL;

		g_assert_false(pvs_files_add(files, rows[i].path, "LABEL", &error));
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
		g_assert_true(g_pattern_match_simple(rows[i].why, error->message));
		g_assert_nonnull(pvs_failure_hint(error));
	}
	assert_holds(f->one, "a file");
}

static void test_directory_without_permission(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	gboolean root = geteuid() == 0;

	if (root) {
		g_assert_cmpint(chmod(f->directory, 0755), ==, 0);
		g_assert_cmpint(seteuid(65534), ==, 0);
	} else {
		g_assert_cmpint(chmod(f->directory, 0555), ==, 0);
	}
	g_assert_false(pvs_files_add(f->files, f->one, "-o one", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_nonnull(strstr(error->message, g_strerror(EACCES)));
	if (root)
		g_assert_cmpint(seteuid(0), ==, 0);
	g_assert_cmpint(chmod(f->directory, 0755), ==, 0);
}

/* A file that its owner may not write to is not replaced, though the directory would let him. */
static void test_read_only(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	gboolean root = geteuid() == 0;

	put(f->one, "precious");
	g_assert_cmpint(chmod(f->one, 0444), ==, 0);
	g_assert_cmpint(chmod(f->directory, root ? 0777 : 0700), ==, 0);
	if (root)
		g_assert_cmpint(seteuid(65534), ==, 0);
	g_assert_false(pvs_files_add(f->files, f->one, "-o one", &error));
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_assert_true(g_str_has_prefix(error->message, "-o one: is there and may not be "));
	g_assert_nonnull(strstr(pvs_failure_hint(error), "chmod u+w"));
	g_assert_true(pvs_files_add(f->files, f->two, "two", NULL));
	if (root)
		g_assert_cmpint(seteuid(0), ==, 0);
	assert_holds(f->one, "precious");
}

/* Ctrl-C between the first byte and the last name leaves nothing behind: it waits. */
static void test_signals_wait(Fixture *f, gconstpointer hold)
{
	sigset_t pending, mask;

	plan_both(f);
	if (hold)
		pvs_files_hold(f->files);
	else
		pvs_files_write(f->files, 0, "first", 5, NULL);
	(void)raise(SIGINT);
	sigpending(&pending);
	g_assert_true(sigismember(&pending, SIGINT));
	/* Taken away, or the test would end here as well. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGINT, SIG_DFL);
	g_clear_pointer(&f->files, pvs_files_free);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	g_assert_false(sigismember(&mask, SIGINT));
	g_assert_cmpuint(count_entries(f->directory), ==, 0);
}

/* A disk that is full: /dev/full does not let itself be renamed over, a limit on file sizes does as
 * well. */
static void test_full(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *large = g_malloc0(65536);
	struct rlimit before, limit;

	g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
	limit = (struct rlimit){4096, before.rlim_max};
	plan_both(f);
	pvs_files_write(f->files, 0, "first", 5, &error);
	g_assert_no_error(error);
	(void)signal(SIGXFSZ, SIG_IGN);
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
	g_assert_false(pvs_files_write(f->files, 1, large, 65536, &error));
	g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
	(void)signal(SIGXFSZ, SIG_DFL);
	g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
	g_clear_pointer(&f->files, pvs_files_free);
	g_assert_cmpuint(count_entries(f->directory), ==, 0);
}

#define ADD(path, function) g_test_add(path, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/files/new", test_new_files);
	ADD("/files/replaced", test_replaced);
	ADD("/files/mode-is-kept", test_mode_is_kept);
	ADD("/files/has", test_has);
	ADD("/files/nothing-without-commit", test_nothing_without_commit);
	ADD("/files/second-fails-first-is-removed", test_second_fails_first_is_removed);
	ADD("/files/second-fails-first-is-put-back", test_second_fails_first_is_put_back);
	ADD("/files/link-that-came-later", test_link_that_came_later);
	ADD("/files/refused-beforehand", test_refused_beforehand);
	ADD("/files/no-permission", test_directory_without_permission);
	ADD("/files/read-only", test_read_only);
	ADD("/files/signals-wait", test_signals_wait);
	g_test_add("/files/signals-held", Fixture, "hold", set_up, test_signals_wait, tear_down);
	ADD("/files/full", test_full);
	return g_test_run();
}

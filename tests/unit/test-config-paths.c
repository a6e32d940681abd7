/* SPDX-License-Identifier: MIT */
/*
 * test-config-paths.c - what the configuration leads to: who may change it, whether it is there,
 * and that what is said to do does no harm
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config-paths.h"
#include "protocol/error.h"

typedef struct {
	char *dir;
	char *path;    /* dir/x.conf */
	char *drop_in; /* dir/x.conf.d */
	char *folder;  /* dir/folder */
	char *file;    /* dir/file */
} Files;

static void put(const char *path, const char *text)
{
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void set_up(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	f->dir = g_dir_make_tmp("pvs-paths-XXXXXX", NULL);
	f->path = g_build_filename(f->dir, "x.conf", NULL);
	f->drop_in = g_build_filename(f->dir, "x.conf.d", NULL);
	f->folder = g_build_filename(f->dir, "folder", NULL);
	f->file = g_build_filename(f->dir, "file", NULL);
	g_assert_cmpint(g_mkdir(f->drop_in, 0700) | g_mkdir(f->folder, 0755), ==, 0);
	put(f->file, "x");
}

static void tear_down(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *more = g_build_filename(f->drop_in, "a.conf", NULL);

	g_remove(more);
	g_remove(f->drop_in);
	g_remove(f->folder);
	g_remove(f->file);
	g_remove(f->path);
	g_remove(f->dir);
	g_free(f->dir);
	g_free(f->path);
	g_free(f->drop_in);
	g_free(f->folder);
	g_free(f->file);
}

/* The configuration with the line @key=DIR/@name in its second line (@key NULL: without). */
static PvsConfig *read_with(const Files *f, const char *key, const char *name, GError **error)
{
	g_autofree char *text = key ? g_strdup_printf("[daemon]\n%s=%s/%s\n[access a]\nUsers=*\n",
						      key, f->dir, name)
				    : g_strdup("[access a]\nUsers=*\n");

	g_autoptr(PvsConfig) config = NULL;

	put(f->path, text);
	config = pvs_config_read(f->path, error);
	return config && pvs_config_paths_check(config, error) ? g_steal_pointer(&config) : NULL;
}

/* One line, of the file @where, with all of @parts in it. */
static void assert_line(const char *line, const char *where, const char *const *parts)
{
	g_test_message("%s", line);
	g_assert_null(strchr(line, '\n'));
	g_assert_true(g_str_has_prefix(line, where));
	g_assert_nonnull(strstr(line, "; "));
	for (; *parts; parts++)
		g_assert_nonnull(strstr(line, *parts));
	/* Whatever it is that a setting names, nothing is to be removed or given away. */
	g_assert_null(strstr(line, "remove"));
	g_assert_null(strstr(line, "rm "));
	g_assert_null(strstr(line, "chown pvsecretd"));
}

#define REFUSED(f, key, name, where, ...) \
	refused(f, key, name, where, (const char *const[]){__VA_ARGS__, NULL})

static void refused(const Files *f, const char *key, const char *name, const char *where,
		    const char *const *parts)
{
	g_autoptr(GError) error = NULL;

	g_assert_null(read_with(f, key, name, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	assert_line(error->message, where, parts);
}

static void accepted(const Files *f, const char *key, const char *name, guint warnings)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsConfig) config = read_with(f, key, name, &error);

	g_assert_no_error(error);
	g_assert_cmpuint(config->warnings->len, ==, warnings);
}

static const char *const directories[] = {
	"TrustDirectory", "HostKeyDirectory",	      "ImageDirectory",
	"CckDirectory",	  "ExtensionSecretDirectory", "SignKeyDirectory",
};
static const char *const files[] = {"RootCA", "AssociationMaster"};

/* What leads to the wrong thing is corrected where it stands, and what it leads to is left alone.
 */
static void test_kinds(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *where = g_strconcat(f->path, ":2: ", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		accepted(f, directories[i], "folder", 0);
		REFUSED(f, directories[i], "file", where, directories[i], "not a directory",
			"correct the path");
	}
	REFUSED(f, "CrlDirectory", "file", where, "not a directory", "correct the path");
	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		accepted(f, files[i], "file", 0);
		REFUSED(f, files[i], "folder", where, files[i], "not a regular file",
			"correct the path");
		REFUSED(f, files[i], "nothing", where, files[i], "no such file",
			"correct the path,");
		REFUSED(f, files[i], "file/nothing", where, files[i], "no such file",
			"correct the path,");
		REFUSED(f, files[i], "file # mine", where, files[i], "no such file",
			"(a comment stands on a line of its own)");
	}
}

/* A directory that was named and is not there may be a slip of the pen; what was not named is not
 * warned of. */
static void test_missing(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *where = g_strconcat(f->path, ":2: ", NULL);

	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsConfig) config = read_with(f, directories[i], "ckc.d", &error);

		g_assert_no_error(error);
		g_assert_cmpuint(config->warnings->len, ==, 1);
		assert_line(config->warnings->pdata[0], where,
			    (const char *const[]){directories[i], "no such directory",
						  "counts as empty", "restart", NULL});
	}
	accepted(f, NULL, NULL, 0);
}

static const mode_t bad_modes[] = {0775, 0757, 0777, 0720, 0702, 01777};
static const mode_t good_modes[] = {0755, 0750, 0700, 0555};

static void test_directories(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(bad_modes); j++) {
			g_autofree char *rule = g_strdup_printf("its mode %04o", bad_modes[j]);

			g_assert_cmpint(g_chmod(f->folder, bad_modes[j]), ==, 0);
			REFUSED(f, directories[i], "folder", f->folder, rule, "chmod go-w /");
			/* It is not the owner's. */
			accepted(f, "CrlDirectory", "folder", 0);
		}
		for (gsize j = 0; j < G_N_ELEMENTS(good_modes); j++) {
			g_assert_cmpint(g_chmod(f->folder, good_modes[j]), ==, 0);
			accepted(f, directories[i], "folder", 0);
		}
	}
	if (geteuid() != 0)
		return;
	g_assert_cmpint(chown(f->folder, 12345, 0), ==, 0);
	REFUSED(f, "CckDirectory", "folder", f->folder, "belongs to uid 12345", "chown root /");
	accepted(f, "CrlDirectory", "folder", 0);
}

/* Who can write the configuration can write rules of his own. */
static void test_configuration(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *more = g_build_filename(f->drop_in, "a.conf", NULL);
	const char *const paths[] = {f->path, more, f->drop_in};
	static const mode_t as_it_was[] = {0644, 0644, 0700};

	put(f->path, "[access a]\nUsers=*\n");
	put(more, "[daemon]\n");
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
		const mode_t bad = as_it_was[i] | 020;
		g_autofree char *rule = g_strdup_printf("its mode %04o", bad);
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsConfig) config = NULL;

		g_assert_cmpint(g_chmod(paths[i], bad), ==, 0);
		g_assert_null(pvs_config_read(f->path, &error));
		assert_line(error->message, paths[i],
			    (const char *const[]){rule, "chmod go-w /", NULL});
		g_clear_error(&error);
		g_assert_cmpint(g_chmod(paths[i], as_it_was[i]), ==, 0);
		if (geteuid() == 0) {
			g_assert_cmpint(chown(paths[i], 12345, 0), ==, 0);
			g_assert_null(pvs_config_read(f->path, &error));
			assert_line(error->message, paths[i],
				    (const char *const[]){"belongs to uid 12345", "chown root /",
							  NULL});
			g_clear_error(&error);
			g_assert_cmpint(chown(paths[i], 0, 0), ==, 0);
		}
		config = pvs_config_read(f->path, &error);
		g_assert_no_error(error);
	}
}

/* As with systemd; but a configuration has to be there. */
static void test_masked(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *more = g_build_filename(f->drop_in, "a.conf", NULL);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(symlink("/dev/null", more), ==, 0);
	accepted(f, NULL, NULL, 0);
	g_remove(more);
	g_assert_cmpint(symlink("/dev/zero", more), ==, 0);
	g_assert_null(read_with(f, NULL, NULL, &error));
	g_assert_nonnull(strstr(error->message, "not a regular file"));
	g_clear_error(&error);
	g_remove(more);
	g_assert_null(pvs_config_read("/dev/null", &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
#define ADD(name, test) g_test_add("/config-paths/" name, Files, NULL, set_up, test, tear_down)
	ADD("kinds", test_kinds);
	ADD("missing", test_missing);
	ADD("directories", test_directories);
	ADD("configuration", test_configuration);
	ADD("masked", test_masked);
	return g_test_run();
}

/* SPDX-License-Identifier: MIT */
/*
 * test-keys.c - the keys that the vault holds, by name
 */
#include "daemon/vault/keys.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/vault/crypto.h"
#include "protocol/error.h"

typedef struct {
	char *root;
	char *directory;
	char *credentials;
	gsize used; /* of the arena, before */
} Fixture;

static void set_up(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	f->root = g_dir_make_tmp("pvs-keys-XXXXXX", NULL);
	f->directory = g_build_filename(f->root, "cck.d", NULL);
	f->credentials = g_build_filename(f->root, "credentials", NULL);
	g_assert_cmpint(g_mkdir(f->directory, 0700), ==, 0);
	g_assert_cmpint(g_mkdir(f->credentials, 0700), ==, 0);
	f->used = pvs_locked_used();
}

static void remove_directory(const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		g_remove(file);
	}
	g_rmdir(path);
}

static void tear_down(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	/* Whatever was loaded or refused, the arena is as it was. */
	g_assert_cmpuint(pvs_locked_used(), ==, f->used);
	remove_directory(f->directory);
	remove_directory(f->credentials);
	g_rmdir(f->root);
	g_free(f->directory);
	g_free(f->credentials);
	g_free(f->root);
}

static char *put(const char *directory, const char *name, guint8 fill, gsize size, mode_t mode)
{
	char *path = g_build_filename(directory, name, NULL);
	g_autofree char *bytes = g_malloc(size + 1);

	memset(bytes, fill, size);
	g_assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
	g_assert_cmpint(g_chmod(path, mode), ==, 0);
	return path;
}

#define PUT(directory, name, fill, size, mode) g_free(put(directory, name, fill, size, mode))

/* Loading fails, and the one line of the text is "@file: ...@rule...; ...@remedy...". */
static void refused(Fixture *f, const char *file, const char *rule, const char *remedy)
{
	g_autoptr(GError) error = NULL;
	const char *tail;

	g_assert_null(pvs_keys_load(f->directory, f->credentials, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	g_test_message("%s", error->message);
	g_assert_null(strchr(error->message, '\n'));
	g_assert_true(g_str_has_prefix(error->message, file));
	tail = error->message + strlen(file);
	g_assert_true(g_str_has_prefix(tail, ": "));
	tail = strstr(tail, rule);
	g_assert_nonnull(tail);
	tail = strstr(tail, "; ");
	g_assert_nonnull(tail);
	g_assert_nonnull(strstr(tail, remedy));
}

static void test_both(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsKeys) keys = NULL;
	const PvsKey *key;
	guint8 expected[32];

	PUT(f->directory, "prod", 0x11, 32, 0600);
	PUT(f->directory, "same-value", 0x22, 32, 0400);
	PUT(f->credentials, "cck_a.b_c-9", 0x22, 32, 0440);
	PUT(f->credentials, "ext_other", 0x33, 17, 0600);
	PUT(f->credentials, "anything else", 0x33, 3, 0644);
	keys = pvs_keys_load(f->directory, f->credentials, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(pvs_keys_size(keys), ==, 3);
	g_assert_cmpstr(pvs_keys_nth(keys, 0)->name, ==, "a.b_c-9");
	g_assert_cmpstr(pvs_keys_nth(keys, 1)->name, ==, "prod");
	g_assert_cmpstr(pvs_keys_nth(keys, 2)->name, ==, "same-value");
	key = pvs_keys_find(keys, "prod");
	g_assert_true(key == pvs_keys_nth(keys, 1));
	g_assert_true(pvs_locked_owns(key->secret));
	memset(expected, 0x11, sizeof expected);
	g_assert_cmpmem(key->secret->bytes, key->secret->size, expected, 32);
	g_assert_cmpmem(pvs_keys_nth(keys, 0)->check_value, 8, pvs_keys_nth(keys, 2)->check_value,
			8);
	g_assert_true(memcmp(key->check_value, pvs_keys_nth(keys, 2)->check_value, 8) != 0);
	g_assert_null(pvs_keys_find(keys, "pro"));
	g_assert_null(pvs_keys_find(keys, "cck_prod"));
	g_assert_null(pvs_keys_find(keys, "other"));
	g_assert_null(pvs_keys_find(keys, ""));
}

/* HKDF-SHA-512 of 32 zero bytes, made with Python's hmac (tests/vectors has it, too). */
static void test_check_value(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 expected[] = {0x0c, 0x7c, 0xdc, 0xc7, 0x92, 0x34, 0xed, 0x7b};
	g_autoptr(PvsKeys) keys = NULL;

	PUT(f->directory, "zero", 0, 32, 0600);
	keys = pvs_keys_load(f->directory, NULL, NULL);
	g_assert_cmpmem(pvs_keys_nth(keys, 0)->check_value, 8, expected, sizeof expected);
}

static void test_nothing_there(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *missing = g_build_filename(f->root, "missing", NULL);
	const char *const places[][2] = {
		{NULL, NULL}, {missing, NULL}, {NULL, missing}, {f->directory, f->credentials}};

	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsKeys) keys = pvs_keys_load(places[i][0], places[i][1], &error);

		g_assert_no_error(error);
		g_assert_cmpuint(pvs_keys_size(keys), ==, 0);
		g_assert_null(pvs_keys_find(keys, "prod"));
	}
}

static void test_sizes(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const gsize sizes[] = {0, 31, 33, 64, 65, 100000};

	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *path = put(f->directory, "key", 1, sizes[i], 0600);
		g_autofree char *rule = g_strdup_printf("has %" G_GSIZE_FORMAT " bytes", sizes[i]);

		refused(f, path, rule, "xxd -r -p");
	}
	g_free(put(f->directory, "key", 1, 32, 0600));
	{
		g_autofree char *path = put(f->credentials, "cck_other", 1, 33, 0600);

		refused(f, path, "has 33 bytes", "xxd -r -p");
	}
}

static void test_modes(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const mode_t bad[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666, 0440, 0404};
	static const mode_t good[] = {0600, 0400, 0700, 0500};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *path = put(f->directory, "key", 1, 32, bad[i]);
		g_autofree char *rule = g_strdup_printf("mode %04o", bad[i]);
		g_autofree char *remedy = g_strdup_printf("chmod 0600 %s", path);

		refused(f, path, rule, remedy);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(PvsKeys) keys = NULL;

		PUT(f->directory, "key", 1, 32, good[i]);
		keys = pvs_keys_load(f->directory, NULL, NULL);
		g_assert_nonnull(keys);
	}
	/* systemd's own choice in its own directory. */
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(PvsKeys) keys = NULL;

		PUT(f->credentials, "cck_key2", 1, 32, bad[i]);
		keys = pvs_keys_load(NULL, f->credentials, NULL);
		g_assert_nonnull(keys);
	}
}

static void test_owner(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		gboolean credentials;
		const char *file;
	} cases[] = {{FALSE, "key"}, {TRUE, "cck_key"}};

	if (geteuid() != 0) {
		g_test_skip("only root can give a file away");
		return;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = put(cases[i].credentials ? f->credentials : f->directory,
					    cases[i].file, 1, 32, 0600);
		g_autofree char *remedy = g_strdup_printf("chown root %s", path);

		g_assert_cmpint(chown(path, 12345, 0), ==, 0);
		refused(f, path, "belongs to uid 12345", remedy);
		g_remove(path);
	}
}

static void test_unreadable(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = put(f->directory, "key", 1, 32, 0000);
	gboolean root = geteuid() == 0;

	/* Root reads everything, so it is somebody else for a moment. */

	if (root) {
		g_assert_cmpint(chown(f->directory, 65534, 0) | chown(f->credentials, 65534, 0), ==,
				0);
		g_assert_cmpint(chmod(f->root, 0711), ==, 0);
		g_assert_cmpint(seteuid(65534), ==, 0);
	}
	refused(f, path, "cannot be opened", "chown pvsecretd ");
	if (root)
		g_assert_cmpint(seteuid(0), ==, 0);
}

static void test_names(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *name;
		const char *shown;
	} bad[] = {
		{".hidden", ".hidden"},
		{"-dash", "-dash"},
		{"_under", "_under"},
		{"with space", "with space"},
		{"line\nfeed", "line\\nfeed"},
		{"escape\033[1m", "escape\\033[1m"},
		{"schl\xc3\xbcssel", "schl\\303\\274ssel"},
		{"not-utf8\xff", "not-utf8\\377"},
		{"key~", "key~"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *path = put(f->directory, bad[i].name, 1, 32, 0600);
		g_autofree char *shown = g_build_filename(f->directory, bad[i].shown, NULL);

		refused(f, shown, "is not the name of a key", "ls -b ");
		g_remove(path);
	}
	{
		g_autofree char *path = put(f->credentials, "cck_", 1, 32, 0600);

		refused(f, path, "is not the name of a key", "ls -b ");
	}
}

static void test_twice(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = NULL;

	PUT(f->directory, "prod", 1, 32, 0600);
	path = put(f->credentials, "cck_prod", 1, 32, 0600);
	refused(f, path, f->directory, "rm one of the two");
}

static void test_links(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *target = put(f->root, "target", 1, 32, 0600);
	g_autofree char *link = g_build_filename(f->directory, "link", NULL);

	g_assert_cmpint(symlink(target, link), ==, 0);
	refused(f, link, "is a symbolic link", "cp --remove-destination");
	g_remove(target); /* dangling: nothing to copy */
	refused(f, link, "is a symbolic link that leads nowhere", "install the key itself");
}

/* None of these is opened: a FIFO would wait for its other end. */
static void test_not_files(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = g_build_filename(f->directory, "thing", NULL);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
	refused(f, path, "is not a regular file", "mv ");
	g_rmdir(path);
	g_assert_cmpint(mkfifo(path, 0600), ==, 0);
	refused(f, path, "is not a regular file", "mv ");
	g_remove(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
	refused(f, path, "is not a regular file", "mv ");
	close(fd);
	g_remove(path);
	g_assert_cmpint(symlink("/dev/zero", path), ==, 0);
	refused(f, path, "is a symbolic link", "cp ");
}

static void test_directory_is_none(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = put(f->root, "file", 1, 32, 0600);
	g_autoptr(GError) error = NULL;

	g_assert_null(pvs_keys_load(path, NULL, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	g_assert_true(g_str_has_prefix(error->message, path));
	/* Whatever the setting names, it is left as it is. */
	g_assert_nonnull(strstr(error->message, "; correct CckDirectory="));
	g_assert_null(strstr(error->message, "chown"));
	g_remove(path);
}

/* The daemon reads its owner's directories by its group, and is not to be given them. */
static void test_directory_closed(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *remedy =
		g_strdup_printf("chgrp pvsecretd %s && chmod 0750 %s", f->directory, f->directory);
	gboolean root = geteuid() == 0;

	g_assert_cmpint(chmod(f->root, 0711) | chmod(f->directory, 0), ==, 0);
	g_assert_cmpint(g_rmdir(f->credentials), ==, 0);
	if (root)
		g_assert_cmpint(seteuid(65534), ==, 0);
	refused(f, f->directory, "Permission denied", remedy);
	if (root)
		g_assert_cmpint(seteuid(0), ==, 0);
	g_assert_cmpint(chmod(f->directory, 0700), ==, 0);
}

static void test_all_together(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const expected[] = {"/cck.d/.a: ", "/cck.d/b: ", "/cck.d/b: ",
					       "/cck.d/c: ",  "/cck_b b: ", "/cck_good: "};
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) lines = NULL;
	g_autofree char *directory = g_build_filename(f->directory, "c", NULL);

	PUT(f->directory, ".a", 0xc7, 32, 0600);
	PUT(f->directory, "b", 0xc7, 31, 0644);
	g_assert_cmpint(g_mkdir(directory, 0700), ==, 0);
	PUT(f->directory, "good", 0xc7, 32, 0600);
	PUT(f->credentials, "cck_b b", 0xc7, 32, 0600);
	PUT(f->credentials, "cck_good", 0xc7, 32, 0600);
	g_assert_null(pvs_keys_load(f->directory, f->credentials, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	lines = g_strsplit(error->message, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, G_N_ELEMENTS(expected));
	for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
		g_assert_nonnull(strstr(lines[i], expected[i]));
		g_assert_nonnull(strstr(lines[i], "; "));
	}
	/* Whatever is wrong with a file, its contents are no part of the text. */
	g_assert_null(strstr(error->message, "\xc7"));
}

static void test_too_many(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *last = g_build_filename(f->directory, "k1024", NULL);

	for (guint i = 0; i < PVS_KEYS_MAX; i++) {
		char name[16];

		g_snprintf(name, sizeof name, "k%04u", i);
		PUT(f->directory, name, 1, 32, 0600);
	}
	{
		g_autoptr(GError) error = NULL;
		g_autoptr(PvsKeys) keys = pvs_keys_load(f->directory, NULL, &error);

		g_assert_no_error(error);
		g_assert_cmpuint(pvs_keys_size(keys), ==, PVS_KEYS_MAX);
	}
	PUT(f->directory, "k1024", 1, 32, 0600);
	refused(f, last, "one CCK more", "mv ");
}

static void test_extension_secrets(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	static const guint8 zeros[8];
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsKeys) keys = NULL;
	guint8 expected[32];

	PUT(f->directory, "guest", 0x11, 32, 0600);
	PUT(f->credentials, "ext_other", 0x22, 32, 0440);
	PUT(f->credentials, "cck_guest", 0x33, 32, 0440);
	keys = pvs_keys_load_extension_secrets(f->directory, f->credentials, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(pvs_keys_size(keys), ==, 2);
	memset(expected, 0x11, sizeof expected);
	g_assert_cmpmem(pvs_keys_find(keys, "guest")->secret->bytes, 32, expected, 32);
	/* Nothing is shown of them. */
	g_assert_cmpmem(pvs_keys_nth(keys, 0)->check_value, 8, zeros, 8);
	g_clear_pointer(&keys, pvs_keys_free);
	PUT(f->credentials, "ext_guest", 0x11, 32, 0440);
	g_assert_null(pvs_keys_load_extension_secrets(f->directory, f->credentials, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message,
				"/ext_guest: there is an extension secret of this name in "));
}

static void master_refused(const char *path, const char *credentials, const char *text)
{
	g_autoptr(GError) error = NULL;
	PvsSecret *master = NULL;

	g_assert_false(pvs_keys_load_master(path, credentials, &master, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	g_assert_nonnull(strstr(error->message, text));
	g_assert_nonnull(strstr(error->message, "; "));
	g_assert_null(master);
}

/* From a file, from a credential, from neither; and not from both. */
static void test_master(Fixture *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *path = put(f->directory, "m", 0x11, 32, 0600);
	g_autofree char *missing = g_build_filename(f->directory, "missing", NULL);
	g_autofree char *link = g_build_filename(f->directory, "link", NULL);
	PvsSecret *master = NULL;

	g_assert_true(pvs_keys_load_master(NULL, NULL, &master, NULL));
	g_assert_null(master);
	g_assert_true(pvs_keys_load_master(NULL, f->credentials, &master, NULL));
	g_assert_null(master);
	g_assert_true(pvs_keys_load_master(path, f->credentials, &master, NULL));
	g_assert_cmpuint(master->bytes[31], ==, 0x11);
	g_assert_true(pvs_locked_owns(master));
	g_clear_pointer(&master, pvs_secret_free);

	PUT(f->credentials, "assoc_master", 0x22, 32, 0440);
	g_assert_true(pvs_keys_load_master(NULL, f->credentials, &master, NULL));
	g_assert_cmpuint(master->bytes[0], ==, 0x22);
	g_clear_pointer(&master, pvs_secret_free);
	master_refused(path, f->credentials, "as the credential assoc_master as well");
	master_refused(missing, NULL, "/missing: cannot be opened");
	g_assert_cmpint(symlink(path, link), ==, 0);
	master_refused(link, NULL, "/link: is a symbolic link");
	g_assert_cmpint(g_chmod(path, 0640), ==, 0);
	master_refused(path, NULL, "/m: its mode 0640");
	PUT(f->credentials, "assoc_master", 0x22, 31, 0440);
	master_refused(NULL, f->credentials,
		       "/assoc_master: has 31 bytes, a master has exactly 32");
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	g_assert_true(pvs_locked_init(PVS_LOCKED_MAX, &error) && pvs_locked_openssl(&error) &&
		      pvs_crypto_init(&error));
	g_assert_no_error(error);
	{
		/* What is lazy in OpenSSL, so that each test finds the arena as it leaves it. */
		g_autofree char *root = g_dir_make_tmp("pvs-keys-XXXXXX", NULL);
		g_autofree char *path = put(root, "warm", 1, 32, 0600);
		g_autoptr(PvsKeys) keys = pvs_keys_load(root, NULL, NULL);

		g_assert_nonnull(keys);
		g_remove(path);
		g_rmdir(root);
	}
#define ADD(name, function) g_test_add("/keys/" name, Fixture, NULL, set_up, function, tear_down)
	ADD("both-places", test_both);
	ADD("check-value", test_check_value);
	ADD("nothing-there", test_nothing_there);
	ADD("sizes", test_sizes);
	ADD("modes", test_modes);
	ADD("owner", test_owner);
	ADD("unreadable", test_unreadable);
	ADD("names", test_names);
	ADD("twice", test_twice);
	ADD("links", test_links);
	ADD("not-files", test_not_files);
	ADD("directory-is-none", test_directory_is_none);
	ADD("directory-closed", test_directory_closed);
	ADD("all-together", test_all_together);
	ADD("too-many", test_too_many);
	ADD("extension-secrets", test_extension_secrets);
	ADD("master", test_master);
	return g_test_run();
}

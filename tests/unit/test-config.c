/* SPDX-License-Identifier: MIT */
/*
 * test-config.c - the configuration: what is taken, and what is refused with which line
 */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config.h"
#include "protocol/error.h"

typedef struct {
	char *dir;
	char *path;    /* dir/x.conf */
	char *drop_in; /* dir/x.conf.d */
} Files;

static void setup(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	f->dir = g_dir_make_tmp("pvs-config-XXXXXX", NULL);
	f->path = g_build_filename(f->dir, "x.conf", NULL);
	f->drop_in = g_build_filename(f->dir, "x.conf.d", NULL);
	g_assert_nonnull(f->dir);
}

static void remove_tree(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *child = g_build_filename(path, name, NULL);

		remove_tree(child);
	}
	if (dir)
		g_dir_close(dir);
	g_remove(path);
}

static void teardown(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	remove_tree(f->dir);
	g_free(f->dir);
	g_free(f->path);
	g_free(f->drop_in);
}

static void put(const char *path, const char *text, gssize size)
{
	g_assert_true(g_file_set_contents(path, text, size, NULL));
}

/* In x.conf.d; made where it is not there. */
static void put_drop_in(Files *f, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(f->drop_in, name, NULL);

	g_mkdir(f->drop_in, 0700);
	put(path, text, -1);
}

static PvsConfig *read_good(Files *f, const char *text)
{
	g_autoptr(GError) error = NULL;
	PvsConfig *config;

	put(f->path, text, -1);
	config = pvs_config_read(f->path, &error);
	g_assert_no_error(error);
	g_assert_nonnull(config);
	return config;
}

/* Reads and expects exactly as many lines of error as there are in @expected: each must start with
 * "FILE:LINE: " (or what stands before the blank, relative to the directory) and contain the rest.
 */
static void expect(Files *f, const char *const *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsConfig) config = pvs_config_read(f->path, &error);
	g_auto(GStrv) lines = NULL;

	g_assert_null(config);
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	lines = g_strsplit(error->message, "\n", -1);
	for (guint i = 0; lines[i]; i++) {
		const char *blank;
		g_autofree char *start = NULL;

		g_assert_nonnull(expected[i]);
		blank = strchr(expected[i], ' ');
		start = g_strdup_printf("%s/%.*s: ", f->dir, (int)(blank - expected[i]),
					expected[i]);
		g_assert_true(g_str_has_prefix(lines[i], start));
		g_assert_nonnull(strstr(lines[i], blank + 1));
		/* What is wrong, and what to do. */
		g_assert_nonnull(strstr(lines[i], "; "));
	}
	g_assert_cmpuint(g_strv_length(lines), ==, g_strv_length((char **)expected));
}

static void expect_one(Files *f, const char *text, const char *expected)
{
	put(f->path, text, -1);
	expect(f, (const char *const[]){expected, NULL});
}

/* Either of two words, and no other. */
static void test_words(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) first =
		read_good(f, "[daemon]\nAuditSync=batch\nHostKeyIssuer=name\n");
	g_autoptr(PvsConfig) second =
		read_good(f, "[daemon]\nAuditSync=always\nHostKeyIssuer=akid\n");

	g_assert_cmpuint(first->audit_always, ==, 0);
	g_assert_cmpuint(first->issuer_by_key_id, ==, 0);
	g_assert_cmpuint(second->audit_always, ==, 1);
	g_assert_cmpuint(second->issuer_by_key_id, ==, 1);
	expect_one(f, "[daemon]\nAuditSync=akid\n", "x.conf:2 batch or always");
	expect_one(f, "[daemon]\nHostKeyIssuer=always\n", "x.conf:2 name or akid");
	expect_one(f, "[daemon]\nHostKeyIssuer=\n", "x.conf:2 HostKeyIssuer=");
}

static void assert_default(const PvsConfig *c)
{
	g_assert_null(c->root_ca);
	g_assert_cmpstr(c->trust_directory, ==, PVS_CONFIG_DIR "/trust.d");
	g_assert_cmpstr(c->crl_directory, ==, PVS_CRL_DIR);
	g_assert_cmpstr(c->host_key_directory, ==, PVS_CONFIG_DIR "/hostkeys.d");
	g_assert_cmpstr(c->image_directory, ==, PVS_CONFIG_DIR "/images.d");
	g_assert_cmpstr(c->cck_directory, ==, PVS_CONFIG_DIR "/cck.d");
	g_assert_cmpstr(c->crl_marks, ==, PVS_CRL_MARKS);
	g_assert_cmpuint(c->issuer_by_key_id, ==, 0);
	g_assert_cmpstr(c->extension_secret_directory, ==, PVS_CONFIG_DIR "/ext.d");
	g_assert_cmpstr(c->sign_key_directory, ==, PVS_CONFIG_DIR "/sign.d");
	g_assert_null(c->association_master);
	g_assert_cmpuint(c->max_host_keys, ==, 20);
	g_assert_cmpuint(c->idle_exit_sec, ==, 0);
	g_assert_cmpuint(c->connections, ==, 256);
	g_assert_cmpuint(c->connections_per_user, ==, 64);
	g_assert_cmpuint(c->calls, ==, 64);
	g_assert_cmpuint(c->calls_per_user, ==, 16);
	g_assert_cmpuint(c->message_size, ==, 1048576);
	g_assert_cmpuint(c->depth, ==, 16);
	g_assert_cmpuint(c->tokens, ==, 4096);
	g_assert_cmpuint(c->batch_size, ==, 64);
	g_assert_cmpuint(c->receive_sec, ==, 10);
	g_assert_cmpuint(c->reply_sec, ==, 10);
	g_assert_cmpuint(c->idle_sec, ==, 60);
	g_assert_cmpuint(c->crl_size, ==, 8388608);
	g_assert_cmpuint(c->crl_entries, ==, 200000);
}

static void test_defaults(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) fresh = pvs_config_new();
	g_autoptr(PvsConfig) empty = read_good(f, "");
	g_autoptr(PvsConfig) comments = read_good(f, "# a\n\n  ; b = c\n[daemon]\n\t\n[limits]");

	assert_default(fresh);
	assert_default(empty);
	assert_default(comments);
}

static void test_every_key(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) c = read_good(f, "[limits]\n"
					      "Connections=1\n"
					      "ConnectionsPerUser=2\n"
					      "Calls=3\n"
					      "CallsPerUser=4\n"
					      "MessageSize=512K\n"
					      "Depth=8\n"
					      "Tokens=65\n"
					      "BatchSize=9\n"
					      "ReceiveSec=11\n"
					      "ReplySec=12s\n"
					      "IdleSec=2h\n"
					      "CrlSize=2M\n"
					      "CrlEntries=13\n"
					      "[daemon]\r\n"
					      "RootCA=/a/root.crt\r\n"
					      "  TrustDirectory = /a b/trust \n"
					      "CrlDirectory=/crl=#x\n"
					      "HostKeyDirectory=/\xc3\xa4/hostkeys\n"
					      "CckDirectory=/cck\n"
					      "ExtensionSecretDirectory=/ext\n"
					      "SignKeyDirectory=/sign\n"
					      "AssociationMaster=/master\n"
					      "IdleExitSec=5min\n"
					      "MaxHostKeys=255");

	g_assert_cmpuint(c->connections, ==, 1);
	g_assert_cmpuint(c->connections_per_user, ==, 2);
	g_assert_cmpuint(c->calls, ==, 3);
	g_assert_cmpuint(c->calls_per_user, ==, 4);
	g_assert_cmpuint(c->message_size, ==, 524288);
	g_assert_cmpuint(c->depth, ==, 8);
	g_assert_cmpuint(c->tokens, ==, 65);
	g_assert_cmpuint(c->batch_size, ==, 9);
	g_assert_cmpuint(c->receive_sec, ==, 11);
	g_assert_cmpuint(c->reply_sec, ==, 12);
	g_assert_cmpuint(c->idle_sec, ==, 7200);
	g_assert_cmpuint(c->crl_size, ==, 2097152);
	g_assert_cmpuint(c->crl_entries, ==, 13);
	g_assert_cmpstr(c->root_ca, ==, "/a/root.crt");
	g_assert_cmpstr(c->trust_directory, ==, "/a b/trust");
	g_assert_cmpstr(c->crl_directory, ==, "/crl=#x");
	g_assert_cmpstr(c->host_key_directory, ==, "/\xc3\xa4/hostkeys");
	g_assert_cmpstr(c->cck_directory, ==, "/cck");
	g_assert_cmpstr(c->extension_secret_directory, ==, "/ext");
	g_assert_cmpstr(c->sign_key_directory, ==, "/sign");
	g_assert_cmpstr(c->association_master, ==, "/master");
	g_assert_cmpuint(c->idle_exit_sec, ==, 300);
	g_assert_cmpuint(c->max_host_keys, ==, 255);
}

/* Each number from both sides of its range, and each unit where it does not belong. */
static void test_ranges(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *section, *key, *below, *lowest, *highest, *above, *foreign;
	} cases[] = {
		{"daemon", "IdleExitSec", NULL, "0", "31536000", "31536001", "1K"},
		{"daemon", "MaxHostKeys", "0", "1", "255", "256", "1s"},
		{"limits", "Connections", "0", "1", "16384", "16385", "1K"},
		{"limits", "ConnectionsPerUser", "0", "1", "1024", "1025", "1K"},
		{"limits", "Calls", "0", "1", "4096", "4097", "1K"},
		{"limits", "CallsPerUser", "0", "1", "1024", "1025", "1K"},
		{"limits", "MessageSize", "16383", "16K", "2M", "2097153", "60s"},
		{"limits", "Depth", "7", "8", "64", "65", "8h"},
		{"limits", "Tokens", "63", "64", "16384", "16385", "1K"},
		{"limits", "BatchSize", "0", "1", "1024", "1025", "1K"},
		{"limits", "ReceiveSec", "0", "1s", "1h", "61min", "1M"},
		{"limits", "ReplySec", "0s", "1", "60min", "3601", "1M"},
		{"limits", "IdleSec", "0", "1", "24h", "25h", "1M"},
		{"limits", "CrlSize", "4095", "4096", "64M", "65M", "4096s"},
		{"limits", "CrlEntries", "0", "1", "1000000", "1000001", "1K"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *good[] = {cases[i].lowest, cases[i].highest};
		const char *bad[] = {cases[i].above, cases[i].foreign, cases[i].below};

		for (guint j = 0; j < G_N_ELEMENTS(good); j++) {
			g_autofree char *text = g_strdup_printf("[%s]\n%s=%s\n", cases[i].section,
								cases[i].key, good[j]);

			pvs_config_free(read_good(f, text));
		}
		for (guint j = 0; j < G_N_ELEMENTS(bad) && bad[j]; j++) {
			g_autofree char *text = g_strdup_printf("[%s]\n%s=%s\n", cases[i].section,
								cases[i].key, bad[j]);
			g_autofree char *expected = g_strdup_printf("x.conf:2 %s=", cases[i].key);

			expect_one(f, text, expected);
		}
	}
}

static void test_numbers(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const bad[] = {
		"-1",
		"+1",
		"0x10",
		"1.5",
		"1e2",
		"ten",
		"K",
		"1 K",
		"1k",
		"1KB",
		"1 2",
		"1#",
		"1 # a",
		"4294967297",
		"99999999999999999999",
		"18446744073709552640",
		"\xd9\xa1" /* a digit, but not one of ours */,
	};

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *text = g_strdup_printf("[limits]\nCrlSize=%s\n", bad[i]);

		expect_one(f, text, "x.conf:2 CrlSize=");
	}
	/* No number is read as another one: an octal, a value modulo 2^32 or 2^64. */
	{
		g_autoptr(PvsConfig) c = read_good(f, "[daemon]\nMaxHostKeys=0012\n");

		g_assert_cmpuint(c->max_host_keys, ==, 12);
	}
}

static void test_paths(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const bad[] = {
		"relative/path", "~/x", "\"/quoted\"", "/a/../b", "/..", "/a\tb", "/a\x1b[31m",
	};
	g_autofree char *longest = g_strnfill(4095, 'a');
	g_autofree char *text = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *line = g_strdup_printf("[daemon]\n\nRootCA=%s\n", bad[i]);

		expect_one(f, line, "x.conf:3 RootCA= takes an absolute path");
	}
	longest[0] = '/';
	text = g_strdup_printf("[daemon]\nRootCA=%s\n", longest);
	pvs_config_free(read_good(f, text));
	g_free(text);
	text = g_strdup_printf("[daemon]\nRootCA=%sa\n", longest);
	expect_one(f, text, "x.conf:2 RootCA=");
}

static void test_unknown(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	expect_one(f, "[daemon]\nTrustDir=/x\n", "x.conf:2 unknown key 'TrustDir' in [daemon]");
	expect_one(f, "[daemon]\nrootca=/x\n", "x.conf:2 RootCA= belongs into [daemon]");
	expect_one(f, "[daemon]\nConnections=3\n", "x.conf:2 Connections= belongs into [limits]");
	expect_one(f, "[Daemon]\nRootCA=/x\n", "x.conf:1 unknown section 'Daemon'");
	expect_one(f, "[]\nRootCA=/x\n", "x.conf:1 unknown section;");
	expect_one(f, "[daemon] # here\nRootCA=/x\n", "x.conf:1 must end with ]");
	expect_one(f, "[\n", "x.conf:1 must end with ]");
	expect_one(f, "\nRootCA=/x\n", "x.conf:2 before the first section");
	expect_one(f, "[daemon]\nRootCA\n", "x.conf:2 neither a section, nor Key=value");
	expect_one(f, "[daemon]\n=/x\n", "x.conf:2 unknown key in [daemon]");
	expect_one(f, "[daemon]\nRootCA=\n", "x.conf:2 RootCA= has no value");
	put(f->path, "[daemon]\nRootCA=/a\\\n/b\n[limits]\n", -1);
	expect(f, (const char *const[]){"x.conf:2 cannot go on in the next one",
					"x.conf:3 neither a section", NULL});
}

static void test_doubled(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	expect_one(f, "[daemon]\nRootCA=/a\n\nRootCA=/a\n",
		   "x.conf:4 RootCA= stands twice in this "
		   "file, first in line 2");
	expect_one(f, "[daemon]\n[limits]\n[daemon]\nRootCA=/a\n",
		   "x.conf:3 section [daemon] stands twice in this file, first in line 1");
	/* A bad value does not hide that there is a second one. */
	put(f->path, "[daemon]\nMaxHostKeys=0\nMaxHostKeys=1\n", -1);
	expect(f, (const char *const[]){"x.conf:2 out of range", "x.conf:3 first in line 2", NULL});
}

static void test_all_errors(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	put(f->path, "Early=1\n[nonsense]\nA=1\nB\n[daemon]\nRootCA=x\nC=1\nMaxHostKeys=20\n", -1);
	put_drop_in(f, "b.conf", "[limits]\nDepth=1\n");
	put_drop_in(f, "a.conf", "[limits]\nDepth=x\n");
	expect(f, (const char *const[]){
			  "x.conf:1 before the first section",
			  "x.conf:2 unknown section 'nonsense'",
			  "x.conf:4 neither a section",
			  "x.conf:6 RootCA=",
			  "x.conf:7 unknown key 'C'",
			  "x.conf.d/a.conf:2 Depth= takes a number",
			  "x.conf.d/b.conf:2 Depth= is out of range; choose from 8 to 64",
			  NULL,
		  });
}

/* A key or password that was given as the configuration by mistake must not reach the log. */
static void test_no_echo(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char canary[] = "c2VjcmV0IGNhbmFyeQ+/c2VjcmV0";
	static const char *const forms[] = {
		"%s\n",
		"[%s]\n",
		"[daemon]\n%s==\n",
		"[daemon]\nRootCA=%s\n",
		"[limits]\nDepth=%s\n",
		"[%s",
	};

	for (guint i = 0; i < G_N_ELEMENTS(forms); i++) {
		g_auto(GStrv) parts = g_strsplit(forms[i], "%s", 2);
		g_autofree char *text = g_strconcat(parts[0], canary, parts[1], NULL);
		g_autoptr(GError) error = NULL;

		put(f->path, text, -1);
		g_assert_null(pvs_config_read(f->path, &error));
		g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
		g_assert_null(strstr(error->message, "c2Vj"));
	}
}

static void test_drop_ins(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) c = NULL;

	put_drop_in(f, "10-a.conf", "[limits]\nDepth=10\nCalls=10\nTokens=1000\n");
	put_drop_in(f, "20-b.conf", "[limits]\nDepth=20\n[daemon]\nRootCA=/b\n");
	put_drop_in(f, ".30-hidden.conf", "rubbish\n");
	put_drop_in(f, "30-c.conf~", "rubbish\n");
	put_drop_in(f, "README", "rubbish\n");
	c = read_good(f, "[limits]\nDepth=8\nCalls=8\nBatchSize=8\n[daemon]\nRootCA=/a\n");
	g_assert_cmpuint(c->depth, ==, 20);
	g_assert_cmpuint(c->calls, ==, 10);
	g_assert_cmpuint(c->batch_size, ==, 8);
	g_assert_cmpuint(c->tokens, ==, 1000);
	g_assert_cmpstr(c->root_ca, ==, "/b");
}

static void test_not_text(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	put(f->path, "[daemon]\n\0RootCA=/x\n", 20);
	expect(f, (const char *const[]){"x.conf not text in UTF-8", NULL});
	put(f->path, "[daemon]\nRootCA=/\xff\n", -1);
	expect(f, (const char *const[]){"x.conf not text in UTF-8", NULL});
}

static void test_size(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *text = g_strnfill(256 * 1024 + 1, '#');

	put(f->path, text, 256 * 1024 + 1);
	expect(f, (const char *const[]){"x.conf larger than", NULL});
	text[256 * 1024] = '\0';
	pvs_config_free(read_good(f, text));
}

static void test_no_file(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autofree char *inside = g_build_filename(f->drop_in, "a.conf", NULL);

	expect(f, (const char *const[]){"x.conf cannot be opened", NULL});
	g_assert_cmpint(g_mkdir(f->path, 0700), ==, 0);
	expect(f, (const char *const[]){"x.conf not a regular file", NULL});
	g_rmdir(f->path);

	/* Opening must not wait for somebody to write. */
	g_assert_cmpint(mkfifo(f->path, 0600), ==, 0);
	expect(f, (const char *const[]){"x.conf not a regular file", NULL});
	g_remove(f->path);
	g_assert_cmpint(symlink("/dev/zero", f->path), ==, 0);
	expect(f, (const char *const[]){"x.conf not a regular file", NULL});
	g_remove(f->path);

	/* The directory beside it: not there is well, not a directory is not; nor is what is in it
	 * and cannot be read as a file. */
	put(f->path, "", -1);
	put(f->drop_in, "", -1);
	expect(f, (const char *const[]){"x.conf.d cannot be opened as a directory", NULL});
	g_remove(f->drop_in);
	g_mkdir(f->drop_in, 0700);
	pvs_config_free(read_good(f, ""));
	g_mkdir(inside, 0700);
	expect(f, (const char *const[]){"x.conf.d/a.conf not a regular file", NULL});
}

/* The file that is installed says what the defaults are, in comments: it must be true. */
static void test_shipped(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	const char *build = g_getenv("PVS_BUILD_DIR");
	g_autofree char *path = NULL;
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GString) plain = g_string_new(NULL);
	g_autoptr(PvsConfig) shipped = NULL;
	g_autoptr(PvsConfig) uncommented = NULL;
	const PvsAccessRule *rule;
	guint keys = 0;

	if (!build) {
		g_test_skip("PVS_BUILD_DIR is not set: run the test by make check");
		return;
	}
	path = g_build_filename(build, "systemd", "pvsecretd.conf", NULL);
	shipped = pvs_config_read(path, NULL);
	g_assert_nonnull(shipped);
	assert_default(shipped);
	/* What a new installation needs: its clients may make requests, and nobody else. */
	g_assert_cmpuint(shipped->rules->len, ==, 1);
	rule = &g_array_index(shipped->rules, PvsAccessRule, 0);
	g_assert_cmpint(rule->everybody, ==, 0);
	g_assert_cmpuint(rule->users.n, ==, 0);
	g_assert_cmpstr(pvs_list_nth(rule->methods, PvsPattern, 0)->text, ==, "*");
	g_assert_cmpstr(pvs_list_nth(rule->ccks, PvsPattern, 0)->text, ==, "*");
	g_assert_cmpstr(pvs_list_nth(rule->extension_secrets, PvsPattern, 0)->text, ==, "*");
	g_assert_cmpstr(pvs_list_nth(rule->sign_keys, PvsPattern, 0)->text, ==, "*");
	g_assert_cmpstr(pvs_list_nth(rule->names, PvsPattern, 0)->text, ==, "*");
	g_assert_cmpint(rule->require_cuid, ==, 0);
	g_assert_cmpint(rule->allow_no_verify, ==, 0);

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		const char *key = **line == '#' && g_ascii_isupper((*line)[1]) ? *line + 1 : NULL;

		if (key && strchr(key, '=') && !strchr(key, ' ') &&
		    !g_str_has_prefix(key, "RootCA=") &&
		    !g_str_has_prefix(key, "AssociationMaster=")) {
			keys++;
			g_string_append(plain, key);
		} else if (**line == '[' || g_ascii_isupper(**line)) {
			g_string_append(plain, *line);
		}
		g_string_append_c(plain, '\n');
	}
	g_assert_cmpuint(keys, ==, 28);
	uncommented = read_good(f, plain->str);
	assert_default(uncommented);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*run)(Files *, gconstpointer);
	} tests[] = {
		{"/config/words", test_words},
		{"/config/defaults", test_defaults},
		{"/config/every-key", test_every_key},
		{"/config/ranges", test_ranges},
		{"/config/numbers", test_numbers},
		{"/config/paths", test_paths},
		{"/config/unknown", test_unknown},
		{"/config/doubled", test_doubled},
		{"/config/all-errors", test_all_errors},
		{"/config/no-echo", test_no_echo},
		{"/config/drop-ins", test_drop_ins},
		{"/config/not-text", test_not_text},
		{"/config/size", test_size},
		{"/config/no-file", test_no_file},
		{"/config/shipped", test_shipped},
	};

	g_test_init(&argc, &argv, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Files, NULL, setup, tests[i].run, teardown);
	return g_test_run();
}

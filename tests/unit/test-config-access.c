/* SPDX-License-Identifier: MIT */
/*
 * test-config-access.c - [access NAME] sections: what is taken, what is refused with which line,
 * and what is odd enough for a warning
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "daemon/accounts.h"
#include "daemon/config.h"
#include "protocol/error.h"

typedef struct {
	char *dir;
	char *path;    /* dir/x.conf */
	char *drop_in; /* dir/x.conf.d */
} Files;

static void set_up(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	f->dir = g_dir_make_tmp("pvs-config-XXXXXX", NULL);
	f->path = g_build_filename(f->dir, "x.conf", NULL);
	f->drop_in = g_build_filename(f->dir, "x.conf.d", NULL);
	g_assert_cmpint(g_mkdir(f->drop_in, 0700), ==, 0);
}

static void put(Files *f, const char *drop_in, const char *text)
{
	g_autofree char *path =
		drop_in ? g_build_filename(f->drop_in, drop_in, NULL) : g_strdup(f->path);

	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void tear_down(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(GDir) dir = g_dir_open(f->drop_in, 0, NULL);
	const char *name;

	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(f->drop_in, name, NULL);

		g_remove(path);
	}
	g_remove(f->drop_in);
	g_remove(f->path);
	g_remove(f->dir);
	g_free(f->dir);
	g_free(f->path);
	g_free(f->drop_in);
}

static PvsConfig *read_good(Files *f, const char *text)
{
	g_autoptr(GError) error = NULL;
	PvsConfig *config;

	put(f, NULL, text);
	config = pvs_config_read(f->path, &error);
	g_assert_no_error(error);
	return config;
}

/* Lines of an error or warnings: each starts with what stands before the blank, relative to the
 * directory, and has the rest in it. */
static void assert_lines(const Files *f, char **lines, const char *const *expected)
{
	for (guint i = 0; lines[i]; i++) {
		const char *blank;
		g_autofree char *start = NULL;

		g_assert_nonnull(expected[i]);
		blank = strchr(expected[i], ' ');
		start = g_strdup_printf("%s/%.*s: ", f->dir, (int)(blank - expected[i]),
					expected[i]);
		g_test_message("%s", lines[i]);
		g_assert_true(g_str_has_prefix(lines[i], start));
		g_assert_nonnull(strstr(lines[i], blank + 1));
		g_assert_nonnull(strstr(lines[i], "; "));
	}
	g_assert_cmpuint(g_strv_length(lines), ==, g_strv_length((char **)expected));
}

static void expect(Files *f, const char *const *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsConfig) config = pvs_config_read(f->path, &error);
	g_auto(GStrv) lines = NULL;

	g_assert_null(config);
	g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
	lines = g_strsplit(error->message, "\n", -1);
	assert_lines(f, lines, expected);
}

static void expect_one(Files *f, const char *text, const char *expected)
{
	put(f, NULL, text);
	expect(f, (const char *const[]){expected, NULL});
}

static const PvsAccessRule *rule_at(const PvsConfig *config, guint i)
{
	g_assert_cmpuint(i, <, config->rules->len);
	return &g_array_index(config->rules, PvsAccessRule, i);
}

/* The list as one text. */
static void assert_patterns(const PvsList *list, const char *expected)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < list->n; i++)
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       pvs_list_nth(*list, PvsPattern, i)->text);
	g_assert_cmpstr(text->str, ==, expected);
}

static void assert_ids(const PvsList *list, const char *expected)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < list->n; i++)
		g_string_append_printf(text, "%s%u", i ? " " : "",
				       pvs_list_nth(*list, PvsId, i)->id);
	g_assert_cmpstr(text->str, ==, expected);
}

static void test_whole(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) config = read_good(f, "[access ops.1]\n"
						   "Users = 1000\t 0\n"
						   "Groups=root 77\n"
						   "Methods=create_* ping\n"
						   "Ccks=prod-? test\n"
						   "ExtensionSecrets=*\n"
						   "SignKeys=s\n"
						   "Images=web* db\n"
						   "Names=db/* \xc3\xbc [x] a\\b\n"
						   "RequireCuid=yes\n"
						   "AllowNoVerify=on\n"
						   "[limits]\n"
						   "Calls=7\n"
						   "[access \t  least ]\n"
						   "Users=*\n");
	const PvsAccessRule *rule = rule_at(config, 0);
	g_autofree char *place = g_strconcat(f->path, ":1", NULL);

	g_assert_cmpuint(config->rules->len, ==, 2);
	g_assert_cmpstr(rule_at(config, 1)->name, ==, "least");
	g_assert_cmpuint(config->calls, ==, 7);
	g_assert_cmpstr(rule->name, ==, "ops.1");
	g_assert_cmpstr(rule->place, ==, place);
	g_assert_cmpint(rule->everybody, ==, 0);
	assert_ids(&rule->users, "1000 0");
	assert_ids(&rule->groups, "0 77");
	assert_patterns(&rule->methods, "create_* ping");
	assert_patterns(&rule->ccks, "prod-? test");
	assert_patterns(&rule->extension_secrets, "*");
	assert_patterns(&rule->sign_keys, "s");
	assert_patterns(&rule->images, "web* db");
	assert_patterns(&rule->names, "db/* \xc3\xbc [x] a\\b");
	g_assert_cmpint(rule->any_image, ==, 0);
	g_assert_cmpint(rule->require_cuid, ==, 1);
	g_assert_cmpint(rule->allow_no_verify, ==, 1);
	g_assert_cmpuint(config->warnings->len, ==, 0);
}

static void test_least(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) config =
		read_good(f, "[access a]\nUsers=*\n[access \t b]\nUsers=1 *\n");
	const PvsAccessRule *rule = rule_at(config, 0);

	g_assert_cmpuint(config->rules->len, ==, 2);
	g_assert_cmpint(rule->everybody, ==, 1);
	g_assert_cmpuint(rule->users.n + rule->groups.n + rule->methods.n + rule->ccks.n, ==, 0);
	g_assert_cmpuint(rule->extension_secrets.n + rule->sign_keys.n + rule->names.n, ==, 0);
	g_assert_cmpuint(rule->images.n, ==, 0);
	g_assert_cmpint(rule->any_image, ==, 1);
	g_assert_cmpint(rule->require_cuid, ==, 0);
	g_assert_cmpint(rule->allow_no_verify, ==, 0);
	g_assert_cmpstr(rule_at(config, 1)->name, ==, "b");
	assert_ids(&rule_at(config, 1)->users, "1");
}

static void test_errors(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *text;
		const char *expected;
	} rows[] = {
		{"[access]\nUsers=*\n", "x.conf:1 write [access NAME]"},
		{"[access -x]\nUsers=*\n", "x.conf:1 write [access NAME]"},
		{"[access a b]\nUsers=*\n", "x.conf:1 write [access NAME]"},
		{"[access ../a]\n", "x.conf:1 write [access NAME]"},
		{"[accessory]\n", "x.conf:1 unknown section 'accessory'"},
		{"[Access a]\n", "x.conf:1 unknown section 'Access a'"},
		{"[access a\n", "x.conf:1 must end with ]"},
		{"[access a]\nUsers=*\n[access a]\nUsers=1\n", "x.conf:3 stands twice, first in "},
		{"[access a]\nUsers=*\nUsers=1\n", "x.conf:3 Users= stands twice in this section, "
						   "first in line 2"},
		{"[access a]\nUsers=*\nCcks=a\n\nCcks=a\n", "x.conf:5 Ccks= stands twice"},
		{"[access a]\nUsers=*\nRequireCuid=no\nRequireCuid=yes\n",
		 "x.conf:4 RequireCuid= stands twice"},
		{"[access a]\nUsers=*\nCCKs=x\n", "x.conf:3 unknown key 'CCKs' in [access a]"},
		{"[access a]\nUsers=*\nRootCA=/x\n", "x.conf:3 unknown key 'RootCA'"},
		{"[access a]\nUsers=*\nNonesuch=\n", "x.conf:3 unknown key 'Nonesuch'"},
		{"[daemon]\nUsers=*\n", "x.conf:2 unknown key 'Users' in [daemon]"},
		{"[access a]\nUsers=*\nCcks=\n", "x.conf:3 Ccks= has no value"},
		{"[access a]\nUsers=*\nCcks\n", "x.conf:3 neither a section"},
		/* Nobody's: with the line of the section, also in the middle of a file. */
		{"\n[access a]\nMethods=*\n", "x.conf:2 the section is nobody's"},
		{"[access a]\nCcks=*\n[access b]\nUsers=*\n", "x.conf:1 the section is nobody's"},
		{"[access a]\n[limits]\nCalls=9\n", "x.conf:1 the section is nobody's"},
		{"[access a]\nUsers=al*\n", "x.conf:2 Users= takes names or numbers"},
		{"[access a]\nUsers=alice,bob\n", "x.conf:2 Users= takes names or numbers"},
		{"[access a]\nUsers=al?ce\n", "x.conf:2 Users= takes"},
		{"[access a]\nUsers=\xc3\xbc\n", "x.conf:2 Users= takes"},
		{"[access a]\nUsers=\"root\"\n", "x.conf:2 Users= takes"},
		{"[access a]\nGroups=*\n", "x.conf:2 Groups= takes names or numbers"},
		{"[access a]\nGroups=root:adm\n", "x.conf:2 Groups= takes"},
		{"[access a]\nUsers=*\nCcks=a/b\n", "x.conf:3 Ccks= takes names as keys have them"},
		{"[access a]\nUsers=*\nCcks=a,b\n", "x.conf:3 Ccks= takes"},
		{"[access a]\nUsers=*\nCcks=[ab]\n", "x.conf:3 Ccks= takes"},
		{"[access a]\nUsers=*\nCcks=!a\n", "x.conf:3 Ccks= takes"},
		{"[access a]\nUsers=*\nExtensionSecrets=a/b\n", "x.conf:3 ExtensionSecrets= takes"},
		{"[access a]\nUsers=*\nSignKeys=a/b\n", "x.conf:3 SignKeys= takes"},
		{"[access a]\nUsers=*\nImages=a/b\n", "x.conf:3 Images= takes"},
		{"[access a]\nUsers=*\nMethods=a/b\n", "x.conf:3 Methods= takes"},
		{"[access a]\nUsers=*\nRequireCuid=maybe\n",
		 "x.conf:3 RequireCuid= takes yes or no"},
		{"[access a]\nUsers=*\nRequireCuid=YES\n", "x.conf:3 RequireCuid= takes yes or no"},
		{"[access a]\nUsers=*\nAllowNoVerify=2\n", "x.conf:3 AllowNoVerify= takes yes"},
		{"[access a]\nUsers=*\nAllowNoVerify=yes no\n",
		 "x.conf:3 AllowNoVerify= takes yes"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		expect_one(f, rows[i].text, rows[i].expected);
}

/* All that is wrong, in one go; and a section that was not taken has no keys to complain of. */
static void test_all_errors(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const expected[] = {"x.conf:2 Ccks= takes",
					       "x.conf:3 unknown key 'Nonesuch'",
					       "x.conf:1 the section is nobody's",
					       "x.conf:4 stands twice",
					       "x.conf.d/1.conf:2 Users= takes",
					       NULL};

	put(f, NULL, "[access a]\nCcks=,\nNonesuch=1\n[access a]\nWhatever=1\n");
	put(f, "1.conf", "[access c]\nUsers=,\nMethods=*\n");
	put(f, "2.conf", "[access d]\nUsers=*\nMethods=*\n");
	expect(f, expected);
}

/* Sections of all files add up, and never mix. */
static void test_files(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) config = NULL;

	put(f, "1.conf", "[access b]\nUsers=2\n");
	put(f, "2.conf", "[access c]\nUsers=3\n");
	config = read_good(f, "[access a]\nUsers=1\n");
	g_assert_cmpuint(config->rules->len, ==, 3);
	for (guint i = 0; i < 3; i++) {
		static const char *const names[] = {"a", "b", "c"};
		static const char *const ids[] = {"1", "2", "3"};

		g_assert_cmpstr(rule_at(config, i)->name, ==, names[i]);
		assert_ids(&rule_at(config, i)->users, ids[i]);
	}
	g_assert_true(g_str_has_suffix(rule_at(config, 2)->place, "/x.conf.d/2.conf:1"));

	put(f, "2.conf", "\n[access a]\nMethods=*\n");
	expect(f, (const char *const[]){"x.conf.d/2.conf:2 stands twice, first in ", NULL});
}

static void test_warnings(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const expected[] = {
		"x.conf:2 Users= names no-such-user-here, and there is no such user",
		"x.conf:2 Users= names 65534, which stands for everybody who is not known",
		"x.conf:3 Groups= names no-such-group-here, and there is no such group",
		"x.conf:4 Methods= has creat_*, which no method fits", NULL};
	static const char *const nobody[] = {"x.conf there is no [access] section, so nobody",
					     NULL};
	g_autoptr(PvsConfig) config =
		read_good(f, "[access a]\nUsers=no-such-user-here 5 65534\n"
			     "Groups=no-such-group-here\nMethods=creat_* ping *\n"
			     "Names=*\nCcks=*\n");
	g_autoptr(PvsConfig) empty = NULL;

	g_ptr_array_add(config->warnings, NULL);
	assert_lines(f, (char **)config->warnings->pdata, expected);
	/* The rest of the section holds. */
	assert_ids(&rule_at(config, 0)->users, "5");
	assert_ids(&rule_at(config, 0)->groups, "");
	assert_patterns(&rule_at(config, 0)->methods, "creat_* ping *");

	empty = read_good(f, "[daemon]\n");
	g_assert_cmpuint(empty->rules->len, ==, 0);
	g_ptr_array_add(empty->warnings, NULL);
	assert_lines(f, (char **)empty->warnings->pdata, nobody);
}

/* A method that always names something, and nothing that may be named. */
static void test_incomplete(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const struct {
		const char *lines;
		const char *expected; /* NULL: no warning */
	} rows[] = {
		{"Methods=create_association\nCcks=prod\n",
		 "x.conf:2 Methods= has create_association and there is no Names="},
		{"Methods=create_retrievable\n",
		 "x.conf:2 Methods= has create_retrievable and there is no Names="},
		{"Methods=create_update_cck\n",
		 "x.conf:2 Methods= has create_update_cck and there is no Ccks="},
		{"Methods=create_*\nCcks=a\n", /* once for both of them */
		 "x.conf:2 Methods= has create_association and there is no Names="},
		{"Methods=create_association create_retrievable\nNames=web-*\n", NULL},
		{"Methods=create_update_cck\nCcks=prod\n", NULL},
		{"Methods=create_meta verify_* describe_request\n", NULL},
		{"", NULL}, /* for who only looks */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *const expected[] = {rows[i].expected, NULL};
		g_autofree char *text =
			g_strdup_printf("[daemon]\n[access a]\nUsers=0\n%s", rows[i].lines);
		g_autoptr(PvsConfig) config = read_good(f, text);

		g_ptr_array_add(config->warnings, NULL);
		assert_lines(f, (char **)config->warnings->pdata, expected);
	}
}

/* A section that names nobody who is known is nobody's, and no error. */
static void test_unknown_alone(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	g_autoptr(PvsConfig) config = read_good(f, "[access a]\nUsers=no-such-user-here\n");

	g_assert_cmpuint(rule_at(config, 0)->users.n, ==, 0);
	g_assert_cmpint(rule_at(config, 0)->everybody, ==, 0);
	g_assert_cmpuint(config->warnings->len, ==, 1);
}

/* @n times @word with a blank behind each. */
static char *repeat(const char *word, guint n)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		g_string_append_printf(text, "%s ", word);
	return g_string_free(text, FALSE);
}

static void test_limits(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	static const char *const keys[] = {"Users", "Groups", "Ccks", "Names", "Methods"};
	g_autoptr(GString) sections = g_string_new(NULL);
	g_autofree char *name = g_strnfill(4097, 'x');
	g_autofree char *names = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		for (guint over = 0; over <= 1; over++) {
			gboolean of_section = i < 2;
			g_autofree char *words = repeat("1", 1024 + over);
			g_autofree char *text =
				g_strdup_printf("[access a]\n%s%s=%s\n",
						of_section ? "" : "Users=*\n", keys[i], words);
			g_autofree char *expected = g_strdup_printf(
				"x.conf:%d %s= has more than 1024 ", of_section ? 2 : 3, keys[i]);

			if (over && of_section) {
				/* Nothing of it was taken, and it is nobody's besides. */
				put(f, NULL, text);
				expect(f, (const char *const[]){expected,
								"x.conf:1 the section is nobody's",
								NULL});
			} else if (over) {
				expect_one(f, text, expected);
			} else {
				pvs_config_free(read_good(f, text));
			}
		}

	for (guint over = 0; over <= 1; over++) {
		g_autofree char *text =
			g_strdup_printf("[access a]\nUsers=*\nNames=%s\nCcks=%.*s\n",
					name + 1 - over, 64 + (int)over, name);

		put(f, NULL, text);
		if (over)
			expect(f, (const char *const[]){"x.conf:3 Names= takes",
							"x.conf:4 Ccks= takes", NULL});
		else
			pvs_config_free(read_good(f, text));
	}

	for (guint i = 0; i < 256; i++)
		g_string_append_printf(sections, "[access a%u]\nUsers=1\n", i);
	pvs_config_free(read_good(f, sections->str));
	g_string_append(sections, "[access b]\nUsers=1\n");
	expect_one(f, sections->str, "x.conf:513 more than 256 [access] sections");

	/* Together they have to fit into one message. */
	names = repeat(name + 1, 55);
	for (guint i = 0; i < 3; i++) {
		g_autofree char *file = g_strdup_printf("%u.conf", i);
		g_autofree char *text =
			g_strdup_printf("[access b%u]\nUsers=*\nNames=%s\n", i, names);

		put(f, file, text);
		if (i < 2)
			pvs_config_free(read_good(f, "[daemon]\n"));
	}
	expect_one(f, "[daemon]\n", "x.conf the [access] sections are too large together");
}

/* Names as the files have them; and after the name service is out of reach the same. */
static void test_accounts(Files *f, gconstpointer data G_GNUC_UNUSED)
{
	struct passwd *user;
	struct group *group;
	g_autofree char *last_user = NULL, *last_group = NULL;
	guint32 uid = 7, gid = 7, last_uid = 0, last_gid = 0;

	setpwent();
	while ((user = getpwent())) {
		g_free(last_user);
		last_user = g_strdup(user->pw_name);
		last_uid = user->pw_uid;
	}
	endpwent();
	setgrent();
	while ((group = getgrent())) {
		g_free(last_group);
		last_group = g_strdup(group->gr_name);
		last_gid = group->gr_gid;
	}
	endgrent();
	for (guint i = 0; i < 2; i++) {
		g_autoptr(PvsConfig) config = NULL;

		g_assert_cmpint(pvs_accounts_user("root", &uid), ==, 0);
		g_assert_cmpuint(uid, ==, 0);
		g_assert_cmpint(pvs_accounts_group("root", &gid), ==, 0);
		g_assert_cmpuint(gid, ==, 0);
		g_assert_cmpint(pvs_accounts_user(last_user, &uid), ==, 0);
		g_assert_cmpuint(uid, ==, last_uid);
		g_assert_cmpint(pvs_accounts_group(last_group, &gid), ==, 0);
		g_assert_cmpuint(gid, ==, last_gid);
		uid = gid = 7;
		g_assert_cmpint(pvs_accounts_user("no-such-user-here", &uid), ==, ENOENT);
		g_assert_cmpint(pvs_accounts_user("", &uid), ==, ENOENT);
		g_assert_cmpint(pvs_accounts_group("no-such-group-here", &gid), ==, ENOENT);
		g_assert_cmpuint(uid, ==, 7);
		g_assert_cmpuint(gid, ==, 7);
		config = read_good(f, "[access a]\nUsers=root\nGroups=root\n");
		assert_ids(&rule_at(config, 0)->users, "0");
		assert_ids(&rule_at(config, 0)->groups, "0");
		pvs_accounts_settle();
	}
}

#define ADD(path, function) g_test_add(path, Files, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/config-access/whole", test_whole);
	ADD("/config-access/least", test_least);
	ADD("/config-access/errors", test_errors);
	ADD("/config-access/all-errors", test_all_errors);
	ADD("/config-access/files", test_files);
	ADD("/config-access/warnings", test_warnings);
	ADD("/config-access/incomplete", test_incomplete);
	ADD("/config-access/unknown-alone", test_unknown_alone);
	ADD("/config-access/limits", test_limits);
	ADD("/config-access/accounts", test_accounts); /* the last: it settles */
	return g_test_run();
}

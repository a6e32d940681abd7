/* SPDX-License-Identifier: MIT */
/*
 * test-access.c - the access rules as a pure function: each aspect, allowed and refused
 */
#include "policy/access.h"

#include <string.h>

#include "policy/glob.h"
#include "protocol/error.h"
#include "tests/unit/rules.h"

/* ---- patterns ---- */

static void test_glob(void)
{
	static const struct {
		const char *pattern, *text;
		gboolean expected;
	} rows[] = {
		{"", "", TRUE},
		{"", "a", FALSE},
		{"*", "", TRUE},
		{"*", "anything at all/with\nall", TRUE},
		{"?", "", FALSE},
		{"?", "a", TRUE},
		{"?", "ab", FALSE},
		{"prod", "prod", TRUE},
		{"prod", "prod2", FALSE},
		{"prod", "pro", FALSE},
		{"prod", "PROD", FALSE},
		{"prod*", "prod", TRUE},
		{"prod*", "prod-2", TRUE},
		{"prod*", "xprod", FALSE},
		{"*prod", "xprod", TRUE},
		{"*prod", "prodx", FALSE},
		{"a*b*c", "abc", TRUE},
		{"a*b*c", "a-b-b-c", TRUE},
		{"a*b*c", "acb", FALSE},
		{"*a*a*", "aa", TRUE},
		{"*a*a*", "a", FALSE},
		{"**", "", TRUE},
		{"a**b", "ab", TRUE},
		{"*?", "", FALSE},
		{"*?", "a", TRUE},
		{"?*?", "a", FALSE},
		/* One character of UTF-8, not one byte. */
		{"?", "\xc3\xbc", TRUE},
		{"??", "\xc3\xbc", FALSE},
		{"*?", "\xc3\xbc", TRUE},
		{"?*?", "\xc3\xbc", FALSE},
		{"a*??z", "a\xc3\xbcz", FALSE},
		{"?", "\xf0\x9f\x94\x91", TRUE},
		/* Nothing else is special. */
		{"[ab]", "a", FALSE},
		{"[ab]", "[ab]", TRUE},
		{"\\*", "*", FALSE},
		{"\\*", "\\anything", TRUE},
		{"{a,b}", "a", FALSE},
		{".*", "abc", FALSE},
		{"*", ".hidden", TRUE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("'%s' and '%s'", rows[i].pattern, rows[i].text);
		g_assert_cmpint(pvs_glob_match(rows[i].pattern, rows[i].text), ==,
				rows[i].expected);
	}
}

/* The definition of a pattern, word for word; takes exponential time. */
static gboolean glob_oracle(const char *p, const char *t)
{
	if (!*p)
		return !*t;
	if (*p == '*')
		return glob_oracle(p + 1, t) || (*t && glob_oracle(p, g_utf8_next_char(t)));
	if (!*t)
		return FALSE;
	if (*p == '?')
		return glob_oracle(p + 1, g_utf8_next_char(t));
	return g_utf8_get_char(p) == g_utf8_get_char(t) &&
	       glob_oracle(g_utf8_next_char(p), g_utf8_next_char(t));
}

static void random_text(GRand *random, const char *const *alphabet, guint n, guint longest,
			GString *text)
{
	g_string_truncate(text, 0);
	for (gint k = g_rand_int_range(random, 0, (gint)longest + 1); k > 0; k--)
		g_string_append(text, alphabet[g_rand_int_range(random, 0, (gint)n)]);
}

static void test_glob_random(void)
{
	static const char *const alphabet[] = {"a", "b", "\xc3\xbc", "\xe2\x82\xac", "*", "?", "*"};
	GRand *random = g_rand_new_with_seed(4);
	g_autoptr(GString) pattern = g_string_new(NULL);
	g_autoptr(GString) text = g_string_new(NULL);
	guint matches = 0;

	for (guint i = 0; i < 200000; i++) {
		gboolean expected;

		random_text(random, alphabet, 7, 7, pattern);
		random_text(random, alphabet, 4, 8, text);
		expected = glob_oracle(pattern->str, text->str);
		matches += expected;
		if (pvs_glob_match(pattern->str, text->str) != expected)
			g_error("'%s' and '%s' should%s match", pattern->str, text->str,
				expected ? "" : " not");
	}
	g_test_message("%u of 200000 match", matches);
	g_assert_cmpuint(matches, >, 20000);
	g_rand_free(random);
}

/* What takes other matchers for ever. */
static void test_glob_time(void)
{
	g_autoptr(GString) pattern = g_string_new(NULL);
	g_autofree char *text = g_strnfill(4096, 'a');
	gint64 start = g_get_monotonic_time();

	for (guint i = 0; i < 2000; i++)
		g_string_append(pattern, "*a");
	g_string_append_c(pattern, 'b');
	g_assert_false(pvs_glob_match(pattern->str, text));
	g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
}

/* ---- identities ---- */

static PvsAddFront identity_of(guint32 uid, guint32 gid, const guint32 *groups, guint n)
{
	PvsAddFront identity = {.front = 1, .uid = uid, .gid = gid};
	PvsGroup *list = pvs_list_init(&identity.groups, PvsGroup, n);

	for (guint i = 0; i < n; i++)
		list[i].gid = groups[i];
	return identity;
}

static guint size_for(const PvsList *rules, guint32 uid, guint32 gid, const guint32 *groups,
		      guint n)
{
	g_auto(PvsAddFront) identity = identity_of(uid, gid, groups, n);
	g_autoptr(PvsAccess) access = pvs_access_new(rules, &identity);

	return pvs_access_size(access);
}

static void test_identities(void)
{
	PvsList rules = rules_of("Users=1000 1001\n\nGroups=200\n\nUsers=1000\nGroups=300\n");
	PvsList all = rules_of("Users=*\n");
	PvsList none = {NULL, 0};
	static const guint32 groups[] = {200, 300};
	static const guint32 unmapped[] = {65534, G_MAXUINT32};

	g_assert_cmpuint(size_for(&rules, 1000, 100, NULL, 0), ==, 2);
	g_assert_cmpuint(size_for(&rules, 1001, 100, NULL, 0), ==, 1);
	g_assert_cmpuint(size_for(&rules, 1002, 100, NULL, 0), ==, 0);
	/* A gid is no uid, and the other way round. */
	g_assert_cmpuint(size_for(&rules, 200, 1000, NULL, 0), ==, 0);
	g_assert_cmpuint(size_for(&rules, 1002, 200, NULL, 0), ==, 1);
	g_assert_cmpuint(size_for(&rules, 1002, 100, groups, 1), ==, 1);
	g_assert_cmpuint(size_for(&rules, 1002, 100, groups, 2), ==, 2);
	g_assert_cmpuint(size_for(&rules, 1000, 100, groups, 2), ==, 3);
	/* Root is a user like any other. */
	g_assert_cmpuint(size_for(&rules, 0, 0, NULL, 0), ==, 0);
	g_assert_cmpuint(size_for(&all, 0, 0, NULL, 0), ==, 1);
	g_assert_cmpuint(size_for(&none, 0, 0, NULL, 0), ==, 0);
	/* Somebody else's user namespace: nobody, even where everybody may. */
	g_assert_cmpuint(size_for(&all, 65534, 0, NULL, 0), ==, 0);
	g_assert_cmpuint(size_for(&all, 0, 65534, NULL, 0), ==, 0);
	g_assert_cmpuint(size_for(&all, G_MAXUINT32, 0, NULL, 0), ==, 0);
	g_assert_cmpuint(size_for(&all, 0, G_MAXUINT32, NULL, 0), ==, 0);
	g_assert_cmpuint(size_for(&all, 1000, 100, unmapped, 2), ==, 1);
	rules_clear(&rules);
	rules_clear(&all);
}

/* Numbers that stand for nobody match nobody, also where a rule that came as a message has them. */
static void test_unmapped_in_rule(void)
{
	static const guint32 ids[] = {65534, G_MAXUINT32};

	for (gsize i = 0; i < G_N_ELEMENTS(ids); i++) {
		PvsId id = {ids[i]};
		PvsAccessRule rule = {.users = {&id, 1}, .groups = {&id, 1}};
		const PvsList rules = {&rule, 1};

		g_assert_cmpuint(size_for(&rules, 1000, 100, &ids[i], 1), ==, 0);
		g_assert_cmpuint(size_for(&rules, ids[i], ids[i], &ids[i], 1), ==, 0);
	}
}

/* ---- each aspect ---- */

#define ALLOWED PVS_ERROR_LAST_

/* What stands in a row differs from a call that "Methods=create_association" alone allows. */
typedef struct {
	const char *rules; /* behind Users=*, a section for each empty line */
	PvsAccessCall call;
	PvsError expected;
	const char *param;
	const char *name;
} Row;

static const char *const image_a[] = {"a", NULL};
static const char *const image_a_b[] = {"a", "b", NULL};
static const char *const image_none[] = {NULL};

#define M	       "Methods=create_association\n"
#define METHOD	       .method = "create_association"
#define CUID	       .has_cuid = TRUE
#define DENIED(aspect) PVS_ERROR_DENIED_##aspect

static const Row rows[] = {
	{M, {METHOD}, ALLOWED, NULL, NULL},
	{"Methods=create_*\n", {METHOD}, ALLOWED, NULL, NULL},
	{"Methods=ping create_association\n", {METHOD}, ALLOWED, NULL, NULL},
	{"Methods=create_meta\n", {METHOD}, DENIED(METHOD), NULL, NULL},
	{"Ccks=*\n", {METHOD}, DENIED(METHOD), NULL, NULL},
	{M, {.method = NULL}, DENIED(METHOD), NULL, NULL},

	{M "Ccks=prod\n", {METHOD, .cck = "prod"}, ALLOWED, NULL, NULL},
	{M "Ccks=prod-* test\n", {METHOD, .cck = "prod-1"}, ALLOWED, NULL, NULL},
	{M "Ccks=prod\n", {METHOD, .cck = "test"}, DENIED(CCK), "/cck", "test"},
	{M, {METHOD, .cck = "prod"}, DENIED(CCK), "/cck", "prod"},
	{M "Ccks=prod\n", {METHOD}, ALLOWED, NULL, NULL},

	{M "ExtensionSecrets=e?\n", {METHOD, .extension_secret = "e1"}, ALLOWED, NULL, NULL},
	{M "Ccks=*\nSignKeys=*\n",
	 {METHOD, .extension_secret = "e1"},
	 DENIED(EXTENSION_SECRET),
	 "/extension_secret",
	 "e1"},
	{M "SignKeys=s\n", {METHOD, .user_sign_key = "s"}, ALLOWED, NULL, NULL},
	{M "Ccks=*\nExtensionSecrets=*\n",
	 {METHOD, .user_sign_key = "s"},
	 DENIED(SIGN_KEY),
	 "/user_sign_key",
	 "s"},

	/* Without Images= any; with it those that are installed, however they were told. */
	{M, {METHOD, .images = image_none}, ALLOWED, NULL, NULL},
	{M, {METHOD, .images = image_a, .image_named = TRUE}, ALLOWED, NULL, NULL},
	{M "Images=a\n", {METHOD, .images = image_a}, ALLOWED, NULL, NULL},
	{M "Images=b\n", {METHOD, .images = image_a_b}, ALLOWED, NULL, NULL},
	{M "Images=c\n", {METHOD, .images = image_a_b}, DENIED(IMAGE), "/hdr", NULL},
	{M "Images=*\n", {METHOD, .images = image_none}, DENIED(IMAGE), "/hdr", NULL},
	{M "Images=*\n", {METHOD, .images = NULL}, DENIED(IMAGE), "/hdr", NULL},
	{M "Images=b\n",
	 {METHOD, .images = image_a, .image_named = TRUE},
	 DENIED(IMAGE),
	 "/image",
	 "a"},

	{M "Names=db/*\n", {METHOD, .name = "db/1"}, ALLOWED, NULL, NULL},
	{M "Names=db/*\n", {METHOD, .name = "web"}, DENIED(NAME), "/name", NULL},
	{M, {METHOD, .name = "web"}, DENIED(NAME), "/name", NULL},
	{M "Names=db/*\n", {METHOD}, ALLOWED, NULL, NULL},

	{M "Images=*\n", {METHOD, .images = image_a, .derive = TRUE}, ALLOWED, NULL, NULL},
	{M, {METHOD, .images = image_a, .derive = TRUE}, DENIED(DERIVE), "/secret/derive", NULL},

	{M "AllowNoVerify=yes\n", {METHOD, .no_verify = TRUE}, ALLOWED, NULL, NULL},
	{M "AllowNoVerify=no\n",
	 {METHOD, .no_verify = TRUE},
	 DENIED(NO_VERIFY),
	 "/no_verify",
	 NULL},
	{M, {METHOD, .no_verify = TRUE}, DENIED(NO_VERIFY), "/no_verify", NULL},

	{M "RequireCuid=yes\n", {METHOD, CUID}, ALLOWED, NULL, NULL},
	{M "RequireCuid=yes\n", {METHOD}, DENIED(CUID_REQUIRED), "/cuid", NULL},
	{M "RequireCuid=no\n", {METHOD}, ALLOWED, NULL, NULL},

	/* The first aspect, in order, at which no section is left. */
	{M "RequireCuid=yes\n",
	 {METHOD, .cck = "x", .name = "n", .no_verify = TRUE},
	 DENIED(CCK),
	 "/cck",
	 "x"},
	{M "RequireCuid=yes\n",
	 {METHOD, .name = "n", .no_verify = TRUE},
	 DENIED(NAME),
	 "/name",
	 NULL},
	{M "RequireCuid=yes\n", {METHOD, .no_verify = TRUE}, DENIED(NO_VERIFY), "/no_verify", NULL},
	{M "Images=b\nRequireCuid=yes\n",
	 {METHOD, .images = image_a, .name = "n"},
	 DENIED(IMAGE),
	 "/hdr",
	 NULL},

	/* An update has two CCKs, and the error says which it was. */
	{M "Ccks=a\n", {METHOD, .cck = "a", .new_cck = "a"}, ALLOWED, NULL, NULL},
	{M "Ccks=a\n", {METHOD, .cck = "a", .new_cck = "b"}, DENIED(CCK), "/new_cck", "b"},
	{M "Ccks=a\n", {METHOD, .cck = "b", .new_cck = "a"}, DENIED(CCK), "/cck", "b"},

	/* Two sections do not add up to one that nobody wrote. */
	{M "Ccks=a\n\n" M "Names=n\n", {METHOD, .cck = "a"}, ALLOWED, NULL, NULL},
	{M "Ccks=a\n\n" M "Names=n\n", {METHOD, .name = "n"}, ALLOWED, NULL, NULL},
	{M "Ccks=a\n\n" M "Names=n\n",
	 {METHOD, .cck = "a", .name = "n"},
	 DENIED(NAME),
	 "/name",
	 NULL},
	{"Ccks=*\nNames=*\n\n" M, {METHOD, .cck = "a"}, DENIED(CCK), "/cck", "a"},
	{M "RequireCuid=yes\n\n" M "Ccks=a\n", {METHOD}, ALLOWED, NULL, NULL},
	{M "Ccks=*\nRequireCuid=yes\n\n" M "Ccks=a\n",
	 {METHOD, .cck = "b"},
	 DENIED(CUID_REQUIRED),
	 "/cuid",
	 NULL},
};

static PvsList rules_for_everybody(const char *text)
{
	g_auto(GStrv) sections = g_strsplit(text, "\n\n", -1);
	g_autofree char *joined = g_strjoinv("\n\nUsers=*\n", sections);
	g_autofree char *whole = g_strconcat("Users=*\n", joined, NULL);

	return rules_of(whole);
}

static void test_aspects(void)
{
	const PvsAddFront identity = {.uid = 1000, .gid = 100};
	const PvsAddFront root = {.uid = 0, .gid = 0};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		PvsList rules = rules_for_everybody(rows[i].rules);
		g_autoptr(PvsAccess) access = pvs_access_new(&rules, &identity);
		g_autoptr(PvsAccess) as_root = pvs_access_new(&rules, &root);
		g_autoptr(GError) error = NULL;
		gboolean allowed = pvs_access_check(access, &rows[i].call, &error);

		g_test_message("row %" G_GSIZE_FORMAT ": %s", i, rows[i].rules);
		g_assert_cmpint(allowed, ==, rows[i].expected == ALLOWED);
		g_assert_cmpint(pvs_access_check(as_root, &rows[i].call, NULL), ==, allowed);
		if (!allowed) {
			g_assert_error(error, PVS_ERROR, (gint)rows[i].expected);
			g_assert_cmpint(pvs_error_code(rows[i].expected), ==, -32001);
			g_assert_cmpstr(pvs_error_param(error), ==, rows[i].param);
			g_assert_cmpstr(pvs_error_name(error), ==, rows[i].name);
		}
		rules_clear(&rules);
	}
}

static void test_nobody(void)
{
	const PvsAddFront root = {.uid = 0, .gid = 0};
	const PvsList none = {NULL, 0};
	g_autoptr(PvsAccess) access = pvs_access_new(&none, &root);
	static const char *const methods[] = {"ping",
					      "get_status",
					      "get_access",
					      "list_ccks",
					      "create_association",
					      "verify_host_key",
					      "create_meta",
					      "",
					      "*"};
	const PvsAccessCall call = {METHOD};

	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_autoptr(GError) error = NULL;

		g_assert_false(pvs_access_method(access, methods[i], &error));
		g_assert_error(error, PVS_ERROR, PVS_ERROR_DENIED_METHOD);
		g_assert_null(pvs_error_param(error));
	}
	g_assert_false(pvs_access_check(access, &call, NULL));
	g_assert_false(pvs_access_create(access, NULL));
	g_assert_false(pvs_access_cck(access, "prod"));
}

/* A rule that came empty allows nothing but to hear of it. */
static void test_zeroed_rule(void)
{
	PvsAccessRule rule = {.everybody = 1};
	const PvsList rules = {&rule, 1};
	const PvsAddFront root = {.uid = 0, .gid = 0};
	g_autoptr(PvsAccess) access = pvs_access_new(&rules, &root);
	const PvsAccessCall call = {METHOD};

	g_assert_cmpuint(pvs_access_size(access), ==, 1);
	g_assert_true(pvs_access_nth(access, 0) == &rule);
	g_assert_true(pvs_access_method(access, "ping", NULL));
	g_assert_false(pvs_access_method(access, "verify_host_key", NULL));
	g_assert_false(pvs_access_check(access, &call, NULL));
	rule.everybody = 0;
	g_assert_cmpuint(size_for(&rules, 0, 0, NULL, 0), ==, 0);
}

static void test_methods(void)
{
	static const struct {
		const char *rules;
		const char *method;
		gboolean expected;
	} methods[] = {
		{"Ccks=x\n", "ping", TRUE},
		{"Ccks=x\n", "get_status", TRUE},
		{"Ccks=x\n", "get_access", TRUE},
		{"Ccks=x\n", "list_ccks", TRUE},
		{"Ccks=x\n", "verify_host_key", FALSE},
		{"Ccks=x\n", "describe_request", FALSE},
		{"Ccks=x\n", "create_association", FALSE},
		{"Ccks=x\n", "PING", FALSE},
		{"Ccks=x\n", "", FALSE},
		{"Methods=verify_*\n", "verify_host_key", TRUE},
		{"Methods=verify_*\n", "create_association", FALSE},
		{"Ccks=x\n\nMethods=verify_*\n", "verify_host_key", TRUE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
		PvsList rules = rules_for_everybody(methods[i].rules);
		const PvsAddFront identity = {.uid = 1000, .gid = 100};
		g_autoptr(PvsAccess) access = pvs_access_new(&rules, &identity);

		g_assert_cmpint(pvs_access_method(access, methods[i].method, NULL), ==,
				methods[i].expected);
		rules_clear(&rules);
	}
}

/* What list_ccks shows, and what trust asks before it verifies. */
static void test_create_and_ccks(void)
{
	static const struct {
		const char *rules;
		gboolean create, prod, test;
	} cases[] = {
		{"Methods=create_association\nCcks=prod\n", TRUE, TRUE, FALSE},
		{"Methods=create_*\nCcks=*\n", TRUE, TRUE, TRUE},
		{"Methods=create_meta\n", TRUE, FALSE, FALSE},
		{"Methods=create_retrievable\nCcks=t*\n", TRUE, FALSE, TRUE},
		{"Methods=create_update_cck\nCcks=t*\n", TRUE, FALSE, TRUE},
		/* Nothing can be made with it. */
		{"Methods=verify_*\nCcks=*\n", FALSE, FALSE, FALSE},
		{"Ccks=*\n", FALSE, FALSE, FALSE},
		{"Methods=create_*\n\nCcks=*\n", TRUE, FALSE, FALSE},
		{"Methods=create_*\nCcks=prod\n\nMethods=create_*\nCcks=test\n", TRUE, TRUE, TRUE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsList rules = rules_for_everybody(cases[i].rules);
		const PvsAddFront identity = {.uid = 1000, .gid = 100};
		g_autoptr(PvsAccess) access = pvs_access_new(&rules, &identity);

		g_assert_cmpint(pvs_access_create(access, NULL), ==, cases[i].create);
		g_assert_cmpint(pvs_access_cck(access, "prod"), ==, cases[i].prod);
		g_assert_cmpint(pvs_access_cck(access, "test"), ==, cases[i].test);
		rules_clear(&rules);
	}
}

/* Keys that nobody verified are kept for who may make something for them, and for nobody else. */
static void test_no_verify(void)
{
	static const struct {
		const char *rules;
		gboolean expected;
	} cases[] = {{"Methods=create_meta\nAllowNoVerify=yes\n", TRUE},
		     {"Methods=*\nAllowNoVerify=yes\n", TRUE},
		     {"Methods=*\n", FALSE},
		     {"Methods=verify_*\nAllowNoVerify=yes\n", FALSE},
		     {"Methods=*\n\nMethods=verify_*\nAllowNoVerify=yes\n", FALSE},
		     {"Methods=*\n\nMethods=create_meta\nAllowNoVerify=yes\n", TRUE}};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsList rules = rules_for_everybody(cases[i].rules);
		const PvsAddFront identity = {.uid = 1000, .gid = 100};
		g_autoptr(PvsAccess) access = pvs_access_new(&rules, &identity);

		g_assert_cmpint(pvs_access_no_verify(access), ==, cases[i].expected);
		rules_clear(&rules);
	}
}

static void test_tells_images(void)
{
	static const struct {
		const char *rules;
		gboolean expected;
	} cases[] = {{"Methods=*\n", FALSE},
		     {"Images=*\n", TRUE},
		     {"Methods=*\n\nMethods=*\n", FALSE},
		     {"Methods=*\n\nImages=x\n", TRUE}};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsList rules = rules_for_everybody(cases[i].rules);
		const PvsAddFront identity = {.uid = 1000, .gid = 100};
		g_autoptr(PvsAccess) access = pvs_access_new(&rules, &identity);

		g_assert_cmpint(pvs_access_tells_images(access), ==, cases[i].expected);
		rules_clear(&rules);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/access/glob", test_glob);
	g_test_add_func("/access/glob-random", test_glob_random);
	g_test_add_func("/access/glob-time", test_glob_time);
	g_test_add_func("/access/identities", test_identities);
	g_test_add_func("/access/unmapped-in-rule", test_unmapped_in_rule);
	g_test_add_func("/access/aspects", test_aspects);
	g_test_add_func("/access/nobody", test_nobody);
	g_test_add_func("/access/zeroed-rule", test_zeroed_rule);
	g_test_add_func("/access/methods", test_methods);
	g_test_add_func("/access/create-and-ccks", test_create_and_ccks);
	g_test_add_func("/access/no-verify", test_no_verify);
	g_test_add_func("/access/tells-images", test_tells_images);
	return g_test_run();
}

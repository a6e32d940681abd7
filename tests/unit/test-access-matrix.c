/* SPDX-License-Identifier: MIT */
/*
 * test-access-matrix.c - identities x methods x keys x images x names x flags x rules, complete
 *
 * The oracle knows no patterns and no lists: it is a table for each aspect that says, by hand,
 * which of the few values of a rule allows which of the few values of a call. The methods are the
 * API's: one that the tables have no row for fails here until somebody has said who may call it.
 *
 * All values of all aspects at once would be some thousand million calls. There are two matrices,
 * each complete in what it varies: one of keys and methods, one of all that is no key.
 */
#include <string.h>

#include "policy/access.h"
#include "protocol/api.h"
#include "protocol/error.h"
#include "tests/unit/rules.h"

/* ---- what a rule can say, and a call: an index for each aspect ---- */

enum { SUBJECT, METHODS, CCKS, EXTS, SIGNS, IMAGES, NAMES, NEEDS_CUID, ALLOWS_NO_VERIFY, OF_RULE };
enum { IDENTITY, METHOD, CCK, NEW_CCK, EXT, SIGN, IMAGE, NAME, DERIVE, NO_VERIFY, CUID, OF_CALL };

enum { METHOD_RULES = 5, KEYS = 3 };

static const char *const rule_lines[OF_RULE][METHOD_RULES] = {
	[SUBJECT] = {"Users=1000\n", "Groups=200\n", "Users=*\n"},
	[METHODS] = {"", "Methods=create_association\n", "Methods=create_* verify_host_key\n",
		     "Methods=create_meta create_retr* verify_request\n", "Methods=*\n"},
	[CCKS] = {"", "Ccks=prod\n", "Ccks=*\n"},
	[EXTS] = {"", "ExtensionSecrets=prod\n", "ExtensionSecrets=*\n"},
	[SIGNS] = {"", "SignKeys=prod\n", "SignKeys=*\n"},
	[IMAGES] = {"", "Images=web\n", "Images=*\n"},
	[NAMES] = {"", "Names=db/*\n", "Names=*\n"},
	[NEEDS_CUID] = {"", "RequireCuid=yes\n"},
	[ALLOWS_NO_VERIFY] = {"", "AllowNoVerify=yes\n"},
};

static const struct {
	guint32 uid, gid, group;
} identities[] = {
	{1000, 100, 27},   /* the user */
	{1001, 200, 27},   /* by his group */
	{1003, 100, 27},   /* somebody else */
	{1002, 100, 200},  /* by another group of his */
	{0, 0, 0},	   /* root */
	{200, 1000, 1000}, /* the same numbers, the other way round */
	{65534, 200, 200}, /* nobody who is known */
	{1000, G_MAXUINT32, 200},
};
enum { IDENTITIES = G_N_ELEMENTS(identities) };

/* Of each kind of key. */
static const char *const keys[KEYS] = {NULL, "prod", "test"};
static const char *const web[] = {"web", NULL}, *const other[] = {"other", NULL},
			 *const both[] = {"other", "web", NULL}, *const neither[] = {NULL};
static const struct {
	const char *const *names;
	gboolean named;
} call_images[] = {{neither, FALSE}, {web, FALSE}, {both, FALSE},
		   {other, FALSE},   {web, TRUE},  {other, TRUE}};
static const char *const call_names[] = {NULL, "db/1", "web"};

/* The API's methods, and behind them one that there is not. */
enum { CALL_METHODS = PVS_METHOD_LAST_ + 1 };
static const char *call_methods[CALL_METHODS];

/* What is varied: how many values each aspect has, from the first on, which is "not named". */
typedef struct {
	guint rule[OF_RULE];
	guint call[OF_CALL];
} Matrix;

static const Matrix all_but_keys = {
	.rule = {3, 3, 3, 1, 1, 3, 3, 2, 2},
	.call = {IDENTITIES, 5, 3, 1, 1, 1, 6, 3, 2, 2, 2},
};
static const Matrix all_keys = {
	.rule = {2, METHOD_RULES, 3, 3, 3, 2, 1, 1, 1},
	.call = {3, CALL_METHODS, KEYS, KEYS, KEYS, KEYS, 2, 1, 1, 1, 1},
};

static guint product(const guint *sizes, guint n)
{
	guint product = 1;

	for (guint i = 0; i < n; i++)
		product *= sizes[i];
	return product;
}

static void split(guint number, const guint *sizes, guint n, guint *values)
{
	for (guint i = n; i > 0; i--) {
		values[i - 1] = number % sizes[i - 1];
		number /= sizes[i - 1];
	}
	g_assert_cmpuint(number, ==, 0);
}

/* ---- the oracle ---- */

/* Rows: subjects; columns: identities. */
static const gboolean fits[3][IDENTITIES] = {
	{1, 0, 0, 0, 0, 0, 0, 0},
	{0, 1, 0, 1, 0, 0, 0, 0},
	{1, 1, 1, 1, 1, 1, 0, 0},
};

/* Does it only tell what is no secret from who has a section? And which of METHODS allow it? */
static const struct {
	const char *name;
	gboolean tells;
	gboolean allowed[METHOD_RULES];
} method_rows[] = {
	{"create_association", 0, {0, 1, 1, 0, 1}},
	{"create_meta", 0, {0, 0, 1, 1, 1}},
	{"create_retrievable", 0, {0, 0, 1, 1, 1}},
	{"create_update_cck", 0, {0, 0, 1, 0, 1}},
	{"verify_request", 0, {0, 0, 0, 1, 1}},
	{"describe_request", 0, {0, 0, 0, 0, 1}},
	{"verify_host_key", 0, {0, 0, 1, 0, 1}},
	{"list_ccks", 1, {0, 0, 0, 0, 1}},
	{"get_access", 1, {0, 0, 0, 0, 1}},
	{"get_status", 1, {0, 0, 0, 0, 1}},
	{"ping", 1, {0, 0, 0, 0, 1}},
	{"Create_association", 0, {0, 0, 0, 0, 1}}, /* the one that there is not */
};
static guint row_of[CALL_METHODS]; /* of call_methods */

/* Rows: what is allowed; columns: what is named. Of keys of every kind, and of names. */
static const gboolean allows_key[3][KEYS] = {{1, 0, 0}, {1, 1, 0}, {1, 1, 1}};
static const gboolean allows_image[3][6] = {
	{1, 1, 1, 1, 1, 1}, {0, 1, 1, 0, 1, 0}, {0, 1, 1, 1, 1, 1}};

typedef struct {
	PvsError code; /* PVS_ERROR_LAST_: it is allowed */
	const char *param;
} Verdict;

enum { ASPECTS = 11, ASPECT_IMAGE = 5 };
static const Verdict verdicts[ASPECTS + 1] = {
	{PVS_ERROR_DENIED_METHOD, NULL},
	{PVS_ERROR_DENIED_CCK, "/cck"},
	{PVS_ERROR_DENIED_CCK, "/new_cck"},
	{PVS_ERROR_DENIED_EXTENSION_SECRET, "/extension_secret"},
	{PVS_ERROR_DENIED_SIGN_KEY, "/user_sign_key"},
	{PVS_ERROR_DENIED_IMAGE, "/hdr"},
	{PVS_ERROR_DENIED_NAME, "/name"},
	{PVS_ERROR_DENIED_DERIVE, "/secret/derive"},
	{PVS_ERROR_DENIED_DERIVE_UNVERIFIED, "/no_verify"},
	{PVS_ERROR_DENIED_NO_VERIFY, "/no_verify"},
	{PVS_ERROR_DENIED_CUID_REQUIRED, "/cuid"},
	{PVS_ERROR_LAST_, NULL},
};

/* How many aspects of the call the rule allows, from the first on; -1: it is not the identity's. */
static int reach(const guint *r, const guint *c)
{
	const gboolean allowed[ASPECTS] = {
		method_rows[row_of[c[METHOD]]].allowed[r[METHODS]],
		allows_key[r[CCKS]][c[CCK]],
		allows_key[r[CCKS]][c[NEW_CCK]],
		allows_key[r[EXTS]][c[EXT]],
		allows_key[r[SIGNS]][c[SIGN]],
		allows_image[r[IMAGES]][c[IMAGE]],
		allows_key[r[NAMES]][c[NAME]],
		!c[DERIVE] || r[IMAGES] != 0,
		!c[DERIVE] || !c[NO_VERIFY],
		!c[NO_VERIFY] || r[ALLOWS_NO_VERIFY],
		c[CUID] || !r[NEEDS_CUID],
	};
	int n = 0;

	if (!fits[r[SUBJECT]][c[IDENTITY]])
		return -1;
	while (n < ASPECTS && allowed[n])
		n++;
	return n;
}

static Verdict oracle(guint rules[][OF_RULE], guint n, const guint *call)
{
	Verdict verdict;
	int best = -1;

	for (guint i = 0; i < n; i++)
		best = MAX(best, reach(rules[i], call));
	if (best < 0)
		return (Verdict){PVS_ERROR_DENIED_SECTION, NULL};
	verdict = verdicts[best];
	if (best == ASPECT_IMAGE && call_images[call[IMAGE]].named)
		verdict.param = "/image";
	return verdict;
}

/* ---- what is tested ---- */

static void append_rule(GString *text, const guint *rule)
{
	if (text->len > 0)
		g_string_append_c(text, '\n');
	for (guint i = 0; i < OF_RULE; i++)
		g_string_append(text, rule_lines[i][rule[i]]);
}

static PvsAccess *access_of(const PvsList *rules, guint identity)
{
	PvsGroup group = {identities[identity].group};
	const PvsAddFront who = {
		.uid = identities[identity].uid,
		.gid = identities[identity].gid,
		.groups = {&group, 1},
	};

	return pvs_access_new(rules, &who);
}

static gboolean is_verdict(const PvsAccess *access, const guint *c, Verdict expected)
{
	const PvsAccessCall call = {
		.method = call_methods[c[METHOD]],
		.cck = keys[c[CCK]],
		.new_cck = keys[c[NEW_CCK]],
		.extension_secret = keys[c[EXT]],
		.user_sign_key = keys[c[SIGN]],
		.images = call_images[c[IMAGE]].names,
		.image_named = call_images[c[IMAGE]].named,
		.name = call_names[c[NAME]],
		.derive = c[DERIVE] != 0,
		.no_verify = c[NO_VERIFY] != 0,
		.has_cuid = c[CUID] != 0,
	};
	g_autoptr(GError) error = NULL;

	if (pvs_access_check(access, &call, &error))
		return expected.code == PVS_ERROR_LAST_;
	return error->code == (int)expected.code &&
	       g_strcmp0(pvs_error_param(error), expected.param) == 0;
}

typedef struct {
	guint64 asked, allowed;
} Tally;

/* All calls of the matrix under these rules. */
static void compare(const Matrix *matrix, guint rules[][OF_RULE], guint n, Tally *tally)
{
	const guint calls = product(matrix->call, OF_CALL);
	g_autoptr(GString) text = g_string_new(NULL);
	PvsAccess *access[IDENTITIES];
	PvsList list;

	for (guint i = 0; i < n; i++)
		append_rule(text, rules[i]);
	list = rules_of(text->str);
	for (guint i = 0; i < IDENTITIES; i++)
		access[i] = access_of(&list, i);
	for (guint i = 0; i < calls; i++) {
		guint call[OF_CALL];
		Verdict expected;

		split(i, matrix->call, OF_CALL, call);
		expected = oracle(rules, n, call);
		if (!is_verdict(access[call[IDENTITY]], call, expected))
			g_error("call %u: not %d at %s with\n%s", i, expected.code,
				expected.param ? expected.param : "nothing", text->str);
		tally->allowed += expected.code == PVS_ERROR_LAST_;
		tally->asked++;
	}
	for (guint i = 0; i < IDENTITIES; i++)
		pvs_access_free(access[i]);
	rules_clear(&list);
}

static void test_one_section(gconstpointer data)
{
	const Matrix *matrix = data;
	const guint n = product(matrix->rule, OF_RULE);
	Tally tally = {0};

	for (guint i = 0; i < n; i++) {
		guint rule[1][OF_RULE];

		split(i, matrix->rule, OF_RULE, rule[0]);
		compare(matrix, rule, 1, &tally);
	}
	g_test_message("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " allowed", tally.allowed,
		       tally.asked);
	g_assert_cmpuint(tally.asked, ==, (guint64)n * product(matrix->call, OF_CALL));
	g_assert_cmpuint(tally.allowed, >, tally.asked / 100);
	g_assert_cmpuint(tally.allowed, <, tally.asked / 4);
}

/* Two and three sections, of which each allows something else. */
static void test_sections(gconstpointer data)
{
	const Matrix *matrix = data;
	GRand *random = g_rand_new_with_seed(7);
	Tally tally = {0};

	for (guint i = 0; i < 150; i++) {
		guint rules[3][OF_RULE];

		for (guint k = 0; k < 3; k++)
			for (guint a = 0; a < OF_RULE; a++)
				rules[k][a] =
					(guint)g_rand_int_range(random, 0, (gint32)matrix->rule[a]);
		compare(matrix, rules, 2 + i % 2, &tally);
	}
	g_test_message("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " allowed", tally.allowed,
		       tally.asked);
	g_assert_cmpuint(tally.allowed, >, tally.asked / 100);
	g_rand_free(random);
}

static void test_no_section(gconstpointer data)
{
	Tally tally = {0};

	compare(data, NULL, 0, &tally);
	g_assert_cmpuint(tally.asked, >, 0);
	g_assert_cmpuint(tally.allowed, ==, 0);
}

/* May it be called at all? Of all methods, by everybody, with one section and with each two. */
static void test_methods(void)
{
	const guint sizes[] = {3, METHOD_RULES, 3, METHOD_RULES};

	for (guint i = 0; i < product(sizes, 4); i++) {
		guint rules[2][OF_RULE] = {{0}}, v[4];
		g_autoptr(GString) text = g_string_new(NULL);
		PvsList list;

		split(i, sizes, 4, v);
		for (guint k = 0; k < 2; k++) {
			rules[k][SUBJECT] = v[2 * k];
			rules[k][METHODS] = v[2 * k + 1];
			append_rule(text, rules[k]);
		}
		list = rules_of(text->str);
		for (guint who = 0; who < IDENTITIES; who++) {
			g_autoptr(PvsAccess) access = access_of(&list, who);

			for (guint m = 0; m < CALL_METHODS; m++) {
				g_autoptr(GError) error = NULL;
				gboolean expected = FALSE;
				int denied = PVS_ERROR_DENIED_SECTION;

				for (guint k = 0; k < 2; k++)
					if (fits[v[2 * k]][who])
						denied = PVS_ERROR_DENIED_METHOD;
				for (guint k = 0; k < 2; k++)
					expected |= fits[v[2 * k]][who] &&
						    (method_rows[row_of[m]].tells ||
						     method_rows[row_of[m]].allowed[v[2 * k + 1]]);
				if (pvs_access_method(access, call_methods[m], &error) != expected)
					g_error("%s, identity %u: not %d with\n%s", call_methods[m],
						who, expected, text->str);
				if (!expected)
					g_assert_error(error, PVS_ERROR, denied);
			}
		}
		rules_clear(&list);
	}
}

/* A row for each method, and a method for each row. */
static void find_rows(void)
{
	g_assert_cmpuint(CALL_METHODS, ==, G_N_ELEMENTS(method_rows));
	for (guint i = 0; i < PVS_METHOD_LAST_; i++)
		call_methods[i] = pvs_method_name((PvsMethod)i);
	call_methods[PVS_METHOD_LAST_] = method_rows[PVS_METHOD_LAST_].name;
	for (guint i = 0; i < CALL_METHODS; i++) {
		while (strcmp(method_rows[row_of[i]].name, call_methods[i]) != 0)
			if (++row_of[i] == CALL_METHODS)
				g_error("the matrix does not say who may call %s", call_methods[i]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	find_rows();
	g_test_add_func("/access-matrix/methods", test_methods);
	g_test_add_data_func("/access-matrix/no-section", &all_but_keys, test_no_section);
	g_test_add_data_func("/access-matrix/no-section/keys", &all_keys, test_no_section);
	g_test_add_data_func("/access-matrix/one-section", &all_but_keys, test_one_section);
	g_test_add_data_func("/access-matrix/one-section/keys", &all_keys, test_one_section);
	g_test_add_data_func("/access-matrix/sections", &all_but_keys, test_sections);
	g_test_add_data_func("/access-matrix/sections/keys", &all_keys, test_sections);
	return g_test_run();
}

/* SPDX-License-Identifier: MIT */
/*
 * test-access-matrix.c - identities x methods x CCKs x images x names x flags x rules, complete
 *
 * The oracle knows no patterns and no lists: it is a table for each aspect that says, by hand,
 * which of the few values of a rule allows which of the few values of a call.
 */
#include <string.h>

#include "policy/access.h"
#include "protocol/error.h"
#include "tests/unit/rules.h"

/* What a rule can say, an index each. */
typedef struct {
	guint subject, methods, ccks, images, names, cuid, no_verify;
} RuleValues;

static const char *const subjects[] = {"Users=1000\n", "Groups=200\n", "Users=*\n"};
static const char *const methods[] = {"", "Methods=create_association\n",
				      "Methods=create_* verify_host_key\n"};
static const char *const ccks[] = {"", "Ccks=prod\n", "Ccks=*\n"};
static const char *const images[] = {"", "Images=web\n", "Images=*\n"};
static const char *const names[] = {"", "Names=db/*\n", "Names=*\n"};
static const char *const cuids[] = {"", "RequireCuid=yes\n"};
static const char *const no_verifies[] = {"", "AllowNoVerify=yes\n"};

static const guint rule_sizes[] = {3, 3, 3, 3, 3, 2, 2};
enum { RULES = 3 * 3 * 3 * 3 * 3 * 2 * 2 };

/* What a call can say, an index each. */
typedef struct {
	guint identity, method, cck, image, name, derive, no_verify, cuid;
} CallValues;

static const struct {
	guint32 uid, gid, group;
} identities[] = {
	{0, 0, 0},	   /* root */
	{1000, 100, 27},   /* the user */
	{1001, 200, 27},   /* by his group */
	{1002, 100, 200},  /* by another group of his */
	{1003, 100, 27},   /* somebody else */
	{200, 1000, 1000}, /* the same numbers, the other way round */
	{65534, 200, 200}, /* nobody who is known */
	{1000, G_MAXUINT32, 200},
};

static const char *const call_methods[] = {"create_association", "create_meta", "verify_host_key",
					   "Create_association"};
static const char *const call_ccks[] = {NULL, "prod", "test"};
static const char *const web[] = {"web", NULL}, *const other[] = {"other", NULL},
			 *const both[] = {"other", "web", NULL}, *const neither[] = {NULL};
static const struct {
	const char *const *names;
	gboolean named;
} call_images[] = {{neither, FALSE}, {web, FALSE}, {both, FALSE},
		   {other, FALSE},   {web, TRUE},  {other, TRUE}};
static const char *const call_names[] = {NULL, "db/1", "web"};

static const guint call_sizes[] = {8, 4, 3, 6, 3, 2, 2, 2};
enum { CALLS = 8 * 4 * 3 * 6 * 3 * 2 * 2 * 2, IDENTITIES = 8, CALLS_OF_ONE = CALLS / IDENTITIES };

static void split(guint number, const guint *sizes, guint n, guint *values)
{
	for (guint i = n; i > 0; i--) {
		values[i - 1] = number % sizes[i - 1];
		number /= sizes[i - 1];
	}
	g_assert_cmpuint(number, ==, 0);
}

static RuleValues rule_values(guint number)
{
	guint v[7];

	split(number, rule_sizes, 7, v);
	return (RuleValues){v[0], v[1], v[2], v[3], v[4], v[5], v[6]};
}

static CallValues call_values(guint number)
{
	guint v[8];

	split(number, call_sizes, 8, v);
	return (CallValues){v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]};
}

/* ---- the oracle ---- */

/* Rows: subjects; columns: identities. */
static const gboolean fits[3][8] = {
	{0, 1, 0, 0, 0, 0, 0, 0},
	{0, 0, 1, 1, 0, 0, 0, 0},
	{1, 1, 1, 1, 1, 1, 0, 0},
};
static const gboolean allows_method[3][4] = {{0, 0, 0, 0}, {1, 0, 0, 0}, {1, 1, 1, 0}};
static const gboolean allows_cck[3][3] = {{1, 0, 0}, {1, 1, 0}, {1, 1, 1}};
static const gboolean allows_image[3][6] = {
	{1, 1, 1, 1, 1, 1}, {0, 1, 1, 0, 1, 0}, {0, 1, 1, 1, 1, 1}};
static const gboolean allows_name[3][3] = {{1, 0, 0}, {1, 1, 0}, {1, 1, 1}};

enum { ASPECTS = 8 };
static const PvsError errors[ASPECTS] = {
	PVS_ERROR_DENIED_METHOD,    PVS_ERROR_DENIED_CCK,
	PVS_ERROR_DENIED_IMAGE,	    PVS_ERROR_DENIED_NAME,
	PVS_ERROR_DENIED_DERIVE,    PVS_ERROR_DENIED_DERIVE_UNVERIFIED,
	PVS_ERROR_DENIED_NO_VERIFY, PVS_ERROR_DENIED_CUID_REQUIRED,
};

/* How many aspects of the call the rule allows, from the first on; -1: it is not the identity's. */
static int reach(RuleValues r, CallValues c)
{
	const gboolean verdicts[ASPECTS] = {
		allows_method[r.methods][c.method], allows_cck[r.ccks][c.cck],
		allows_image[r.images][c.image],    allows_name[r.names][c.name],
		!c.derive || r.images != 0,	    !c.derive || !c.no_verify,
		!c.no_verify || r.no_verify,	    c.cuid || !r.cuid,
	};
	int n = 0;

	if (!fits[r.subject][c.identity])
		return -1;
	while (n < ASPECTS && verdicts[n])
		n++;
	return n;
}

/* The error; PVS_ERROR_LAST_: it is allowed. */
static PvsError oracle(const RuleValues *rules, guint n, CallValues c)
{
	int best = -1;

	for (guint i = 0; i < n; i++)
		best = MAX(best, reach(rules[i], c));
	if (best < 0)
		return PVS_ERROR_DENIED_SECTION;
	return best == ASPECTS ? PVS_ERROR_LAST_ : errors[best];
}

/* ---- what is tested ---- */

static char *rule_text(RuleValues r)
{
	return g_strconcat(subjects[r.subject], methods[r.methods], ccks[r.ccks], images[r.images],
			   names[r.names], cuids[r.cuid], no_verifies[r.no_verify], NULL);
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

static PvsError verdict(const PvsAccess *access, CallValues c)
{
	const PvsAccessCall call = {
		.method = call_methods[c.method],
		.cck = call_ccks[c.cck],
		.images = call_images[c.image].names,
		.image_named = call_images[c.image].named,
		.name = call_names[c.name],
		.derive = c.derive != 0,
		.no_verify = c.no_verify != 0,
		.has_cuid = c.cuid != 0,
	};
	g_autoptr(GError) error = NULL;

	if (pvs_access_check(access, &call, &error))
		return PVS_ERROR_LAST_;
	return (PvsError)error->code;
}

/* All calls of all identities under these rules; counts what was allowed. */
static void compare(const char *text, const RuleValues *values, guint n, guint64 *allowed,
		    guint64 *asked)
{
	PvsList rules = rules_of(text);

	for (guint identity = 0; identity < IDENTITIES; identity++) {
		g_autoptr(PvsAccess) access = access_of(&rules, identity);

		for (guint i = 0; i < CALLS_OF_ONE; i++) {
			CallValues c = call_values(identity * CALLS_OF_ONE + i);
			PvsError expected = oracle(values, n, c);
			PvsError got = verdict(access, c);

			g_assert_cmpuint(c.identity, ==, identity);
			if (got != expected)
				g_error("call %u: %d instead of %d with\n%s",
					identity * CALLS_OF_ONE + i, got, expected, text);
			*allowed += got == PVS_ERROR_LAST_;
			++*asked;
		}
	}
	rules_clear(&rules);
}

static void test_one_section(void)
{
	guint64 allowed = 0, asked = 0;

	for (guint i = 0; i < RULES; i++) {
		RuleValues values = rule_values(i);
		g_autofree char *text = rule_text(values);

		compare(text, &values, 1, &allowed, &asked);
	}
	g_test_message("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " allowed", allowed, asked);
	g_assert_cmpuint(asked, ==, (guint64)RULES * CALLS);
	g_assert_cmpuint(allowed, >, asked / 100);
	g_assert_cmpuint(allowed, <, asked / 4);
}

/* Two and three sections, of which each allows something else. */
static void test_sections(void)
{
	GRand *random = g_rand_new_with_seed(7);
	guint64 allowed = 0, asked = 0;

	for (guint i = 0; i < 150; i++) {
		guint n = 2 + i % 2;
		RuleValues values[3];
		g_autoptr(GString) text = g_string_new(NULL);

		for (guint k = 0; k < n; k++) {
			g_autofree char *one = NULL;

			values[k] = rule_values((guint)g_rand_int_range(random, 0, RULES));
			one = rule_text(values[k]);
			g_string_append_printf(text, "%s%s", k ? "\n" : "", one);
		}
		compare(text->str, values, n, &allowed, &asked);
	}
	g_test_message("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " allowed", allowed, asked);
	g_assert_cmpuint(allowed, >, asked / 100);
	g_rand_free(random);
}

static void test_no_section(void)
{
	const PvsList none = {NULL, 0};

	for (guint identity = 0; identity < IDENTITIES; identity++) {
		g_autoptr(PvsAccess) access = access_of(&none, identity);

		for (guint i = 0; i < CALLS_OF_ONE; i++)
			g_assert_cmpint(verdict(access, call_values(identity * CALLS_OF_ONE + i)),
					==, PVS_ERROR_DENIED_SECTION);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/access-matrix/no-section", test_no_section);
	g_test_add_func("/access-matrix/one-section", test_one_section);
	g_test_add_func("/access-matrix/sections", test_sections);
	return g_test_run();
}

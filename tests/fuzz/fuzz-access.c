/* SPDX-License-Identifier: MIT */
/*
 * fuzz-access.c - access rules as the configuration has them, and calls of any content
 *
 * The input is lines: those up to an empty one are sections of a configuration, those behind it are
 * what calls are made of. Whatever the rules: what goes through a message stays the same, nobody
 * without a section may do anything, and a section that is added takes nothing away.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/accounts.h"
#include "daemon/config.h"
#include "policy/access.h"
#include "policy/glob.h"
#include "protocol/error.h"
#include "protocol/message.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

enum { WORDS_MAX = 8, RULES_TRIED = 8, ORACLE_MAX = 24 };

/* The definition of a pattern; takes exponential time, so only for short ones. */
static gboolean oracle(const char *p, const char *t)
{
	if (!*p)
		return !*t;
	if (*p == '*')
		return oracle(p + 1, t) || (*t && oracle(p, g_utf8_next_char(t)));
	if (!*t || (*p != '?' && g_utf8_get_char(p) != g_utf8_get_char(t)))
		return FALSE;
	return oracle(g_utf8_next_char(p), g_utf8_next_char(t));
}

static void check_patterns(const PvsList *patterns, char **words)
{
	for (guint i = 0; i < MIN(patterns->n, RULES_TRIED); i++) {
		const char *pattern = pvs_list_nth(*patterns, PvsPattern, i)->text;

		for (guint w = 0; words[w] && w < WORDS_MAX; w++) {
			gboolean matches = pvs_glob_match(pattern, words[w]);

			if (strlen(pattern) + strlen(words[w]) <= ORACLE_MAX)
				g_assert_cmpint(matches, ==, oracle(pattern, words[w]));
		}
		g_assert_true(pvs_glob_match("*", pattern));
		g_assert_true(pvs_glob_match(pattern, pattern));
	}
}

static gboolean allowed(const PvsList *rules, const PvsAddFront *who, const PvsAccessCall *call)
{
	g_autoptr(PvsAccess) access = pvs_access_new(rules, who);
	g_autoptr(GError) error = NULL;
	gboolean yes = pvs_access_check(access, call, &error);

	if (!yes)
		g_assert_cmpint(pvs_error_code((PvsError)error->code), ==, -32001);
	if (pvs_access_size(access) == 0)
		g_assert_error(error, PVS_ERROR, PVS_ERROR_DENIED_METHOD);
	/* What is allowed in full is allowed in part, and to who may create at all. */
	if (yes) {
		g_assert_true(pvs_access_method(access, call->method, NULL));
		g_assert_true(!call->cck || pvs_access_cck(access, call->cck) ||
			      !g_str_has_prefix(call->method, "create_"));
	}
	return yes;
}

static void check_calls(const PvsList *rules, char **words, guint n)
{
	static const char *const methods[] = {"create_association", "create_meta"};
	PvsGroup groups[] = {{0}, {4}};
	const PvsAddFront who = {.uid = 1000, .gid = 100, .groups = {groups, 2}};
	const PvsAddFront unmapped = {.uid = 65534, .gid = 0, .groups = {groups, 2}};
	const PvsList none = {NULL, 0};

	for (guint i = 0; i < 16; i++) {
		const char *images[] = {n > 0 ? words[i % n] : NULL, NULL};
		const PvsAccessCall call = {
			.method = methods[i & 1],
			.cck = n > 1 ? words[1] : NULL,
			.extension_secret = n > 2 ? words[2] : NULL,
			.user_sign_key = n > 3 ? words[3] : NULL,
			.images = images,
			.name = n > 4 ? words[4] : NULL,
			.derive = (i & 2) != 0,
			.no_verify = (i & 4) != 0,
			.has_cuid = (i & 8) != 0,
		};
		gboolean so_far = FALSE;

		g_assert_false(allowed(&none, &who, &call));
		g_assert_false(allowed(rules, &unmapped, &call));
		for (guint k = 0; k <= MIN(rules->n, RULES_TRIED); k++) {
			const PvsList first = {rules->items, k};
			gboolean now = allowed(&first, &who, &call);

			g_assert_true(now || !so_far);
			so_far = now;
		}
	}
}

/* Through a message and back. */
static void check_message(const PvsList *rules)
{
	PvsVaultStart sent = {.rules = *rules};
	g_auto(PvsVaultStart) got = {.rules = {NULL, 0}};
	g_auto(PvsWriter) first = pvs_writer();
	g_auto(PvsWriter) second = pvs_writer();
	PvsReader r;

	pvs_body_put(&first, pvs_vault_start_fields, &sent);
	g_assert_cmpuint(first.size, <=, pvs_message_cap(PVS_MESSAGE_START));
	r = pvs_reader(first.data, first.size);
	g_assert_true(pvs_body_get(&r, pvs_vault_start_fields, &got));
	g_assert_cmpuint(got.rules.n, ==, rules->n);
	pvs_body_put(&second, pvs_vault_start_fields, &got);
	g_assert_cmpmem(first.data, first.size, second.data, second.size);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(PvsConfig) config = NULL;
	const guint8 *end = memmem(data, size, "\n\n", 2);
	gsize conf = end ? (gsize)(end - data) + 1 : size;
	g_autofree char *rest = end ? g_strndup((const char *)end + 2, size - conf - 1) : NULL;
	g_auto(GStrv) words =
		g_strsplit(rest && g_utf8_validate(rest, -1, NULL) ? rest : "", "\n", WORDS_MAX);
	int fd = memfd_create("config", MFD_CLOEXEC);
	char path[64];

	/* No name service: what it says is not the input's. */
	pvs_accounts_settle();
	g_assert_true(fd >= 0 && write(fd, data, conf) == (ssize_t)conf);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	config = pvs_config_read(path, NULL);
	close(fd);
	if (config) {
		const PvsList rules = {config->rules->data, config->rules->len};

		for (guint i = 0; i < MIN(rules.n, RULES_TRIED); i++) {
			const PvsAccessRule *rule = pvs_list_nth(rules, PvsAccessRule, i);

			check_patterns(&rule->ccks, words);
			check_patterns(&rule->names, words);
		}
		check_calls(&rules, words, g_strv_length(words));
		check_message(&rules);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * rules.c - access rules for tests, from text as it stands in pvsecretd.conf
 */
#include "tests/unit/rules.h"

#include <string.h>

#include "daemon/config-access.h"

static void read_section(PvsAccessRule *rule, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);

	for (char **line = lines; *line; line++) {
		g_autofree char *wrong = NULL;
		char *equals = strchr(*line, '=');

		if (!equals)
			continue;
		*equals = '\0';
		g_assert_cmpint(pvs_config_access_key(*line), >=, 0);
		pvs_config_access_set(rule, pvs_config_access_key(*line), equals + 1, warnings,
				      &wrong);
		g_assert_cmpstr(wrong, ==, NULL);
	}
}

PvsList rules_of(const char *text)
{
	g_auto(GStrv) sections = g_strsplit(text, "\n\n", -1);
	PvsList list = {NULL, 0};
	PvsAccessRule *rules = pvs_list_init(&list, PvsAccessRule, g_strv_length(sections));

	for (guint i = 0; i < list.n; i++) {
		g_autofree char *name = g_strdup_printf("s%u", i);
		g_autofree char *place = g_strdup_printf("test.conf:%u", i + 1);

		pvs_config_access_init(&rules[i], name, place);
		read_section(&rules[i], sections[i]);
	}
	return list;
}

void rules_clear(PvsList *rules)
{
	for (guint i = 0; i < rules->n; i++)
		pvs_access_rule_clear(pvs_list_nth(*rules, PvsAccessRule, i));
	g_clear_pointer(&rules->items, g_free);
	rules->n = 0;
}

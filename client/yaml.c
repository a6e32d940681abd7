/* SPDX-License-Identifier: MIT */
/*
 * yaml.c - the secret info
 */
#include "client/yaml.h"

#include <limits.h>
#include <string.h>

#include "client/failure.h"
#include "client/text.h"

/* YAML 1.1 takes these words, in any case, for truth values and null (YAML 1.2 only some). */
static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"};

/* What is never syntax inside a plain scalar. Left out on purpose: ':' and '#', which are syntax
 * next to a space; brackets, braces and ',', which are inside a flow collection, where someone may
 * paste the line. */
static gboolean inner_is_plain(gunichar c)
{
	if (c < 0x80)
		return g_ascii_isalnum((gchar)c) || (c && strchr(" _-.+/@=~%()", (int)c) != NULL);
	return pvs_text_visible(c);
}

/* Only a letter or "_" starts a plain scalar here: numbers of any form (0x1f, 1_000, 12:30, .5, +1,
 * dates), the merge key "<<", the value key "=", "~" and all indicators start with something else.
 */
static gboolean first_is_plain(gunichar c)
{
	if (c < 0x80)
		return g_ascii_isalpha((gchar)c) || c == '_';
	return g_unichar_isalpha(c);
}

static gboolean is_plain(const char *name)
{
	gsize size = strlen(name);

	if (size == 0 || name[size - 1] == ' ' || !first_is_plain(g_utf8_get_char(name)))
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		if (g_ascii_strcasecmp(name, words[i]) == 0)
			return FALSE;
	for (const char *p = name; *p; p = g_utf8_next_char(p))
		if (!inner_is_plain(g_utf8_get_char(p)))
			return FALSE;
	return TRUE;
}

char *pvs_yaml_string(const char *name)
{
	GString *quoted;

	if (is_plain(name))
		return g_strdup(name);
	quoted = g_string_new("\"");
	for (const char *p = name; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c == '"' || c == '\\')
			g_string_append_printf(quoted, "\\%c", (char)c);
		else if (c == ' ' || pvs_text_visible(c))
			g_string_append_unichar(quoted, c);
		else if (c < 0x100)
			g_string_append_printf(quoted, "\\x%02x", c);
		else if (c < 0x10000)
			g_string_append_printf(quoted, "\\u%04x", c);
		else
			g_string_append_printf(quoted, "\\U%08x", c);
	}
	g_string_append_c(quoted, '"');
	return g_string_free(quoted, FALSE);
}

char *pvs_yaml_secret_info(const char *tag, const char *kind, const char *name, const char *id)
{
	g_autofree char *scalar = pvs_yaml_string(name);

	return g_strdup_printf("!%s\n%s%s%sname: %s\nid: 0x%s\n", tag, kind ? "kind: " : "",
			       kind ? kind : "", kind ? "\n" : "", scalar, id);
}

char *pvs_yaml_file_name(const char *name, const char *request, GError **error)
{
	g_autoptr(GString) file = g_string_new(NULL);
	const char *wrong = NULL;

	for (const char *p = name; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		if (c == '/')
			wrong = "it contains \"/\"";
		else if (g_unichar_iscntrl(c))
			wrong = "it contains a control character";
		if (g_unichar_isspace(c))
			g_string_append_c(file, '_');
		else
			g_string_append_unichar(file, c);
	}
	g_string_append(file, ".yaml");
	if (!*name)
		wrong = "it is empty";
	else if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		wrong = "it is a directory's name";
	else if (!wrong && file->len > NAME_MAX)
		wrong = "it is too long";
	else if (!wrong && request && strcmp(file->str, request) == 0)
		wrong = "that file would be the request itself";
	if (wrong) {
		pvs_failure(error, PVS_EXIT_USAGE,
			    "choose another name, or have the secret info on standard output with "
			    "--stdout",
			    "the secret's name '%s' cannot name the file NAME.yaml: %s", name,
			    wrong);
		return NULL;
	}
	return g_string_free(g_steal_pointer(&file), FALSE);
}

/* SPDX-License-Identifier: MIT */
/*
 * text.c - which characters may be shown as they are
 */
#include "client/text.h"

#include <string.h>

gboolean pvs_text_visible(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_FORMAT:
	case G_UNICODE_UNASSIGNED:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_PRIVATE_USE: /* a terminal's own font may make anything of it */
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
	case G_UNICODE_SPACE_SEPARATOR:
		return FALSE;
	default:
		return TRUE;
	}
}

char *pvs_text_show(const char *bytes, gsize max)
{
	gsize size = max ? strnlen(bytes, max) : strlen(bytes);
	GString *shown = g_string_sized_new(size);
	const char *end = bytes + size;
	const char *p = bytes;

	while (p < end) {
		gunichar c = g_utf8_get_char_validated(p, end - p);

		if (c == (gunichar)-1 || c == (gunichar)-2) {
			/* Cut in the middle of a character is not the name's fault. */
			if (c == (gunichar)-2 && *end)
				break;
			g_string_append_printf(shown, "\\x%02x", (guchar)*p++);
			continue;
		}
		if (c == ' ' || pvs_text_visible(c))
			g_string_append_len(shown, p, g_utf8_next_char(p) - p);
		else if (c < 0x80)
			g_string_append_printf(shown, "\\x%02x", c);
		else
			g_string_append_printf(shown, "\\u{%04x}", c);
		p = g_utf8_next_char(p);
	}
	if (*end)
		g_string_append(shown, "...");
	return g_string_free(shown, FALSE);
}

/* The value of the attribute @type ("CN="), newly allocated; NULL: there is none. */
static char *attribute_of(const char *name, const char *type)
{
	for (const char *at = name; at && *at;) {
		gsize size = 0;

		/* A comma ends it, but for one that is escaped. */
		while (at[size] && at[size] != ',' && at[size] != '+')
			size += at[size] == '\\' && at[size + 1] ? 2 : 1;
		if (g_str_has_prefix(at, type))
			return g_strndup(at + strlen(type), size - strlen(type));
		at += size + (at[size] != '\0');
	}
	return NULL;
}

char *pvs_text_subject(const char *name)
{
	g_autofree char *common = attribute_of(name, "CN=");
	g_autofree char *organization = attribute_of(name, "O=");
	g_autofree char *unit = attribute_of(name, "OU=");

	if (common && g_strcmp0(common, organization) != 0)
		return g_steal_pointer(&common);
	if (unit)
		return g_steal_pointer(&unit);
	return g_strdup(name);
}

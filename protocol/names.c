/* SPDX-License-Identifier: MIT */
/*
 * names.c - how keys and installed documents are named
 */
#include "protocol/names.h"

#include <string.h>

gboolean pvs_key_name_valid(const char *name)
{
	gsize size = strlen(name);

	if (size < 1 || size > 64 || !g_ascii_isalnum(name[0]))
		return FALSE;
	for (gsize i = 1; i < size; i++)
		if (!g_ascii_isalnum(name[i]) && !strchr("_.-", name[i]))
			return FALSE;
	return TRUE;
}

gboolean pvs_file_is_aside(const char *name)
{
	return name[0] == '.' || g_str_has_suffix(name, "~");
}

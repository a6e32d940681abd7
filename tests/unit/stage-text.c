/* SPDX-License-Identifier: MIT */
/*
 * stage-text.c - calls as a client of the stage writes them
 */
#include "tests/unit/stage.h"

#include <string.h>

const char *text_header(void)
{
	static char *text;
	guint8 header[PVS_HEADER_FIXED + sizeof(PvsKeyslot) + 16 + 16] = {0};
	const guint32 version = GUINT32_TO_BE(0x100), size = GUINT32_TO_BE(sizeof header);
	const guint64 keyslots = GUINT64_TO_BE(1), encrypted = GUINT64_TO_BE(16);

	if (text)
		return text;
	memcpy(header, "IBMSecEx", 8);
	memcpy(header + 8, &version, sizeof version);
	memcpy(header + 12, &size, sizeof size);
	memcpy(header + 32, &keyslots, sizeof keyslots);
	memcpy(header + 40, &encrypted, sizeof encrypted);
	memset(header + sizeof header - 16, 0x7a, 16); /* the tag */
	text = g_base64_encode(header, sizeof header);
	return text;
}

char *text_create(const char *id, const char *document, const char *more)
{
	g_autofree char *base64 = g_base64_encode((const guchar *)document, strlen(document));
	g_autofree char *member = id ? g_strdup_printf("\"id\":%s,", id) : g_strdup("");

	return g_strdup_printf("{\"jsonrpc\":\"2.0\",%s\"method\":\"create_association\","
			       "\"params\":{\"name\":\"secret\",\"hdr\":\"%s\","
			       "\"host_keys\":[{\"document\":\"%s\"}]%s}}",
			       member, text_header(), base64, more ? more : "");
}

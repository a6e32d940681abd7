/* SPDX-License-Identifier: MIT */
/*
 * encoding.c - base64 and hex, strict
 */
#include "protocol/encoding.h"

#include <string.h>

/* All bits set where @c is in @low..@high, else none; by arithmetic, so that neither a branch nor a
 * look-up depends on what may be a secret. */
static inline gint32 between(gint32 c, gint32 low, gint32 high)
{
	return ((low - 1 - c) & (c - high - 1)) >> 31;
}

/* The six bits that a character stands for; negative for one that is not of the alphabet. */
static inline gint32 sextet(guint8 byte)
{
	gint32 c = byte;
	gint32 value = -1;

	value += between(c, 'A', 'Z') & (c - 'A' + 1);
	value += between(c, 'a', 'z') & (c - 'a' + 26 + 1);
	value += between(c, '0', '9') & (c - '0' + 52 + 1);
	value += between(c, '+', '+') & (62 + 1);
	value += between(c, '/', '/') & (63 + 1);
	return value;
}

gboolean pvs_base64_decode_to(const char *text, gsize length, guint8 *out, gsize capacity,
			      gsize *size)
{
	gsize padding = 0, n, at = 0;
	gint32 bad = 0;

	if (length % 4 != 0)
		return FALSE;
	if (length > 0 && text[length - 1] == '=')
		padding = text[length - 2] == '=' ? 2 : 1;
	n = length / 4 * 3 - padding;
	if (n > capacity)
		return FALSE;

	for (gsize i = 0; i < length; i += 4) {
		gsize here = i + 4 == length ? padding : 0;
		gint32 a = sextet((guint8)text[i]), b = sextet((guint8)text[i + 1]);
		gint32 c = here == 2 ? 0 : sextet((guint8)text[i + 2]);
		gint32 d = here >= 1 ? 0 : sextet((guint8)text[i + 3]);
		guint32 bits = (guint32)(a & 63) << 18 | (guint32)(b & 63) << 12 |
			       (guint32)(c & 63) << 6 | (guint32)(d & 63);

		bad |= a | b | c | d;
		/* Bits behind the last byte: another text for the same bytes. */
		bad |= -(gint32)(here == 2 ? bits & 0xffff : here == 1 ? bits & 0xff : 0);
		out[at++] = (guint8)(bits >> 16);
		if (here < 2)
			out[at++] = (guint8)(bits >> 8);
		if (here < 1)
			out[at++] = (guint8)bits;
	}
	if (bad < 0) {
		explicit_bzero(out, n);
		return FALSE;
	}
	*size = n;
	return TRUE;
}

GBytes *pvs_base64_decode(const char *text, gsize max)
{
	gsize length = strlen(text), size;
	gsize capacity = length / 4 * 3;
	guint8 *out;

	if (length % 4 != 0 || capacity > max + 2)
		return NULL;
	out = g_malloc(MAX(capacity, 1));
	if (!pvs_base64_decode_to(text, length, out, capacity, &size) || size > max) {
		g_free(out);
		return NULL;
	}
	return g_bytes_new_take(out, size);
}

/* What the escape at @text (behind its backslash) stands for, if that is one ASCII character. */
static gboolean unescape(const char *text, gsize left, char *c, gsize *used)
{
	gint high, low;

	if (left >= 1 && text[0] == '/') {
		*c = '/';
		*used = 1;
		return TRUE;
	}
	if (left < 5 || text[0] != 'u' || text[1] != '0' || text[2] != '0')
		return FALSE;
	high = g_ascii_xdigit_value(text[3]);
	low = g_ascii_xdigit_value(text[4]);
	if (high < 0 || low < 0)
		return FALSE;
	*c = (char)(high << 4 | low);
	*used = 5;
	return TRUE;
}

gboolean pvs_base64_decode_json(const char *text, gsize length, guint8 *out, gsize capacity,
				gsize *size)
{
	char block[4];
	gsize filled = 0, at = 0, i = 0;
	gboolean good = TRUE, ended = FALSE;

	/* Four characters at a time, so that no unescaped copy of the whole is made. */
	while (good && i < length) {
		gsize used = 1, n = 0;
		char c = text[i];

		if (c == '\\') {
			good = unescape(text + i + 1, length - i - 1, &c, &used);
			used++;
		}
		i += used;
		block[filled++] = c;
		if (!good || filled < 4)
			continue;
		/* Nothing may follow a block with padding. */
		good = !ended && pvs_base64_decode_to(block, 4, out + at, capacity - at, &n);
		ended = block[3] == '=';
		at += good ? n : 0;
		filled = 0;
	}
	explicit_bzero(block, sizeof block);
	if (!good || filled > 0) {
		explicit_bzero(out, at);
		return FALSE;
	}
	*size = at;
	return TRUE;
}

char *pvs_hex(const guint8 *data, gsize size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = g_malloc(2 * size + 1);

	for (gsize i = 0; i < size; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}

gboolean pvs_hex_decode(const char *text, guint8 *out, gsize size)
{
	if (strlen(text) != 2 * size)
		return FALSE;
	for (gsize i = 0; i < 2 * size; i++)
		if (!g_ascii_isxdigit(text[i]))
			return FALSE;
	for (gsize i = 0; i < size; i++)
		out[i] = (guint8)(g_ascii_xdigit_value(text[2 * i]) << 4 |
				  g_ascii_xdigit_value(text[2 * i + 1]));
	return TRUE;
}

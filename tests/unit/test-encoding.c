/* SPDX-License-Identifier: MIT */
/*
 * test-encoding.c - base64 and hex: what is taken, and that nothing else is
 */
#include "protocol/encoding.h"

#include <string.h>

#define CANARY 0xa5

/* Decodes into exactly @capacity bytes with a canary behind them. */
static gboolean decode(const char *text, guint8 *out, gsize capacity, gsize *size)
{
	g_autofree guint8 *room = g_malloc(capacity + 1);
	gboolean good;

	room[capacity] = CANARY;
	good = pvs_base64_decode_to(text, strlen(text), room, capacity, size);
	g_assert_cmpint(room[capacity], ==, CANARY);
	if (good)
		memcpy(out, room, *size);
	return good;
}

/* Against GLib's encoder, every length and every last byte. */
static void test_base64(void)
{
	guint8 bytes[100], out[100];

	for (gsize n = 0; n <= sizeof bytes; n++)
		for (guint last = 0; last < 256; last++) {
			g_autofree char *text = NULL;
			gsize size = 1000;

			for (gsize i = 0; i < n; i++)
				bytes[i] = (guint8)(i * 37 + last);
			text = g_base64_encode(bytes, n);
			g_assert_true(decode(text, out, n, &size));
			g_assert_cmpmem(out, size, bytes, n);
			if (n > 0) {
				size = 1000;
				g_assert_false(decode(text, out, n - 1, &size));
				g_assert_cmpuint(size, ==, 1000);
			}
		}
}

/* Every byte in every place of a block is taken if and only if it is of the alphabet. */
static void test_alphabet(void)
{
	for (gsize place = 0; place < 4; place++)
		for (guint c = 1; c < 256; c++) {
			char text[] = "AAAAAAAA";
			guint8 out[6];
			gsize size;
			gboolean good = g_ascii_isalnum((char)c) || c == '+' || c == '/';

			/* The first block: "=" is no better there than anywhere else. */
			text[place] = (char)c;
			g_assert_cmpint(decode(text, out, sizeof out, &size), ==, good);
		}
}

static void test_base64_refused(void)
{
	static const char *const cases[] = {
		"A",	    "AA",	 "AAA",	      "AAAAA",	   "A===",
		"=AAA",	    "A=AA",	 "AA=A",      "====",	   "AAAA====",
		"AA==AAAA", "AAA=AAAA",	 "AAAA=",     "AB==",	   "AP==",
		"AAB=",	    "AAD=",	 "AA\n=",     "AAAA\nAA=", "AAAA\n",
		" AAAA",    "AAAA ",	 "AA-_",      "AAA\x80",   "AAAA\xc3\xa4\x41",
		"%41AAA",   "AAAAAAA\t", "AAAAAA==A", "AAAA AAAA", "AAA\\",
	};
	guint8 out[64];
	gsize size = 1000;

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GBytes) bytes = pvs_base64_decode(cases[i], 1000);

		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_false(decode(cases[i], out, sizeof out, &size));
		g_assert_null(bytes);
		g_assert_cmpuint(size, ==, 1000);
	}
}

/* What was decoded before the flaw was seen does not stay. */
static void test_wiped(void)
{
	guint8 out[12];
	gsize size;

	memset(out, 0, sizeof out);
	g_assert_false(pvs_base64_decode_to("c2VjcmV0c2Vj!mV0", 16, out, sizeof out, &size));
	for (gsize i = 0; i < sizeof out; i++)
		g_assert_cmpint(out[i], ==, 0);
	g_assert_false(pvs_base64_decode_json("c2VjcmV0c2Vj!mV0", 16, out, sizeof out, &size));
	for (gsize i = 0; i < sizeof out; i++)
		g_assert_cmpint(out[i], ==, 0);
}

static void test_limit(void)
{
	static const struct {
		gsize n;
		gsize max;
		gboolean good;
	} cases[] = {{0, 0, TRUE},    {1, 0, FALSE},   {1, 1, TRUE},	 {2, 1, FALSE},
		     {3, 3, TRUE},    {4, 3, FALSE},   {4, 4, TRUE},	 {30, 30, TRUE},
		     {31, 30, FALSE}, {32, 30, FALSE}, {1000, 30, FALSE}};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree guint8 *bytes = g_malloc0(cases[i].n + 1);
		g_autofree char *text = g_base64_encode(bytes, cases[i].n);
		g_autoptr(GBytes) out = pvs_base64_decode(text, cases[i].max);

		g_assert_cmpint(out != NULL, ==, cases[i].good);
		if (out)
			g_assert_cmpuint(g_bytes_get_size(out), ==, cases[i].n);
	}
}

static void test_json(void)
{
	static const struct {
		const char *text;
		const char *bytes; /* NULL: refused */
	} cases[] = {
		{"", ""},
		{"YWJj", "abc"},
		{"YWI=", "ab"},
		{"YQ==", "a"},
		{"Pz8/", "???"},
		{"Pz8\\/", "???"},
		{"Pz8\\u002f", "???"},
		{"Pz8\\u002F", "???"},
		{"\\u0059\\u0057\\u004a\\u006a", "abc"},
		{"YQ\\u003d\\u003D", "a"},
		{"YWJjZGVm", "abcdef"},
		{"YQ=", NULL},
		{"YQ", NULL},
		{"YWJj\\", NULL},
		{"YWJ\\u006", NULL},
		{"YWJ\\u0", NULL},
		{"YWJ\\u016a", NULL},
		{"YWJ\\u106a", NULL},
		{"YWJ\\u00gg", NULL},
		{"YWJ\\n", NULL},
		{"YWJ\\\"", NULL},
		{"YWJ\\j", NULL},
		{"YQ==YQ==", NULL},
		{"YWI=YWJj", NULL},
		{"YWJj ", NULL},
		{"YWJj\\u0020", NULL},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const char *wanted = cases[i].bytes;
		guint8 out[16];
		gsize size = 1000;
		gboolean good = pvs_base64_decode_json(cases[i].text, strlen(cases[i].text), out,
						       sizeof out, &size);

		g_test_message("%s", cases[i].text);
		g_assert_cmpint(good, ==, wanted != NULL);
		if (good)
			g_assert_cmpmem(out, size, wanted, strlen(wanted));
		else
			g_assert_cmpuint(size, ==, 1000);
		/* And never behind the room there is. */
		if (wanted && *wanted)
			g_assert_false(pvs_base64_decode_json(cases[i].text, strlen(cases[i].text),
							      out, strlen(wanted) - 1, &size));
	}
}

static void test_hex(void)
{
	static const guint8 bytes[] = {0x00, 0x01, 0x7f, 0x80, 0xab, 0xff};
	g_autofree char *text = pvs_hex(bytes, sizeof bytes);
	g_autofree char *empty = pvs_hex(bytes, 0);
	static const char *const refused[] = {
		"",
		"0",
		"00017f80abf",
		"00017f80abff0",
		"00017f80abff00",
		"0x017f80abff",
		"00017f80abfg",
		"00 17f80abff",
		" 0017f80abff",
		"00017f80ab\n\n",
		"+0017f80abff",
		"00017f80ab\xc3\xa4",
	};
	guint8 out[sizeof bytes + 1];

	g_assert_cmpstr(text, ==, "00017f80abff");
	g_assert_cmpstr(empty, ==, "");
	out[sizeof bytes] = CANARY;
	g_assert_true(pvs_hex_decode("00017f80abff", out, sizeof bytes));
	g_assert_cmpmem(out, sizeof bytes, bytes, sizeof bytes);
	g_assert_true(pvs_hex_decode("00017F80ABFF", out, sizeof bytes));
	g_assert_cmpmem(out, sizeof bytes, bytes, sizeof bytes);
	g_assert_true(pvs_hex_decode("", out, 0));
	memset(out, CANARY, sizeof out);
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++)
		g_assert_false(pvs_hex_decode(refused[i], out, sizeof bytes));
	for (gsize i = 0; i < sizeof out; i++)
		g_assert_cmpint(out[i], ==, CANARY);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/encoding/base64", test_base64);
	g_test_add_func("/encoding/base64/alphabet", test_alphabet);
	g_test_add_func("/encoding/base64/refused", test_base64_refused);
	g_test_add_func("/encoding/base64/wiped", test_wiped);
	g_test_add_func("/encoding/base64/limit", test_limit);
	g_test_add_func("/encoding/base64/json", test_json);
	g_test_add_func("/encoding/hex", test_hex);
	return g_test_run();
}

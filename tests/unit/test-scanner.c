/* SPDX-License-Identifier: MIT */
/*
 * test-scanner.c - where texts end, what is refused, where the secrets stand
 *
 * Every case is fed whole and a byte at a time: what comes out must be the same.
 */
#include "protocol/scanner.h"

#include <string.h>

#define DEPTH  16
#define SIZE   4096
#define TOKENS 64
#define CASE(text, verdict)                     \
	{                                       \
		text, sizeof(text) - 1, verdict \
	}

/* What a stream of bytes came to: a letter for each result, T a text, E an error, F a fatal one;
 * and the first error's row. */
typedef struct {
	GString *events;
	GPtrArray *texts; /* of GBytes */
	PvsError error;
	gboolean owed;
	PvsError owed_error;
} Outcome;

static const PvsScannerLimits limits = {SIZE, DEPTH, TOKENS};

static void take_text(Outcome *o, const guint8 *data, gsize end, gsize size)
{
	g_assert_cmpuint(size, <=, end);
	g_ptr_array_add(o->texts, g_bytes_new(data + end - size, size));
}

static Outcome scan_with(const PvsScannerLimits *with, const void *bytes, gsize size, gsize piece)
{
	g_autoptr(PvsScanner) scanner = pvs_scanner_new(with);
	Outcome o = {g_string_new(NULL),
		     g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref), PVS_ERROR_LAST_,
		     FALSE, PVS_ERROR_LAST_};
	const guint8 *data = bytes;
	gsize at = 0;

	while (at < size) {
		gsize end = MIN(size, at + piece);

		while (at < end) {
			PvsError error = PVS_ERROR_LAST_;
			gsize used;
			PvsScanResult result =
				pvs_scanner_feed(scanner, data + at, end - at, &used, &error);

			g_assert_cmpuint(used, <=, end - at);
			at += used;
			if (result == PVS_SCAN_MORE) {
				g_assert_cmpuint(at, ==, end);
				continue;
			}
			g_string_append_c(o.events, result == PVS_SCAN_TEXT    ? 'T'
						    : result == PVS_SCAN_ERROR ? 'E'
									       : 'F');
			if (result == PVS_SCAN_TEXT)
				take_text(&o, data, at, pvs_scanner_text_size(scanner));
			else if (o.error == PVS_ERROR_LAST_)
				o.error = error;
		}
	}
	o.owed = pvs_scanner_finish(scanner, &o.owed_error);
	return o;
}

static void outcome_clear(Outcome *o)
{
	g_string_free(o->events, TRUE);
	g_ptr_array_unref(o->texts);
}

static void expect_bytes(const void *data, gsize size, const char *events, PvsError error)
{
	static const gsize pieces[] = {G_MAXSIZE / 2, 1, 3};

	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		Outcome o = scan_with(&limits, data, size, pieces[i]);

		if (strcmp(o.events->str, events) != 0 || o.error != error)
			g_test_message("%.*s", (int)MIN(size, 200), (const char *)data);
		g_assert_cmpstr(o.events->str, ==, events);
		g_assert_cmpint(o.error, ==, error);
		outcome_clear(&o);
	}
}

static void expect(const char *text, const char *events, PvsError error)
{
	expect_bytes(text, strlen(text), events, error);
}

static void test_accepted(void)
{
	static const char *const cases[] = {
		"{}",
		"[]",
		"[[]]",
		"[{}]",
		"{\"a\":{}}",
		"[null,true,false]",
		"[0]",
		"[-0]",
		"[1]",
		"[-1]",
		"[10]",
		"[123456789012345678]",
		"[9223372036854775807]",
		"[-9223372036854775808]",
		"[0.5]",
		"[-0.5]",
		"[1.0]",
		"[1e1]",
		"[1E+1]",
		"[1e-1]",
		"[0e0]",
		"[1.5e300]",
		"[-1.5E-300]",
		"[1e-999]",
		"[\"\"]",
		"[\"a\"]",
		"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
		"[\"\\u0001\\u001f\\u007f\\u00e4\\u20ac\"]",
		"[\"\\ud834\\udd1e\"]",
		"[\"\\uDBFF\\uDFFF\"]",
		"[\"\xc3\xa4\"]",
		"[\"\xe2\x82\xac\"]",
		"[\"\xf0\x9d\x84\x9e\"]",
		"[\"\xf4\x8f\xbf\xbf\"]",
		"[\"\xed\x9f\xbf\xee\x80\x80\"]",
		"[\"\x7f\"]",
		"[\"}{]{\"]",
		"{\"\":0}",
		"{\"a\":1,\"b\":2}",
		"{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
		"[{\"a\":1},{\"a\":1}]",
		"{ \"a\" : [ 1 , 2 ] , \"b\" : null }",
		"\t\r\n {\r\n\t\"a\":\r\n1\t}",
		"{\"A\":1,\"a\":2}",
		"{\"a\\u0062\":1,\"a\":2}",
		"{\"\\u00e4\":1,\"\xc3\xb6\":2}",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		expect(cases[i], "T", PVS_ERROR_LAST_);
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		gsize size;
		PvsError error;
	} cases[] = {
		CASE("[1,]", PVS_ERROR_PARSE),
		CASE("[,1]", PVS_ERROR_PARSE),
		CASE("[1,,2]", PVS_ERROR_PARSE),
		CASE("[1 2]", PVS_ERROR_PARSE),
		CASE("[1:2]", PVS_ERROR_PARSE),
		CASE("{\"a\"}", PVS_ERROR_PARSE),
		CASE("{\"a\":}", PVS_ERROR_PARSE),
		CASE("{\"a\" 1}", PVS_ERROR_PARSE),
		CASE("{\"a\",1}", PVS_ERROR_PARSE),
		CASE("{\"a\":1,}", PVS_ERROR_PARSE),
		CASE("{,\"a\":1}", PVS_ERROR_PARSE),
		CASE("{\"a\":1 \"b\":2}", PVS_ERROR_PARSE),
		CASE("{\"a\":1:2}", PVS_ERROR_PARSE),
		CASE("{a:1}", PVS_ERROR_PARSE),
		CASE("{1:1}", PVS_ERROR_PARSE),
		CASE("{null:1}", PVS_ERROR_PARSE),
		CASE("{[]:1}", PVS_ERROR_PARSE),
		CASE("['a']", PVS_ERROR_PARSE),
		CASE("{'a':1}", PVS_ERROR_PARSE),
		CASE("[1}]", PVS_ERROR_PARSE),
		CASE("[/* */]", PVS_ERROR_PARSE),
		CASE("[//\n]", PVS_ERROR_PARSE),
		CASE("[#\n]", PVS_ERROR_PARSE),
		CASE("[nul]", PVS_ERROR_PARSE),
		CASE("[Null]", PVS_ERROR_PARSE),
		CASE("[truex]", PVS_ERROR_PARSE),
		CASE("[TRUE]", PVS_ERROR_PARSE),
		CASE("[fals]", PVS_ERROR_PARSE),
		CASE("[NaN]", PVS_ERROR_PARSE),
		CASE("[Infinity]", PVS_ERROR_PARSE),
		CASE("[-Infinity]", PVS_ERROR_PARSE),
		CASE("[undefined]", PVS_ERROR_PARSE),
		CASE("[01]", PVS_ERROR_PARSE),
		CASE("[-01]", PVS_ERROR_PARSE),
		CASE("[010]", PVS_ERROR_PARSE),
		CASE("[0x10]", PVS_ERROR_PARSE),
		CASE("[0b11]", PVS_ERROR_PARSE),
		CASE("[+1]", PVS_ERROR_PARSE),
		CASE("[- 5]", PVS_ERROR_PARSE),
		CASE("[-]", PVS_ERROR_PARSE),
		CASE("[--1]", PVS_ERROR_PARSE),
		CASE("[.5]", PVS_ERROR_PARSE),
		CASE("[-.5]", PVS_ERROR_PARSE),
		CASE("[1.]", PVS_ERROR_PARSE),
		CASE("[1.e1]", PVS_ERROR_PARSE),
		CASE("[1.5.5]", PVS_ERROR_PARSE),
		CASE("[1e]", PVS_ERROR_PARSE),
		CASE("[1e+]", PVS_ERROR_PARSE),
		CASE("[1e1.5]", PVS_ERROR_PARSE),
		CASE("[1ee1]", PVS_ERROR_PARSE),
		CASE("[1+1]", PVS_ERROR_PARSE),
		CASE("[1a]", PVS_ERROR_PARSE),
		CASE("[\"\\q\"]", PVS_ERROR_PARSE),
		CASE("[\"\\x41\"]", PVS_ERROR_PARSE),
		CASE("[\"\\'\"]", PVS_ERROR_PARSE),
		CASE("[\"\\uZZZZ\"]", PVS_ERROR_PARSE),
		CASE("[\"\\u12\"]", PVS_ERROR_PARSE),
		CASE("[\"\\u 041\"]", PVS_ERROR_PARSE),
		CASE("[\"\\U0041\"]", PVS_ERROR_PARSE),
		CASE("[\"\\ud800\"]", PVS_ERROR_PARSE),
		CASE("[\"\\ud800x\"]", PVS_ERROR_PARSE),
		CASE("[\"\\ud800\\n\"]", PVS_ERROR_PARSE),
		CASE("[\"\\ud800\\u0041\"]", PVS_ERROR_PARSE),
		CASE("[\"\\ud800\\ud800\"]", PVS_ERROR_PARSE),
		CASE("[\"\\udc00x\"]", PVS_ERROR_PARSE),
		CASE("[\"a\tb\"]", PVS_ERROR_PARSE),
		CASE("[\"a\x1f\"]", PVS_ERROR_PARSE),
		CASE("[\"a\0b\"]", PVS_ERROR_PARSE),
		CASE("[\f1]", PVS_ERROR_PARSE),
		CASE("[\v]", PVS_ERROR_PARSE),
		CASE("[\0]", PVS_ERROR_PARSE),
		CASE("[\"\\u0000\"]", PVS_ERROR_PARSE_NUL),
		CASE("[\"a\\u0000b\"]", PVS_ERROR_PARSE_NUL),
		CASE("{\"a\\u0000b\":1}", PVS_ERROR_PARSE_NUL),
		CASE("[9223372036854775808]", PVS_ERROR_PARSE_NUMBER),
		CASE("[-9223372036854775809]", PVS_ERROR_PARSE_NUMBER),
		CASE("[18446744073709551615]", PVS_ERROR_PARSE_NUMBER),
		CASE("[100000000000000000000000]", PVS_ERROR_PARSE_NUMBER),
		CASE("[1e999]", PVS_ERROR_PARSE_NUMBER),
		CASE("[-1e999]", PVS_ERROR_PARSE_NUMBER),
		CASE("{\"a\":1,\"a\":1}", PVS_ERROR_PARSE_DUPLICATE),
		CASE("{\"a\":1,\"b\":2,\"a\":3}", PVS_ERROR_PARSE_DUPLICATE),
		CASE("{\"\":1,\"\":1}", PVS_ERROR_PARSE_DUPLICATE),
		CASE("{\"a\":1,\"\\u0061\":1}", PVS_ERROR_PARSE_DUPLICATE),
		CASE("{\"/\":1,\"\\/\":1}", PVS_ERROR_PARSE_DUPLICATE),
		CASE("{\"\\u00e4\":1,\"\xc3\xa4\":1}", PVS_ERROR_PARSE_DUPLICATE),
		CASE("{\"\\ud834\\udd1e\":1,\"\xf0\x9d\x84\x9e\":1}", PVS_ERROR_PARSE_DUPLICATE),
		CASE("{\"x\":{\"a\":1},\"a\":{\"b\":1,\"b\":2}}", PVS_ERROR_PARSE_DUPLICATE),
		CASE("{\"a\":{\"b\":1},\"a\":2}", PVS_ERROR_PARSE_DUPLICATE),
		CASE("[\"\x80\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xff\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xc0\xaf\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xc1\x81\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xc3(\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xe0\x80\x80\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xe0\x9f\xbf\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xed\xa0\x80\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xed\xbf\xbf\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xf0\x80\x80\x80\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xf0\x8f\xbf\xbf\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xf4\x90\x80\x80\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xf5\x80\x80\x80\"]", PVS_ERROR_PARSE_UTF8),
		CASE("[\"\xe2\x82\"]", PVS_ERROR_PARSE_UTF8),
		CASE("{\"\xe2\x82\":1}", PVS_ERROR_PARSE_UTF8),
		CASE("[\xc3\xa4]", PVS_ERROR_PARSE_UTF8),
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GString) both = g_string_new_len(cases[i].text, (gssize)cases[i].size);

		/* Refused once, whatever else is wrong with it; and what follows is read again.
		 * Behind a line feed too, since a broken string ends there at the latest. */
		g_string_append(both, "]}\"]}\n\n[7]\n");
		for (gsize piece = 1; piece < both->len + 1; piece += both->len - 1) {
			Outcome o = scan_with(&limits, cases[i].text, cases[i].size, piece);

			if (o.error != cases[i].error || o.texts->len > 0)
				g_test_message("%s", cases[i].text);
			g_assert_cmpint(o.error, ==, cases[i].error);
			g_assert_cmpuint(o.texts->len, ==, 0);
			outcome_clear(&o);
			o = scan_with(&limits, both->str, both->len, piece);
			g_assert_cmpint(o.error, ==, cases[i].error);
			g_assert_cmpuint(o.texts->len, ==, 1);
			g_assert_true(o.events->str[o.events->len - 1] == 'T');
			outcome_clear(&o);
		}
	}
}

static void test_several_texts(void)
{
	expect("{}{}[]", "TTT", PVS_ERROR_LAST_);
	expect("{} {}\n\n\t[]\r\n", "TTT", PVS_ERROR_LAST_);
	expect("{\"a\":tru}{}", "ET", PVS_ERROR_PARSE);
	expect("{\"a\":[[tru]]}{}", "ET", PVS_ERROR_PARSE);
	expect("{\"a\":\"\\q}\"}{}", "ET", PVS_ERROR_PARSE);
	expect("{\"a\":\"b\n{}", "ET", PVS_ERROR_PARSE);
	expect("[1}{}", "ET", PVS_ERROR_PARSE); /* depth is counted: "}" closes "[" */
}

static void test_what_stands_between(void)
{
	expect("x{}\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("x\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("{}x{}\n{}", "TET", PVS_ERROR_PARSE_GARBAGE);
	expect("{},{}\n{}", "TET", PVS_ERROR_PARSE_GARBAGE);
	expect("1\n", "E", PVS_ERROR_PARSE_GARBAGE);
	expect("\"a\"\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("null\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("}\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("\xef\xbb\xbf{}\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("Content-Length: 2\r\n\r\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("G\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("GET\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("GEX / HTTP/1.1\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("get / HTTP/1.1\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("POSTS\n{}", "ET", PVS_ERROR_PARSE_GARBAGE);
}

static void test_http(void)
{
	static const char *const verbs[] = {"GET",    "POST",	 "PUT",	 "HEAD",
					    "DELETE", "OPTIONS", "PATCH"};

	for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
		g_autofree char *text =
			g_strconcat(verbs[i], " / HTTP/1.1\r\nHost: x\r\n\r\n{}\n{}", NULL);
		g_autofree char *behind = g_strconcat("{}\n", text, NULL);

		expect(text, "F", PVS_ERROR_HTTP);
		expect(behind, "TF", PVS_ERROR_HTTP);
	}
}

static char *nested(guint levels, const char *open, const char *close)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < levels; i++)
		g_string_append(text, open);
	for (guint i = 0; i < levels; i++)
		g_string_append(text, close);
	return g_string_free(text, FALSE);
}

static void test_depth(void)
{
	const PvsScannerLimits wide = {10 * 1024 * 1024, DEPTH, 4096};
	g_autofree char *good = nested(DEPTH, "[", "]");
	g_autofree char *bad = nested(DEPTH + 1, "[", "]");
	g_autofree char *mixed = nested(100000, "[", "]");
	g_autofree char *objects = nested(100000, "{\"a\":", "}");
	const char *const bombs[] = {mixed, objects};

	expect(good, "T", PVS_ERROR_LAST_);
	expect(bad, "E", PVS_ERROR_TOO_DEEP);
	for (gsize i = 0; i < G_N_ELEMENTS(bombs); i++) {
		g_autofree char *and_more = g_strconcat(bombs[i], "{}", NULL);
		Outcome o = scan_with(&wide, and_more, strlen(and_more), 1000);

		/* One error, and the text behind it is read. */
		g_assert_cmpstr(o.events->str, ==, "ET");
		g_assert_cmpint(o.error, ==, PVS_ERROR_TOO_DEEP);
		outcome_clear(&o);
	}
}

static char *of_size(gsize size)
{
	char *text = g_malloc(size + 1);

	memset(text, 'x', size);
	memcpy(text, "[\"", 2);
	memcpy(text + size - 2, "\"]", 3);
	return text;
}

static void test_size(void)
{
	g_autofree char *good = of_size(SIZE);
	g_autofree char *bad = of_size(SIZE + 1);
	g_autofree char *spaced = g_strconcat("    \n", good, "\n", NULL);
	g_autoptr(GString) endless = g_string_new("[");

	expect(good, "T", PVS_ERROR_LAST_);
	expect(spaced, "T", PVS_ERROR_LAST_); /* from the text's first byte */
	expect(bad, "F", PVS_ERROR_TOO_LARGE);
	/* White space counts, and so does what is skipped behind an error. */
	for (guint i = 0; i < SIZE; i++)
		g_string_append_c(endless, ' ');
	expect(endless->str, "F", PVS_ERROR_TOO_LARGE);
	g_string_assign(endless, "[x");
	for (guint i = 0; i < SIZE; i++)
		g_string_append_c(endless, ' ');
	expect(endless->str, "EF", PVS_ERROR_PARSE);
	/* Rubbish between texts as well: the first byte tells that it is, and then as much. */
	g_string_assign(endless, "x");
	for (guint i = 1; i < SIZE; i++)
		g_string_append_c(endless, 'x');
	g_string_append(endless, "\n{}");
	expect(endless->str, "ET", PVS_ERROR_PARSE_GARBAGE);
	expect("[x]{}y\n{}", "ETET", PVS_ERROR_PARSE);
	g_string_prepend(endless, "x");
	g_string_prepend(endless, "x");
	expect(endless->str, "EF", PVS_ERROR_PARSE_GARBAGE);
}

static void test_tokens(void)
{
	g_autoptr(GString) text = g_string_new("[0");

	/* The array counts, too. */
	for (guint i = 2; i < TOKENS; i++)
		g_string_append(text, ",0");
	g_string_append_c(text, ']');
	expect(text->str, "T", PVS_ERROR_LAST_);
	g_string_truncate(text, text->len - 1);
	g_string_append(text, ",0]");
	expect(text->str, "E", PVS_ERROR_TOO_MANY_TOKENS);

	/* Names count. */
	g_string_assign(text, "{\"0\":0");
	for (guint i = 1; i < TOKENS / 2; i++)
		g_string_append_printf(text, ",\"%u\":0", i);
	g_string_append_c(text, '}');
	expect(text->str, "E", PVS_ERROR_TOO_MANY_TOKENS);
}

static void test_many_names(void)
{
	const PvsScannerLimits wide = {1024 * 1024, DEPTH, 8192};
	g_autoptr(GString) text = g_string_new("{\"first\":0");
	Outcome o;

	for (guint i = 0; i < 4000; i++)
		g_string_append_printf(text, ",\"%u\":0", i);
	g_string_append_c(text, '}');
	o = scan_with(&wide, text->str, text->len, 100);
	g_assert_cmpstr(o.events->str, ==, "T");
	outcome_clear(&o);
	g_string_truncate(text, text->len - 1);
	g_string_append(text, ",\"first\":0}");
	o = scan_with(&wide, text->str, text->len, 100);
	g_assert_cmpint(o.error, ==, PVS_ERROR_PARSE_DUPLICATE);
	outcome_clear(&o);
}

static void test_end_of_stream(void)
{
	static const struct {
		const char *text;
		gboolean owed;
	} cases[] = {
		{"", FALSE},	 {"  \n", FALSE},   {"{}", FALSE},    {"{\"a\":1", FALSE},
		{"[\"x", FALSE}, {"[tru}", FALSE},  {"GE", TRUE},     {"P", TRUE},
		{"x", FALSE},	 {"{} POST", TRUE}, {"x y z", FALSE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Outcome o = scan_with(&limits, cases[i].text, strlen(cases[i].text), 1);

		g_assert_true(o.owed == cases[i].owed);
		if (o.owed)
			g_assert_cmpint(o.owed_error, ==, PVS_ERROR_PARSE_GARBAGE);
		outcome_clear(&o);
	}
}

static void test_idle(void)
{
	g_autoptr(PvsScanner) scanner = pvs_scanner_new(&limits);
	PvsError error;
	gsize used;

	g_assert_true(pvs_scanner_idle(scanner));
	pvs_scanner_feed(scanner, (const guint8 *)" \n", 2, &used, &error);
	g_assert_true(pvs_scanner_idle(scanner));
	pvs_scanner_feed(scanner, (const guint8 *)"{", 1, &used, &error);
	g_assert_false(pvs_scanner_idle(scanner));
	g_assert_cmpuint(pvs_scanner_text_size(scanner), ==, 1);
	pvs_scanner_feed(scanner, (const guint8 *)"}", 1, &used, &error);
	g_assert_true(pvs_scanner_idle(scanner));
	g_assert_cmpuint(pvs_scanner_text_size(scanner), ==, 2);
	pvs_scanner_feed(scanner, (const guint8 *)"[x", 2, &used, &error);
	/* Nothing of a text that is skipped need be kept. */
	g_assert_false(pvs_scanner_idle(scanner));
	g_assert_cmpuint(pvs_scanner_text_size(scanner), ==, 0);
}

/* The secrets of the first text, joined by '|'. */
static char *secrets_of(const char *text, gsize piece)
{
	g_autoptr(PvsScanner) scanner = pvs_scanner_new(&limits);
	GString *found = g_string_new(NULL);
	gsize at = 0, size = strlen(text);

	while (at < size) {
		PvsError error;
		gsize used;
		PvsScanResult result = pvs_scanner_feed(scanner, (const guint8 *)text + at,
							MIN(piece, size - at), &used, &error);

		at += used;
		if (result == PVS_SCAN_TEXT) {
			const char *start = text + at - pvs_scanner_text_size(scanner);
			guint n;
			const PvsSecretSpan *spans = pvs_scanner_secrets(scanner, &n);

			for (guint i = 0; i < n; i++) {
				g_assert_true(start[spans[i].offset - 1] == '"');
				g_assert_true(start[spans[i].offset + spans[i].size] == '"');
				g_string_append_len(found, start + spans[i].offset,
						    (gssize)spans[i].size);
				g_string_append_c(found, '|');
			}
		} else {
			g_assert_cmpint(result, ==, PVS_SCAN_MORE);
		}
	}
	return g_string_free(found, FALSE);
}

static void test_secrets(void)
{
	static const struct {
		const char *text;
		const char *found;
	} cases[] = {
		{"{\"params\":{\"secret\":{\"value\":\"QUJD\"}}}", "QUJD|"},
		{"{\"params\":[{\"secret\":{\"value\":\"QUJD\"}}]}", "QUJD|"},
		{"{\"secret\":{\"value\":\"QUJD\"}}", "QUJD|"},
		{" \n{ \"secret\" : { \"value\" : \"QUJD\" } }", "QUJD|"},
		{"{\"sec\\u0072et\":{\"valu\\u0065\":\"QUJD\"}}", "QUJD|"},
		{"{\"secret\":{\"x\":1,\"value\":\"QUJD\",\"y\":2}}", "QUJD|"},
		{"{\"secret\":{\"value\":\"\"}}", "|"},
		{"{\"secret\":{\"value\":\"a\\/b\\u0041\"}}", "a\\/b\\u0041|"},
		{"[{\"secret\":{\"value\":\"one\"}},{\"secret\":{\"value\":\"two\"}}]", "one|two|"},
		{"{\"a\":{\"secret\":{\"value\":\"one\"}},\"secret\":{\"value\":\"two\"}}",
		 "one|two|"},
		{"{\"secret\":{\"secret\":{\"value\":\"in\"},\"value\":\"out\"}}", "in|out|"},
		{"{\"secret\":\"QUJD\"}", ""},
		{"{\"value\":\"QUJD\"}", ""},
		{"{\"secret\":{\"value\":5}}", ""},
		{"{\"secret\":{\"value\":[\"QUJD\"]}}", ""},
		{"{\"secret\":{\"value\":{\"value\":\"QUJD\"}}}", ""},
		{"{\"secret\":[{\"value\":\"QUJD\"}]}", ""},
		{"{\"secret\":{\"Value\":\"QUJD\"}}", ""},
		{"{\"secrets\":{\"value\":\"QUJD\"}}", ""},
		{"{\"secret\":{},\"x\":{\"value\":\"QUJD\"}}", ""},
		{"{\"x\":\"secret\",\"y\":{\"value\":\"QUJD\"}}", ""},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		for (gsize piece = 1; piece < 1000; piece *= 3) {
			g_autofree char *found = secrets_of(cases[i].text, piece);

			g_test_message("%s", cases[i].text);
			g_assert_cmpstr(found, ==, cases[i].found);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/scanner/accepted", test_accepted);
	g_test_add_func("/scanner/refused", test_refused);
	g_test_add_func("/scanner/several-texts", test_several_texts);
	g_test_add_func("/scanner/what-stands-between", test_what_stands_between);
	g_test_add_func("/scanner/http", test_http);
	g_test_add_func("/scanner/depth", test_depth);
	g_test_add_func("/scanner/size", test_size);
	g_test_add_func("/scanner/tokens", test_tokens);
	g_test_add_func("/scanner/many-names", test_many_names);
	g_test_add_func("/scanner/end-of-stream", test_end_of_stream);
	g_test_add_func("/scanner/idle", test_idle);
	g_test_add_func("/scanner/secrets", test_secrets);
	return g_test_run();
}

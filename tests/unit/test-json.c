/* SPDX-License-Identifier: MIT */
/*
 * test-json.c - what is JSON here: cases by name, and two readers that agree about any text
 *
 * A text is what the scanner passes as one; a second strict reader (strict-json.h) has to say the
 * same of it, and json-glib has to understand it as that one does. PVS_JSON_TEXTS says how many
 * texts are made up.
 */
#include "protocol/jsonrpc.h"
#include "protocol/scanner.h"

#include <string.h>

#include "tests/unit/json-cases.h"
#include "tests/unit/strict-json.h"

static const PvsScannerLimits limits = {STRICT_JSON_SIZE, STRICT_JSON_DEPTH, STRICT_JSON_TOKENS};
static guint n_texts = 100000;

/* TRUE if all of it is one text. */
static gboolean scan(const char *text, gsize size, gsize piece)
{
	g_autoptr(PvsScanner) scanner = pvs_scanner_new(&limits);
	guint texts = 0;
	PvsError error;

	for (gsize at = 0; at < size;) {
		gsize used;

		switch (pvs_scanner_feed(scanner, (const guint8 *)text + at, MIN(piece, size - at),
					 &used, &error)) {
		case PVS_SCAN_MORE:
			break;
		case PVS_SCAN_TEXT:
			texts++;
			break;
		case PVS_SCAN_ERROR:
		case PVS_SCAN_FATAL:
			return FALSE;
		}
		at += used;
	}
	return texts == 1 && pvs_scanner_idle(scanner) && !pvs_scanner_finish(scanner, &error);
}

static void put_node(GString *out, JsonNode *node);

static void put_member(JsonObject *object G_GNUC_UNUSED, const char *name, JsonNode *node,
		       gpointer out)
{
	strict_json_string(out, name, strlen(name));
	put_node(out, node);
}

static void put_item(JsonArray *array G_GNUC_UNUSED, guint i G_GNUC_UNUSED, JsonNode *node,
		     gpointer out)
{
	put_node(out, node);
}

static void put_value(GString *out, JsonNode *node)
{
	const char *string;

	switch (json_node_get_value_type(node)) {
	case G_TYPE_INT64:
		strict_json_integer(out, json_node_get_int(node));
		break;
	case G_TYPE_DOUBLE:
		strict_json_double(out, json_node_get_double(node));
		break;
	case G_TYPE_BOOLEAN:
		g_string_append_c(out, json_node_get_boolean(node) ? 't' : 'f');
		break;
	case G_TYPE_STRING:
		string = json_node_get_string(node);
		strict_json_string(out, string, strlen(string));
		break;
	default:
		g_error("a value of a type that JSON has not");
	}
}

static void put_node(GString *out, JsonNode *node)
{
	switch (JSON_NODE_TYPE(node)) {
	case JSON_NODE_OBJECT:
		g_string_append_c(out, '{');
		json_object_foreach_member(json_node_get_object(node), put_member, out);
		g_string_append_c(out, '}');
		break;
	case JSON_NODE_ARRAY:
		g_string_append_c(out, '[');
		json_array_foreach_element(json_node_get_array(node), put_item, out);
		g_string_append_c(out, ']');
		break;
	case JSON_NODE_NULL:
		g_string_append_c(out, 'n');
		break;
	case JSON_NODE_VALUE:
		put_value(out, node);
		break;
	}
}

static G_NORETURN void complain(const char *what, const char *text, gsize size)
{
	g_autoptr(GString) shown = g_string_new(NULL);

	for (gsize i = 0; i < MIN(size, 1000); i++)
		if (g_ascii_isprint(text[i]))
			g_string_append_c(shown, text[i]);
		else
			g_string_append_printf(shown, "\\x%02x", (guint8)text[i]);
	g_error("%s: %s", what, shown->str);
}

/* All who read it agree; what they say. */
static gboolean judge(const char *text, gsize size, gsize piece)
{
	g_autoptr(GString) meant = g_string_new(NULL), understood = g_string_new(NULL);
	gboolean passes = scan(text, size, piece);
	g_autoptr(JsonNode) node = NULL;

	if (strict_json_read(text, size, meant) != passes)
		complain(passes ? "the scanner alone passes" : "the scanner alone refuses", text,
			 size);
	if (!passes)
		return FALSE;
	node = pvs_rpc_parse(text, size, NULL);
	if (!node)
		complain("json-glib refuses", text, size);
	put_node(understood, node);
	if (!g_string_equal(meant, understood))
		complain("json-glib takes for something else", text, size);
	return TRUE;
}

/* ---- cases ---- */

static void test_cases(gconstpointer data)
{
	const JsonCases *list = &json_cases[GPOINTER_TO_UINT(data)];

	for (gsize i = 0; i < list->n; i++) {
		const JsonCase *c = &list->cases[i];
		/* In room of its own size, which a sanitizer watches. */
		g_autofree char *text = c->size ? g_memdup2(c->text, c->size) : g_malloc(1);

		if (judge(text, c->size, G_MAXSSIZE) != list->passes ||
		    judge(text, c->size, 1) != list->passes)
			complain(list->passes ? "is refused" : "is accepted", text, c->size);
	}
	g_test_message("%" G_GSIZE_FORMAT " cases", list->n);
}

/* ---- made up ---- */

static GRand *dice;

static guint roll(guint n)
{
	return (guint)g_rand_int_range(dice, 0, (gint32)n);
}

static const char *one_of(const char *const *words, gsize n)
{
	return words[roll((guint)n)];
}

static void put_space(GString *out)
{
	static const char *const words[] = {"", "", "", "", " ", "\t", "\n", "\r\n", "  "};

	g_string_append(out, one_of(words, G_N_ELEMENTS(words)));
}

static void put_text(GString *out)
{
	static const char *const words[] = {
		"a",
		"a",
		"b",
		"c",
		"name",
		"secret",
		"value",
		"\\u0061",
		"\\u0062",
		"\\n",
		"\\\\",
		"\\\"",
		"\\/",
		"/",
		"\xc3\xa9",
		"\\u00e9",
		"\xe2\x82\xac",
		"\\u20ac",
		"\\ud83d\\ude00",
		"\xf0\x9f\x98\x80",
		"\\uD83D",
		"\\uDE00",
		"\\u0000",
		"\\u001f",
		"{",
		"]",
		",",
		":",
		" ",
		"\x7f",
		"\xef\xbf\xbf",
		"\\b\\f\\r\\t",
	};

	g_string_append_c(out, '"');
	for (guint n = roll(8) ? roll(3) : roll(60); n > 0; n--)
		/* Those that are no text of their own are rare. */
		g_string_append(out, one_of(words, roll(20) ? 20 : G_N_ELEMENTS(words)));
	g_string_append_c(out, '"');
}

static void put_number(GString *out)
{
	static const char *const words[] = {
		"0",
		"-0",
		"1",
		"-1",
		"12",
		"9223372036854775807",
		"-9223372036854775808",
		"0.5",
		"-0.0",
		"1e1",
		"1E-1",
		"1.5e+300",
		"2.5E-300",
		"9223372036854775808",
		"1e400",
		"01",
		"1.",
		"-",
		"+1",
		".5",
	};
	static const char pieces[] = "0123456789012345678901234567890123456789-+.eE";

	if (roll(3)) {
		g_string_append(out, one_of(words, roll(10) ? 13 : G_N_ELEMENTS(words)));
	} else if (roll(2)) {
		g_string_append_printf(out, "%d", g_rand_int_range(dice, G_MININT32, G_MAXINT32));
		if (roll(2))
			g_string_append_printf(out, ".%u", g_rand_int(dice));
		if (roll(3) == 0)
			g_string_append_printf(out, "e%d", (int)roll(640) - 320);
	} else {
		for (guint n = 1 + roll(roll(30) ? 24 : 420); n > 0; n--)
			g_string_append_c(out, pieces[roll(sizeof pieces - 1)]);
	}
}

static void make_value(GString *out, guint depth)
{
	static const char *const words[] = {"true", "false", "null"};
	guint kind = depth == 0 ? roll(2) : roll(8);
	guint n = roll(30) ? roll(4) : roll(60);

	if (depth > 17 || out->len > STRICT_JSON_SIZE)
		kind = 4;
	put_space(out);
	switch (kind) {
	case 0:
	case 1:
		/* Now and then straight down. */
		if (depth > 0 && roll(3) == 0)
			n = 1;
		g_string_append_c(out, kind ? '{' : '[');
		for (guint i = 0; i < n; i++) {
			if (i > 0)
				g_string_append_c(out, ',');
			if (kind) {
				put_space(out);
				put_text(out);
				put_space(out);
				g_string_append_c(out, ':');
			}
			make_value(out, depth + 1);
		}
		put_space(out);
		g_string_append_c(out, kind ? '}' : ']');
		break;
	case 2:
	case 3:
		put_text(out);
		break;
	case 4:
	case 5:
		put_number(out);
		break;
	default:
		g_string_append(out, one_of(words, G_N_ELEMENTS(words)));
	}
	put_space(out);
}

static void nest(GString *out)
{
	guint n = 12 + roll(8);

	for (guint i = 0; i < n; i++)
		g_string_append(out, i % 2 ? "{\"a\":" : "[");
	g_string_append(out, n % 2 ? "" : "1");
	while (n-- > 0)
		g_string_append_c(out, n % 2 ? '}' : ']');
}

static void mutate(GString *text)
{
	static const char bytes[] = "{}[]\",:\\ue0123.+-/ \n\t\x01\x80\xc3\xed\xa0\xf0\xff";

	for (guint n = 1 + roll(3); n > 0; n--) {
		gsize at = text->len ? roll((guint)text->len) : 0;
		gsize some = 1 + roll(6), size = MIN(some, text->len - at);
		g_autofree char *piece = g_strndup(text->str + at, size);
		char byte = (char)(roll(4) ? bytes[roll(sizeof bytes)] : (char)roll(256));

		switch (roll(6)) {
		case 0:
			g_string_erase(text, (gssize)at, (gssize)size);
			break;
		case 1:
			g_string_insert(text, (gssize)at, piece);
			break;
		case 2:
			g_string_truncate(text, at);
			break;
		case 3:
			if (text->len > 0)
				text->str[at] = byte;
			break;
		case 4:
			if (text->len > 0)
				text->str[at] ^= (char)(1 << roll(8));
			break;
		default:
			g_string_insert_c(text, (gssize)at, byte);
		}
	}
}

static void test_made_up(void)
{
	guint passed = 0;

	for (guint i = 0; i < n_texts; i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		g_autofree char *copy = NULL;

		if (roll(50))
			make_value(text, 0);
		else
			nest(text);
		if (roll(2))
			mutate(text);
		copy = g_memdup2(text->str, text->len + 1);
		passed += judge(copy, text->len, roll(2) ? G_MAXSSIZE : 1 + roll(7));
	}
	g_test_message("%u of %u were passed", passed, n_texts);
	/* There is something of each to agree about. */
	g_assert_cmpuint(passed, >, n_texts / 5);
	g_assert_cmpuint(n_texts - passed, >, n_texts / 5);
}

int main(int argc, char **argv)
{
	const char *texts = g_getenv("PVS_JSON_TEXTS");
	guint32 seed;
	int status;

	g_test_init(&argc, &argv, NULL);
	if (texts)
		n_texts = (guint)CLAMP(g_ascii_strtoull(texts, NULL, 10), 100, 100000000);
	seed = (guint32)g_test_rand_int();
	dice = g_rand_new_with_seed(seed);
	g_test_message("seed %u", seed);
	g_test_add_data_func("/json/yes", GUINT_TO_POINTER(JSON_YES), test_cases);
	g_test_add_data_func("/json/no", GUINT_TO_POINTER(JSON_NO), test_cases);
	g_test_add_data_func("/json/narrow", GUINT_TO_POINTER(JSON_NARROW), test_cases);
	g_test_add_func("/json/made-up", test_made_up);
	status = g_test_run();
	g_rand_free(dice);
	return status;
}

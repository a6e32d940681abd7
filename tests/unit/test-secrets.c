/* SPDX-License-Identifier: MIT */
/*
 * test-secrets.c - secrets are cut out of a text, and bytes that a client sent do not stay
 */
#include "daemon/front/secrets.h"

#include <string.h>

#include "daemon/front/intake.h"
#include "protocol/jsonrpc.h"

typedef struct {
	char *text;
	PvsScanner *scanner;
	PvsSecrets *secrets;
} Cut;

static void cut(Cut *c, const char *text)
{
	static const PvsScannerLimits limits = {.size = 1 << 20, .depth = 16, .tokens = 16384};
	const PvsSecretSpan *spans;
	PvsError error;
	gsize used;
	guint n;

	c->text = g_strdup(text);
	c->scanner = pvs_scanner_new(&limits);
	g_assert_cmpint(
		pvs_scanner_feed(c->scanner, (const guint8 *)c->text, strlen(text), &used, &error),
		==, PVS_SCAN_TEXT);
	g_assert_cmpuint(used, ==, strlen(text));
	spans = pvs_scanner_secrets(c->scanner, &n);
	c->secrets = pvs_secrets_cut(c->text, spans, n);
	/* Still JSON, and as long as it was. */
	g_assert_cmpuint(strlen(c->text), ==, used);
	json_node_unref(pvs_rpc_parse(c->text, used, NULL));
}

static void done(Cut *c)
{
	pvs_secrets_unref(c->secrets);
	pvs_scanner_free(c->scanner);
	g_free(c->text);
}

static void test_cut(void)
{
	Cut c;
	PvsSecret *secret;
	g_autoptr(GError) error = NULL;
	gsize used = pvs_locked_used();

	cut(&c,
	    "[{\"secret\":{\"value\":\"QUJDRA==\"}},{\"secret\":{\"value\" : \"\\u0051UJ\\/\"}}]");
	g_assert_cmpstr(c.text, ==,
			"[{\"secret\":{\"value\":\"0\"       }},{\"secret\":{\"value\" : \"1\"     "
			"    }}]");
	secret = pvs_secrets_take(c.secrets, 0, &error);
	g_assert_no_error(error);
	g_assert_true(pvs_locked_owns(secret));
	g_assert_cmpmem(secret->bytes, secret->size, "ABCD", 4);
	/* Once. */
	g_assert_null(pvs_secrets_take(c.secrets, 0, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_BASE64);
	g_clear_error(&error);
	/* One that is not there. */
	g_assert_null(pvs_secrets_take(c.secrets, 2, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_BASE64);
	pvs_secret_free(secret);
	/* The second is not taken: it goes with the text's. */
	g_assert_cmpuint(pvs_locked_used(), >, used);
	done(&c);
	g_assert_cmpuint(pvs_locked_used(), ==, used);
}

static void test_shared(void)
{
	Cut c;
	gsize used = pvs_locked_used();

	cut(&c, "{\"secret\":{\"value\":\"QUJD\"}}");
	pvs_secrets_ref(c.secrets);
	pvs_secrets_unref(c.secrets);
	g_assert_cmpuint(pvs_locked_used(), >, used);
	done(&c);
	g_assert_cmpuint(pvs_locked_used(), ==, used);
	pvs_secrets_unref(NULL);
}

static void test_short(void)
{
	Cut c;

	cut(&c, "{\"secret\":{\"value\":\"\"}}");
	g_assert_cmpstr(c.text, ==, "{\"secret\":{\"value\":\"\"}}");
	done(&c);
	cut(&c, "{\"secret\":{\"value\":\"7\"}}");
	g_assert_cmpstr(c.text, ==, "{\"secret\":{\"value\":\"!\"}}");
	done(&c);
	cut(&c, "{\"secret\":{\"value\":\"123\"}}");
	g_assert_cmpstr(c.text, ==, "{\"secret\":{\"value\":\"!\"  }}");
	done(&c);
}

static void expect(const char *contents, PvsError code)
{
	g_autofree char *text = g_strdup_printf("{\"secret\":{\"value\":\"%s\"}}", contents);
	g_autoptr(GError) error = NULL;
	PvsSecret *secret;
	Cut c;

	cut(&c, text);
	g_assert_null(strstr(c.text, contents));
	secret = pvs_secrets_take(c.secrets, 0, &error);
	if (code == PVS_ERROR_LAST_) {
		g_assert_no_error(error);
		g_assert_nonnull(secret);
	} else {
		g_assert_error(error, PVS_ERROR, (gint)code);
		g_assert_null(secret);
	}
	pvs_secret_free(secret);
	done(&c);
}

/* Nothing to take out, and no room for a number: it stays as it is, and so says that it is. */
static void test_empty(void)
{
	static const char text[] =
		"{\"secret\":{\"value\":\"\"},\"a\":{\"secret\":{\"value\":\"QUJD\"}}}";
	g_autoptr(GError) error = NULL;
	PvsSecret *other;
	Cut c;

	cut(&c, text);
	g_assert_cmpstr(c.text, ==,
			"{\"secret\":{\"value\":\"\"},\"a\":{\"secret\":{\"value\":\"1\"   }}}");
	g_assert_null(pvs_secrets_take(c.secrets, 0, &error));
	g_assert_error(error, PVS_ERROR, PVS_ERROR_PARAM_BASE64);
	other = pvs_secrets_take(c.secrets, 1, NULL);
	g_assert_cmpmem(other->bytes, other->size, "ABC", 3);
	pvs_secret_free(other);
	done(&c);
}

static void test_not_base64(void)
{
	static const char *const rows[] = {
		"QUJDR", "QUJD\\n", "QU=D", "QUJD====", "QUI", "-_-_", "QUJE QUJE", "QUJDQUJ!"};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		expect(rows[i], PVS_ERROR_PARAM_BASE64);
}

static void test_long(void)
{
	for (gsize size = PVS_SECRET_VALUE_MAX - 2; size <= PVS_SECRET_VALUE_MAX + 8; size++) {
		g_autofree guchar *bytes = g_malloc0(size);
		g_autofree char *base64 = g_base64_encode(bytes, size);

		expect(base64, size <= PVS_SECRET_VALUE_MAX ? PVS_ERROR_LAST_
							    : PVS_ERROR_PARAM_SECRET_SIZE);
	}
	{
		g_autofree char *huge = g_strnfill(800000, 'A');

		expect(huge, PVS_ERROR_PARAM_SECRET_SIZE);
	}
}

static void test_no_room(void)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(pvs_locked_free);
	gpointer memory;

	for (gsize size = 65536; size >= 16; size /= 2)
		while ((memory = pvs_locked_alloc(size)))
			g_ptr_array_add(all, memory);
	expect("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", PVS_ERROR_TOO_FAST);
	g_ptr_array_set_size(all, 0);
	expect("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", PVS_ERROR_LAST_);
}

/* As many as the scanner lets through: the numbers still fit. */
static void test_many(void)
{
	g_autoptr(GString) text = g_string_new("[");
	Cut c;

	for (guint i = 0; i < 1020; i++)
		g_string_append_printf(text, "%s{\"secret\":{\"value\":\"QUJD\"}}", i ? "," : "");
	g_string_append_c(text, ']');
	cut(&c, text->str);
	g_assert_true(g_str_has_suffix(c.text, "{\"secret\":{\"value\":\"1019\"}}]"));
	done(&c);
}

/* ---- intake ---- */

static void put(PvsIntake *in, const char *text)
{
	pvs_intake_reserve(in, strlen(text));
	memcpy(in->data + in->end, text, strlen(text));
	in->end += strlen(text);
}

static gboolean has(const PvsIntake *in, const char *text)
{
	return memmem(in->data, in->capacity, text, strlen(text)) != NULL;
}

static void test_forget(void)
{
	PvsIntake in = {.data = NULL};

	pvs_intake_clear(&in);
	put(&in, "first second third");
	memset(in.data + in.end, 0, in.capacity - in.end);
	in.scanned = 6;
	pvs_intake_forget(&in, 6);
	g_assert_false(has(&in, "first"));
	g_assert_cmpmem(in.data + in.start, in.end - in.start, "second third", 12);
	pvs_intake_forget(&in, 6);
	/* What is forgotten was looked at. */
	pvs_intake_forget(&in, 13);
	g_assert_false(has(&in, "second"));
	g_assert_cmpuint(in.scanned, ==, 13);
	pvs_intake_forget(&in, in.end);
	g_assert_null(in.data);
	g_assert_cmpuint(in.capacity + in.start + in.scanned + in.end, ==, 0);
	put(&in, "more");
	pvs_intake_clear(&in);
	g_assert_null(in.data);
}

static void test_reserve(void)
{
	g_autofree char *filler = g_strnfill(15000, '.');
	PvsIntake in = {.data = NULL};
	gsize capacity;

	/* Little is kept: it moves to the front, and does not stay behind. */
	put(&in, filler);
	capacity = in.capacity;
	memset(in.data + in.end, 0, in.capacity - in.end);
	put(&in, "SECRET");
	in.scanned = 15003;
	pvs_intake_forget(&in, 15000);
	pvs_intake_reserve(&in, 4096);
	g_assert_cmpuint(in.capacity, ==, capacity);
	g_assert_cmpuint(in.scanned, ==, 3);
	g_assert_cmpmem(in.data + in.start, in.end - in.start, "SECRET", 6);
	g_assert_null(memmem(in.data + 6, in.capacity - 6, "SECRET", 6));
	/* Much is kept: it moves to larger memory. */
	put(&in, filler);
	pvs_intake_reserve(&in, 4096);
	g_assert_cmpuint(in.capacity, >=, 2 * capacity);
	g_assert_cmpuint(in.capacity - in.end, >=, 4096);
	g_assert_cmpuint(in.end, ==, 15006);
	g_assert_true(has(&in, "SECRET..."));
	/* A reserve that is larger than all there is. */
	pvs_intake_reserve(&in, 1 << 20);
	g_assert_cmpuint(in.capacity - in.end, >=, 1 << 20);
	g_assert_true(has(&in, "SECRET..."));
	pvs_intake_clear(&in);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;

	g_test_init(&argc, &argv, NULL);
	if (!pvs_locked_init(512 * 1024, &error))
		g_error("%s", error->message);
	g_test_add_func("/secrets/cut", test_cut);
	g_test_add_func("/secrets/shared", test_shared);
	g_test_add_func("/secrets/short", test_short);
	g_test_add_func("/secrets/empty", test_empty);
	g_test_add_func("/secrets/not-base64", test_not_base64);
	g_test_add_func("/secrets/long", test_long);
	g_test_add_func("/secrets/no-room", test_no_room);
	g_test_add_func("/secrets/many", test_many);
	g_test_add_func("/intake/forget", test_forget);
	g_test_add_func("/intake/reserve", test_reserve);
	return g_test_run();
}

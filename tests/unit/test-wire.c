/* SPDX-License-Identifier: MIT */
/*
 * test-wire.c - fields, bodies and rows of messages
 */
#include <string.h>

#include "protocol/bodies.h"
#include "protocol/error.h"
#include "protocol/message.h"

static void test_integers_are_big_endian(void)
{
	static const guint8 expected[] = {1,	2,    3,    4,	  5,	6,    7,   8,
					  9,	10,   11,   12,	  13,	14,   15,  0xff,
					  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe};
	g_auto(PvsWriter) w = pvs_writer();
	PvsReader r;
	guint8 u8 = 0;
	guint16 u16 = 0;
	guint32 u32 = 0;
	guint64 u64 = 0;
	gint64 i64 = 0;

	pvs_writer_u8(&w, 1);
	pvs_writer_u16(&w, 0x0203);
	pvs_writer_u32(&w, 0x04050607);
	pvs_writer_u64(&w, G_GUINT64_CONSTANT(0x08090a0b0c0d0e0f));
	pvs_writer_i64(&w, -2);
	g_assert_cmpmem(w.data, w.size, expected, sizeof expected);

	r = pvs_reader(w.data, w.size);
	g_assert_true(pvs_reader_u8(&r, &u8) && pvs_reader_u16(&r, &u16) &&
		      pvs_reader_u32(&r, &u32) && pvs_reader_u64(&r, &u64) &&
		      pvs_reader_i64(&r, &i64) && pvs_reader_end(&r));
	g_assert_cmpuint(u8, ==, 1);
	g_assert_cmphex(u16, ==, 0x0203);
	g_assert_cmphex(u32, ==, 0x04050607);
	g_assert_cmphex(u64, ==, G_GUINT64_CONSTANT(0x08090a0b0c0d0e0f));
	g_assert_cmpint(i64, ==, -2);
}

static void test_a_failed_reader_stays_failed(void)
{
	static const guint8 data[] = {0, 0, 0, 9, 'a', 'b', 'c', 'd'};
	PvsReader r = pvs_reader(data, sizeof data);
	const guint8 *bytes;
	gsize size;
	guint8 u8;

	/* Nine bytes are announced, four are there. */
	g_assert_false(pvs_reader_bytes(&r, &bytes, &size, 100));
	g_assert_false(pvs_reader_u8(&r, &u8));
	g_assert_false(pvs_reader_end(&r));
}

static void test_leftovers_are_refused(void)
{
	static const guint8 data[] = {1, 2};
	PvsReader r = pvs_reader(data, sizeof data);
	guint8 u8;

	g_assert_true(pvs_reader_u8(&r, &u8));
	g_assert_false(pvs_reader_end(&r));
}

static void test_text_is_utf8_without_nul(void)
{
	static const struct {
		const char *data;
		gsize size;
		gboolean good;
	} cases[] = {
		{"\0\0\0\2\xc3\xa4", 6, TRUE},	    {"\0\0\0\0", 4, TRUE},
		{"\0\0\0\2\xc3(", 6, FALSE},	    {"\0\0\0\3a\0b", 7, FALSE},
		{"\0\0\0\3\xed\xa0\x80", 7, FALSE}, {"\0\0\0\5abcde", 9, FALSE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		PvsReader r = pvs_reader((const guint8 *)cases[i].data, cases[i].size);
		g_autofree char *text = NULL;

		g_assert_true(pvs_reader_text(&r, &text, 4) == cases[i].good);
		g_assert_true((text != NULL) == cases[i].good);
	}
}

static void fill(PvsVerify *verify)
{
	PvsHostKey *keys = pvs_list_init(&verify->host_keys, PvsHostKey, 2);
	PvsBlob *certs = pvs_list_init(&verify->certs, PvsBlob, 1);

	verify->slot = 7;
	keys[0].document = g_bytes_new("document", 8);
	keys[1].name = g_strdup("z16-prod");
	certs[0].bytes = g_bytes_new("link", 4);
}

static void test_body_round_trip(void)
{
	g_auto(PvsVerify) in = {0};
	g_auto(PvsVerify) out = {0};
	g_auto(PvsWriter) w = pvs_writer();
	PvsReader r;
	gsize size;

	fill(&in);
	pvs_body_put(&w, pvs_verify_fields, &in);
	r = pvs_reader(w.data, w.size);
	g_assert_true(pvs_body_get(&r, pvs_verify_fields, &out));
	g_assert_cmpuint(out.slot, ==, 7);
	g_assert_cmpuint(out.host_keys.n, ==, 2);
	g_assert_cmpstr(
		g_bytes_get_data(pvs_list_nth(out.host_keys, PvsHostKey, 0)->document, &size), !=,
		NULL);
	g_assert_cmpuint(size, ==, 8);
	g_assert_null(pvs_list_nth(out.host_keys, PvsHostKey, 0)->name);
	g_assert_cmpstr(pvs_list_nth(out.host_keys, PvsHostKey, 1)->name, ==, "z16-prod");
	g_assert_cmpuint(out.certs.n, ==, 1);
	g_assert_cmpuint(out.crls.n, ==, 0);
}

/* Whatever is cut off or added, the body is refused and nothing of it is kept. */
static void test_body_cut_anywhere(void)
{
	g_auto(PvsVerify) in = {0};
	g_auto(PvsWriter) w = pvs_writer();

	fill(&in);
	pvs_body_put(&w, pvs_verify_fields, &in);
	pvs_writer_u8(&w, 0);
	for (gsize size = 0; size <= w.size; size++) {
		PvsVerify out = {0};
		g_autofree guint8 *copy = g_memdup2(w.data, size); /* for the sanitizer's sake */
		PvsReader r = pvs_reader(copy, size);

		if (size == w.size - 1)
			continue;
		g_assert_false(pvs_body_get(&r, pvs_verify_fields, &out));
		g_assert_null(out.host_keys.items);
		g_assert_null(out.certs.items);
	}
}

/* What is to be a name of ours is one, or the body is refused. */
static void test_body_names(void)
{
	static const struct {
		const char *name;
		gboolean good;
	} rows[] = {
		{"a", TRUE},	     {"HKD-3931_2.x", TRUE}, {"-a", FALSE}, {"a b", FALSE},
		{"a/b", FALSE},	     {"..", FALSE},	     {"\n", FALSE}, {"\x01", FALSE},
		{"\xc3\xa4", FALSE}, {NULL, TRUE},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_auto(PvsRecord) in = {.front = 1}, out = {0};
		PvsRecordedKey *keys = pvs_list_init(&in.documents, PvsRecordedKey, 1);
		g_auto(PvsWriter) w = pvs_writer();
		PvsReader r;

		keys[0].name = g_strdup(rows[i].name);
		pvs_body_put(&w, pvs_record_fields, &in);
		r = pvs_reader(w.data, w.size);
		g_assert_cmpint(pvs_body_get(&r, pvs_record_fields, &out), ==, rows[i].good);
		if (rows[i].good)
			g_assert_cmpstr(pvs_list_nth(out.documents, PvsRecordedKey, 0)->name, ==,
					rows[i].name);
		else
			g_assert_null(out.documents.items);
	}
}

static void test_body_with_a_lying_count(void)
{
	/* slot, then 0xffffff host keys: more than the table allows; 200: more than there are
	 * bytes. */
	static const guint8 many[] = {0, 0, 0, 1, 0, 0xff, 0xff, 0xff};
	static const guint8 some[] = {0, 0, 0, 1, 0, 0, 0, 200};
	PvsVerify out = {0};
	PvsReader r = pvs_reader(many, sizeof many);

	g_assert_false(pvs_body_get(&r, pvs_verify_fields, &out));
	g_assert_null(out.host_keys.items);
	r = pvs_reader(some, sizeof some);
	g_assert_false(pvs_body_get(&r, pvs_verify_fields, &out));
	g_assert_null(out.host_keys.items);
}

static void test_span_points_into_the_message(void)
{
	PvsBuild in = {.slot = 3, .value = {(const guint8 *)"0123", 4}, .name = (char *)"n"};
	PvsBuild out = {0};
	guint8 memory[1024];
	PvsWriter w = pvs_writer_on(memory, sizeof memory);
	PvsReader r;

	pvs_body_put(&w, pvs_build_fields, &in);
	g_assert_true(w.data == memory);
	r = pvs_reader(w.data, w.size);
	g_assert_true(pvs_body_get(&r, pvs_build_fields, &out));
	g_assert_true(out.value.data >= memory && out.value.data < memory + w.size);
	g_assert_cmpmem(out.value.data, out.value.size, "0123", 4);
	pvs_build_clear(&out);
}

static void test_borrowed_memory_never_grows(void)
{
	if (g_getenv("PVS_EMULATOR")) {
		g_test_skip("an emulated program cannot start itself");
		return;
	}
	if (g_test_subprocess()) {
		guint8 memory[4];
		PvsWriter w = pvs_writer_on(memory, sizeof memory);

		pvs_writer_u64(&w, 1);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
}

static void test_errors_travel_without_text(void)
{
	g_autoptr(GError) ours = NULL;
	g_autoptr(GError) foreign = g_error_new_literal(G_FILE_ERROR, 1, "CANARY");
	g_autoptr(GError) got = NULL;
	g_auto(PvsWriter) w = pvs_writer();
	PvsReader r;

	pvs_fail(&ours, PVS_ERROR_NO_CCK, "/cck", "prod");
	pvs_writer_error(&w, ours);
	r = pvs_reader(w.data, w.size);
	g_assert_true(pvs_reader_error(&r, &got));
	g_assert_error(got, PVS_ERROR, PVS_ERROR_NO_CCK);
	g_assert_cmpstr(pvs_error_param(got), ==, "/cck");
	g_assert_cmpstr(pvs_error_name(got), ==, "prod");
	g_clear_error(&got);

	pvs_writer_clear(&w);
	pvs_writer_error(&w, foreign);
	g_assert_null(memmem(w.data, w.size, "CANARY", 6));
	r = pvs_reader(w.data, w.size);
	g_assert_true(pvs_reader_error(&r, &got));
	g_assert_error(got, PVS_ERROR, PVS_ERROR_INTERNAL);
}

/* The graph, said once more in other words than the list's: a row that is changed by mistake shows.
 */
static void test_the_graph(void)
{
	static const PvsRole roles[] = {PVS_ROLE_MONITOR, PVS_ROLE_FRONT, PVS_ROLE_TRUST,
					PVS_ROLE_VAULT};

	/* Nobody but the monitor makes channels, and fronts do not speak to each other. */
	for (guint32 type = 0; type < PVS_MESSAGE_LAST_ + 10u; type++) {
		g_assert_false(pvs_message_permitted(type, PVS_ROLE_FRONT, PVS_ROLE_FRONT));
		for (guint i = 0; i < G_N_ELEMENTS(roles); i++)
			for (guint j = 0; j < G_N_ELEMENTS(roles); j++)
				if (pvs_message_permitted(type, roles[i], roles[j]) &&
				    pvs_message_fds(type) > 0)
					g_assert_cmpint(roles[i], ==, PVS_ROLE_MONITOR);
	}
	/* Only trust grants, and only a front may send a secret, to the vault alone. */
	g_assert_true(pvs_message_permitted(PVS_MESSAGE_GRANT, PVS_ROLE_TRUST, PVS_ROLE_VAULT));
	g_assert_false(pvs_message_permitted(PVS_MESSAGE_GRANT, PVS_ROLE_FRONT, PVS_ROLE_VAULT));
	g_assert_false(pvs_message_permitted(PVS_MESSAGE_BUILD, PVS_ROLE_FRONT, PVS_ROLE_TRUST));
	for (guint32 type = 1; type < PVS_MESSAGE_LAST_; type++)
		g_assert_true(pvs_message_secret(type) == (type == PVS_MESSAGE_BUILD));
	/* Trust says nothing to anybody's client but through its front, the vault nothing to trust
	 * but whether it agrees, and whether it has something on record. */
	for (guint32 type = 1; type < PVS_MESSAGE_LAST_; type++)
		g_assert_true(pvs_message_permitted(type, PVS_ROLE_VAULT, PVS_ROLE_TRUST) ==
			      (type == PVS_MESSAGE_GRANTED || type == PVS_MESSAGE_RECORDED));
	g_assert_false(pvs_message_permitted(0, PVS_ROLE_MONITOR, PVS_ROLE_FRONT));
	g_assert_false(pvs_message_permitted(G_MAXUINT32, PVS_ROLE_MONITOR, PVS_ROLE_FRONT));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/wire/integers-are-big-endian", test_integers_are_big_endian);
	g_test_add_func("/wire/a-failed-reader-stays-failed", test_a_failed_reader_stays_failed);
	g_test_add_func("/wire/leftovers-are-refused", test_leftovers_are_refused);
	g_test_add_func("/wire/text-is-utf8-without-nul", test_text_is_utf8_without_nul);
	g_test_add_func("/wire/borrowed-memory-never-grows", test_borrowed_memory_never_grows);
	g_test_add_func("/wire/errors-travel-without-text", test_errors_travel_without_text);
	g_test_add_func("/body/round-trip", test_body_round_trip);
	g_test_add_func("/body/cut-anywhere", test_body_cut_anywhere);
	g_test_add_func("/body/names", test_body_names);
	g_test_add_func("/body/with-a-lying-count", test_body_with_a_lying_count);
	g_test_add_func("/body/span-points-into-the-message", test_span_points_into_the_message);
	g_test_add_func("/message/the-graph", test_the_graph);
	return g_test_run();
}

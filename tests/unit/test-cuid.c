/* SPDX-License-Identifier: MIT */
/*
 * test-cuid.c - a configuration unique id from a file of bytes or YAML
 */
#include "client/cuid.h"

#include <string.h>

#include <glib/gstdio.h>

#include "client/failure.h"

#define HEX "00112233445566778899aAbBcCdDeEfF"

static const guint8 expected[PVS_CUID_SIZE] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					       0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

static gboolean read_cuid(const char *data, gsize size, guint8 cuid[PVS_CUID_SIZE], GError **error)
{
	g_autofree char *path = NULL;
	int fd = g_file_open_tmp("pvs-cuid-XXXXXX", &path, NULL);
	gboolean good;

	g_assert_cmpint(fd, >=, 0);
	g_close(fd, NULL);
	g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
	good = pvs_cuid_read(path, "--cuid f", cuid, error);
	g_unlink(path);
	return good;
}

static void test_accepted(void)
{
	static const char *const texts[] = {
		"0x" HEX,
		"0x" HEX "\n",
		"'0x" HEX "'\n",
		"---\ncuid: 0x" HEX "\n",
		"cuid: " HEX "\n", /* as with --cuid-hex */
		"cuid: \"0x" HEX "\"\n",
		"add:\n  cuid: 0x" HEX "\n",
		/* As pvattest writes it, with more around. */
		"image_phkh: 0x11\nadditional:\n  firmware: {state: [1, 2]}\ncuid: '0x" HEX "'\n",
		/* The outer one, wherever it stands. */
		"a: {cuid: 0x00}\ncuid: 0x" HEX "\n",
		/* The first within. */
		"a: {cuid: 0x" HEX "}\nb: {cuid: 0x00}\n",
		"a: {b: {c: {d: {e: {f: {g: {cuid: 0x" HEX "}}}}}}}\n",
		"x: &x {cuid: 0x" HEX "}\ny: *x\n",
		"cuid: !!str 0x" HEX "\n# comment\n",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		guint8 cuid[PVS_CUID_SIZE] = {0};

		if (!read_cuid(texts[i], strlen(texts[i]), cuid, &error))
			g_error("%s: %s", texts[i], error->message);
		g_assert_cmpmem(cuid, sizeof cuid, expected, sizeof expected);
	}
}

static void test_bytes(void)
{
	guint8 cuid[PVS_CUID_SIZE] = {0};

	g_assert_true(read_cuid((const char *)expected, sizeof expected, cuid, NULL));
	g_assert_cmpmem(cuid, sizeof cuid, expected, sizeof expected);
	/* What looks like text is taken for bytes, if it is 16 of them, as pvsecret does. */
	g_assert_true(read_cuid("cuid: 0x00000000", 16, cuid, NULL));
	g_assert_cmpmem(cuid, sizeof cuid, "cuid: 0x00000000", 16);
}

static void test_refused(void)
{
	static const char *const texts[] = {
		"cuid: " HEX "0\n",
		"cuid: 0X" HEX "\n",
		"cuid: 0x" HEX "0\n",
		"cuid: 0x001122\n",
		"cuid: 0x00112233445566778899aabbccddeefg\n",
		"cuid: [0x" HEX "]\n",
		"cuid: {cuid: 0x" HEX "}\n",
		"CUID: 0x" HEX "\n",
		"- cuid: 0x" HEX "\n",
		"a: [{cuid: 0x" HEX "}]\n",
		"a: {b: {c: {d: {e: {f: {g: {h: {cuid: 0x" HEX "}}}}}}}}\n",
		"cuid\n",
		"a: b\n",
		"# nothing\n",
		"a: [\n",
		"a: *nothing\n",
		"&a {b: *a, c: *a}\n",
		"\t\n",
		"",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		guint8 cuid[PVS_CUID_SIZE];

		if (read_cuid(texts[i], strlen(texts[i]), cuid, &error))
			g_error("%s", texts[i]);
		g_assert_error(error, PVS_FAILURE, PVS_EXIT_FAILED);
		g_assert_true(g_str_has_prefix(error->message, "--cuid f: "));
	}
}

/* Aliases make a small text stand for more than anybody can look through. */
static void test_aliases(void)
{
	g_autoptr(GString) text = g_string_new("a0: &a0 {x: 1}\n");
	gint64 start = g_get_monotonic_time();
	guint8 cuid[PVS_CUID_SIZE];

	for (guint i = 1; i < 8; i++) {
		g_string_append_printf(text, "a%u: &a%u {", i, i);
		for (guint j = 0; j < 40; j++)
			g_string_append_printf(text, "%sk%u: *a%u", j ? ", " : "", j, i - 1);
		g_string_append(text, "}\n");
	}
	g_assert_false(read_cuid(text->str, text->len, cuid, NULL));
	g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/cuid/accepted", test_accepted);
	g_test_add_func("/cuid/bytes", test_bytes);
	g_test_add_func("/cuid/refused", test_refused);
	g_test_add_func("/cuid/aliases", test_aliases);
	return g_test_run();
}

/* SPDX-License-Identifier: MIT */
/*
 * fuzz-look.c - the vault's own look at a host key, fed with any bytes
 *
 * What begins as a document's signed bytes do is skipped through, signed or not. All else is said
 * to be signed: an algorithm (one byte), the signature's size (two), the signature, the bytes.
 */
#include <string.h>

#include <glib/gstdio.h>
#include <openssl/err.h>

#include "daemon/vault/look.h"
#include "protocol/error.h"
#include "tests/fuzz/look-keys.h"
#include "tests/unit/request-case.h"

enum { DER_SEQUENCE = 0x30 };

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static PvsLook *look;

static void start(void)
{
	g_autofree char *directory = g_dir_make_tmp("pvs-fuzz-look-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(directory, "signing.pem", NULL);

	test_arena_init();
	g_assert_true(g_file_set_contents(file, look_certificates, -1, NULL));
	look = pvs_look_load(directory, NULL);
	g_assert_nonnull(look);
	g_assert_cmpuint(pvs_look_size(look), ==, 2);
	g_unlink(file);
	g_rmdir(directory);
}

/* What is found stands in the input, behind the one SubjectPublicKeyInfo that is accepted, and is
 * all that the input says: the outer length is the input's, the padding is zero. */
static void check(const guint8 *data, gsize size, const guint8 point[PVS_POINT_SIZE])
{
	static const guint8 info[] = {0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86,
				      0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81,
				      0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00, 0x04};
	static const guint8 zeros[14];
	guint8 wanted[sizeof info + 132];

	memcpy(wanted, info, sizeof info);
	memcpy(wanted + sizeof info, point + 14, 66);
	memcpy(wanted + sizeof info + 66, point + 94, 66);
	g_assert_true(memcmp(point, zeros, 14) == 0 && memcmp(point + 80, zeros, 14) == 0);
	g_assert_nonnull(memmem(data, size, wanted, sizeof wanted));
	g_assert_cmphex(data[0], ==, DER_SEQUENCE);
}

static void skip(const guint8 *data, gsize size)
{
	guint8 point[PVS_POINT_SIZE];

	if (pvs_look_skip(data, size, point))
		check(data, size, point);
}

/* Was this signed, when the keys were still there? */
static gboolean was_signed(const char *tbs, guint8 algorithm, const char *signature)
{
	for (gsize i = 0; i < G_N_ELEMENTS(look_signed); i++)
		if (look_signed[i].algorithm == (PvsSignatureAlgorithm)algorithm &&
		    strcmp(look_signed[i].tbs, tbs) == 0 &&
		    strcmp(look_signed[i].signature, signature) == 0)
			return TRUE;
	return FALSE;
}

static void look_at(guint8 algorithm, const guint8 *signature, gsize signature_size,
		    const guint8 *tbs, gsize size)
{
	g_autofree char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, tbs, size);
	g_autofree char *signature_sum =
		g_compute_checksum_for_data(G_CHECKSUM_SHA256, signature, signature_size);
	g_autoptr(GError) error = NULL;
	guint8 point[PVS_POINT_SIZE];

	if (pvs_look(look, tbs, size, (PvsSignatureAlgorithm)algorithm, signature, signature_size,
		     point, &error)) {
		g_assert_cmpstr(sum, ==, LOOK_GOOD);
		check(tbs, size, point);
	} else if (error->code == PVS_ERROR_HOST_KEY_INVALID) {
		g_assert_true(strcmp(sum, LOOK_OFF_CURVE) == 0 || strcmp(sum, LOOK_P384) == 0);
	} else {
		g_assert_error(error, PVS_ERROR, PVS_ERROR_HOST_KEY_SIGNATURE);
		g_assert_false(was_signed(sum, algorithm, signature_sum));
	}
	g_assert_cmpuint(ERR_peek_error(), ==, 0);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	gsize signature_size;

	if (!look)
		start();
	if (size < 3 || data[0] == DER_SEQUENCE) {
		skip(data, size);
		return 0;
	}
	signature_size = MIN((gsize)(data[1] << 8 | data[2]), size - 3);
	look_at(data[0], data + 3, signature_size, data + 3 + signature_size,
		size - 3 - signature_size);
	return 0;
}

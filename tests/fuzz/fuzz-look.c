/* SPDX-License-Identifier: MIT */
/*
 * fuzz-look.c - the vault's way to the point in a document's signed bytes, fed with any bytes
 */
#include <string.h>

#include "daemon/vault/look.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

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
	g_assert_cmphex(data[0], ==, 0x30);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	guint8 point[PVS_POINT_SIZE];

	if (pvs_look_skip(data, size, point))
		check(data, size, point);
	return 0;
}

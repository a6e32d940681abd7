/* SPDX-License-Identifier: MIT */
/*
 * fuzz-seheader.c - bytes as an SE header and as the start of an image
 */
#include <string.h>

#include "protocol/error.h"
#include "protocol/seheader.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GError) parse = NULL, find = NULL;
	PvsHeaderTags tags;
	guint64 offset = 0;
	gsize stated = 0;

	if (pvs_header_parse(data, size, &tags, &parse)) {
		/* What is a header is found, where it stands, and its tag is its end. */
		g_assert_true(pvs_header_find(data, size, &offset, &stated, NULL));
		g_assert_cmpuint(offset, ==, 0);
		g_assert_cmpuint(stated, ==, size);
		g_assert_cmpmem(tags.tag, sizeof tags.tag, data + size - 16, 16);
	} else {
		g_assert_true(parse->domain == PVS_ERROR);
	}
	if (pvs_header_find(data, size, &offset, &stated, &find)) {
		g_assert_cmpuint(offset, <=, size - 16);
		g_assert_cmpmem(data + offset, 8, "IBMSecEx", 8);
		g_assert_true(stated > PVS_HEADER_FIXED && stated <= PVS_HEADER_MAX);
	} else {
		g_assert_true(find->domain == PVS_ERROR);
	}
	return 0;
}

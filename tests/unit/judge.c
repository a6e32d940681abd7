/* SPDX-License-Identifier: MIT */
/*
 * judge.c - a forged request before the simulated ultravisor
 */
#include "tests/unit/judge.h"

#include <string.h>

#include <openssl/ec.h>

EVP_PKEY *pvs_judge_customer, *pvs_judge_host, *pvs_judge_strangers[2];
const guint8 pvs_judge_cuid[PVS_UV_CUID_SIZE] = {[0 ... PVS_UV_CUID_SIZE - 1] = 0xc1};

void pvs_judge_init(void)
{
	pvs_judge_customer = EVP_EC_gen("P-521");
	pvs_judge_host = EVP_EC_gen("P-521");
	pvs_judge_strangers[0] = EVP_EC_gen("P-521");
	pvs_judge_strangers[1] = EVP_EC_gen("P-521");
	g_assert_true(pvs_judge_customer && pvs_judge_host && pvs_judge_strangers[0] &&
		      pvs_judge_strangers[1]);
}

void pvs_judge_end(void)
{
	EVP_PKEY_free(pvs_judge_customer);
	EVP_PKEY_free(pvs_judge_host);
	EVP_PKEY_free(pvs_judge_strangers[0]);
	EVP_PKEY_free(pvs_judge_strangers[1]);
}

PvsForge pvs_judge_forge(void)
{
	return pvs_forge(pvs_judge_customer, pvs_judge_host);
}

PvsUvGuest *pvs_judge_guest(const PvsForge *forge)
{
	g_autoptr(GByteArray) header = pvs_forge_header(forge->identity);
	g_autofree char *pem = pvs_forge_pem(pvs_judge_host);
	g_autoptr(GError) error = NULL;
	PvsUvGuest *guest = pvs_uv_guest_new(header->data, header->len, &error);

	g_assert_no_error(error);
	pvs_uv_guest_set_host_key(guest, pem, strlen(pem), &error);
	g_assert_no_error(error);
	pvs_uv_guest_set_cuid(guest, pvs_judge_cuid);
	return guest;
}

const char *pvs_judge_bytes(PvsUvGuest *guest, const guint8 *data, gsize size)
{
	/* In a block of its own size, so that a sanitizer sees a read beyond the end. */
	g_autofree guint8 *copy = g_memdup2(data, size);

	return pvs_uv_reason_word(pvs_uv_guest_add(guest, copy, size, FALSE, NULL).reason);
}

const char *pvs_judge(PvsUvGuest *guest, const PvsForge *forge)
{
	g_autoptr(GByteArray) request = pvs_forge_request(forge);

	return pvs_judge_bytes(guest, request->data, request->len);
}

const char *pvs_judge_patched(PvsUvGuest *guest, PvsForge forge, gsize at, const void *patch,
			      gsize size)
{
	forge.patch_at = at;
	forge.patch = patch;
	forge.patch_size = size;
	return pvs_judge(guest, &forge);
}

const char *pvs_judge_afresh(const PvsForge *forge)
{
	g_autoptr(PvsUvGuest) guest = pvs_judge_guest(forge);

	return pvs_judge(guest, forge);
}

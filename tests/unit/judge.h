/* SPDX-License-Identifier: MIT */
/*
 * judge.h - a forged request before the simulated ultravisor
 */
#pragma once

#include "tests/ultravisor/guest.h"
#include "tests/unit/forge.h"

/* Key pairs on P-521, made once for a test program: the requests' customer, the machine of every
 * guest made here, and two other machines. */
extern EVP_PKEY *pvs_judge_customer, *pvs_judge_host, *pvs_judge_strangers[2];
void pvs_judge_init(void);
void pvs_judge_end(void);

/* The CUID of every guest made here; 16 bytes. */
extern const guint8 pvs_judge_cuid[PVS_UV_CUID_SIZE];

/* A request for the customer and the host above; see pvs_forge(). */
PvsForge pvs_judge_forge(void);

/* A guest whose SE header is the one that @forge is for. */
PvsUvGuest *pvs_judge_guest(const PvsForge *forge);

/* What becomes of a request: "accepted" or the word for the reason. pvs_judge_patched() lies at
 * @at. */
const char *pvs_judge_bytes(PvsUvGuest *guest, const guint8 *data, gsize size);
const char *pvs_judge(PvsUvGuest *guest, const PvsForge *forge);
const char *pvs_judge_patched(PvsUvGuest *guest, PvsForge forge, gsize at, const void *patch,
			      gsize size);

/* Likewise, by a guest that has seen nothing before. */
const char *pvs_judge_afresh(const PvsForge *forge);

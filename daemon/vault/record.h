/* SPDX-License-Identifier: MIT */
/*
 * record.h - what the audit log says of a call
 */
#pragma once

#include "protocol/audit.h"
#include "protocol/bodies.h"

/* The members that are known before the outcome: whose call it is, what it names. */
GString *pvs_record_build(const PvsAddFront *identity, const PvsBuild *build);

/* The public host key hashes (PHKH) of @n points of PVS_POINT_SIZE bytes. */
void pvs_record_host_keys(GString *record, const guint8 *points, guint n);

/* "ok", or the reason that the client is told; @error may be NULL. */
void pvs_record_outcome(GString *record, const GError *error);

/* What trust says of a call, with its event's name, a static string. */
GString *pvs_record_trust(const PvsAddFront *identity, const PvsRecord *body, const char **event);

/* A grant of trust's that the vault does not agree to, and why. */
GString *pvs_record_grant(const PvsAddFront *identity, const PvsGrant *grant, const GError *error);

/* SPDX-License-Identifier: MIT */
/*
 * marks.h - the newest CRL that was seen of each signing key, over the daemon's whole life
 *
 * Who can put an older CRL in the place of a newer one makes a revoked host key good again, for as
 * long as the older one holds. So what was seen is written down: records of 64 bytes at the end of
 * one file, never changed.
 *
 *	 0  SHA-256 of the signing key's SubjectPublicKeyInfo; where the CRL is that of a
 *	    distribution point, of that with the value of its issuing distribution point behind
 *	32  thisUpdate, seconds since the epoch, 64 bits, big-endian
 *	40  the CRL's number, 128 bits, big-endian; 0: none, or one that is larger
 *	56  the first 8 bytes of the SHA-256 of what stands before
 *
 * The highest for a key counts; a record that does not end as it should is ignored. An authority
 * may issue its list in parts (RFC 5280 section 5.2.5), each in its own time: one of another
 * distribution point says nothing about how new this one has to be. One of the whole list does.
 */
#pragma once

#include "daemon/trust/openssl-auto.h"

#define PVS_MARK_SIZE 64

typedef struct PvsMarks PvsMarks;

/* What the file @fd (taken; open for reading, and for appending) says; -1: nothing, and nothing is
 * written. PVS_ERROR_SYSTEM where it cannot be read. */
PvsMarks *pvs_marks_new(int fd, GError **error);
void pvs_marks_free(PvsMarks *marks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsMarks, pvs_marks_free)

/* TRUE if a newer CRL of this signing key, of the same part or of all, was seen before. By
 * thisUpdate; of two of the same second by their numbers. */
gboolean pvs_marks_is_rolled_back(const PvsMarks *marks, X509 *signing_key, X509_CRL *crl);

/* @crl, which was found good, was seen: where it is newer than what was, that is on the disk when
 * this returns. TRUE if it is newer. PVS_ERROR_SYSTEM in @error where a mark, this one or one from
 * before, could not be written; it counts from now on in any case, for as long as the process
 * lives, and the next call tries again. */
gboolean pvs_marks_see(PvsMarks *marks, X509 *signing_key, X509_CRL *crl, GError **error);

/* The latest thisUpdate of all, seconds since the epoch; G_MININT64: there is no mark. A clock that
 * is behind it has gone back. */
gint64 pvs_marks_latest(const PvsMarks *marks);

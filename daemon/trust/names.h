/* SPDX-License-Identifier: MIT */
/*
 * names.h - when a name of X.509 is that of a host-key signing key
 */
#pragma once

#include "daemon/trust/openssl-auto.h"

/* TRUE if @name is exactly that of an IBM Z host-key signing key: six entries, C=US, ST=New York,
 * L=Poughkeepsie or Armonk, O and CN = International Business Machines Corporation, OU ending in
 * "Key Signing Service"; each a PrintableString or UTF8String (RFC 5280, section 4.1.2.4). */
gboolean pvs_name_is_signing_key(const X509_NAME *name);

/* What two names may differ in and still mean one. */
typedef enum {
	PVS_NAME_PLACE = 1 << 0, /* IBM moved from Poughkeepsie to Armonk: either stands for both */
	PVS_NAME_ORDER = 1 << 1, /* the same entries in another order */
} PvsNameQuirks;

/* TRUE if @name, the issuer of something, means @subject. A quirk counts only where @subject is a
 * signing key's. RFC 5280, section 7.1 (as OpenSSL does it) says when entries are equal. */
gboolean pvs_name_means(const X509_NAME *name, const X509_NAME *subject, guint quirks);

/* SPDX-License-Identifier: MIT */
/*
 * user-data.h - the signature of a request's user data
 *
 * What is signed is the whole request without its tag, the signature's own place zeroed. No chain
 * of trust is looked for: that the certificate is the right one is for who gave it to know.
 */
#pragma once

#include "protocol/bodies.h"

/* Verifies the user data of the request with the key of the certificate (PEM or DER, the first of
 * several), where there is one. *@checked is what the request has of the user's. Without user data
 * there is nothing to verify, and a certificate does no harm. Errors: PARAM_REQUEST,
 * USER_CERT_FORMAT, USER_CERT_MISSING, USER_CERT_KEY, USER_DATA_UNSIGNED, USER_SIGNATURE. */
gboolean pvs_user_data_check(const PvsCheck *check, PvsChecked *checked, GError **error);

/* Has OpenSSL make ready what the verification needs, before the cage. */
gboolean pvs_user_data_warm_up(void);

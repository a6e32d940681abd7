/* SPDX-License-Identifier: MIT */
/*
 * user-data.c - the signature of a request's user data
 */
#include "daemon/trust/user-data.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "daemon/trust/x509.h"
#include "protocol/error.h"
#include "protocol/request-view.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PARAM, OSSL_PARAM_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)

enum {
	/* Where an EC signature stands, behind the user's 256 bytes. */
	EC_DER = 139,
	EC_RESERVED = 5,
	EC_SIZE_AT = EC_DER + EC_RESERVED,
	EC_PLACE = 256,
};

static gboolean is_zero(const guint8 *data, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (data[i])
			return FALSE;
	return TRUE;
}

/* Which user data a key signs; NONE: no such key. */
static PvsUserDataType kind_of(EVP_PKEY *key)
{
	char curve[32] = "";

	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) == 2048	? PVS_USER_DATA_RSA_2048
		       : EVP_PKEY_get_bits(key) == 3072 ? PVS_USER_DATA_RSA_3072
							: PVS_USER_DATA_NONE;
	if (EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) == 1 &&
	    strcmp(curve, SN_secp521r1) == 0)
		return PVS_USER_DATA_EC_SECP521R1;
	return PVS_USER_DATA_NONE;
}

/* The signature in its place. Of an EC signature all that is not it must be zero: those bytes are
 * not signed, and a request in which they were changed is not the one that was made. */
static gboolean find_signature(const PvsRequestView *view, const guint8 **signature, gsize *size)
{
	gsize part = pvs_user_data_size(view->user_data_type);
	const guint8 *place = view->head->user_data + part;

	*signature = place;
	*size = PVS_USER_DATA_SIZE - part;
	if (view->user_data_type != PVS_USER_DATA_EC_SECP521R1)
		return TRUE;
	*size = (gsize)place[EC_SIZE_AT] << 8 | place[EC_SIZE_AT + 1];
	return *size > 0 && *size <= EC_DER && is_zero(place + *size, EC_SIZE_AT - *size) &&
	       is_zero(place + EC_SIZE_AT + 2, EC_PLACE - EC_SIZE_AT - 2);
}

static gboolean is_signed(EVP_PKEY *key, const guint8 *data, gsize size, const guint8 *signature,
			  gsize signature_size)
{
	g_autoptr(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *kctx = NULL; /* ctx's */

	if (!ctx || EVP_DigestVerifyInit(ctx, &kctx, EVP_sha512(), NULL, key) != 1)
		return FALSE;
	if (EVP_PKEY_is_a(key, "RSA") &&
	    (EVP_PKEY_CTX_set_rsa_padding(kctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_rsa_mgf1_md(kctx, EVP_sha512()) != 1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(kctx, RSA_PSS_SALTLEN_AUTO) != 1))
		return FALSE;
	return EVP_DigestVerify(ctx, signature, signature_size, data, size) == 1;
}

static gboolean verify(const PvsRequestView *view, GBytes *request, EVP_PKEY *key)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(request, &size), *signature;
	gsize part = pvs_user_data_size(view->user_data_type), signature_size;
	g_autofree guint8 *plain = NULL;

	if (!find_signature(view, &signature, &signature_size))
		return FALSE;
	size -= PVS_TAG_SIZE;
	plain = g_memdup2(data, size);
	memset(plain + offsetof(PvsRequestHead, user_data) + part, 0, PVS_USER_DATA_SIZE - part);
	return is_signed(key, plain, size, signature, signature_size);
}

static gboolean verify_with(const PvsRequestView *view, GBytes *request, GBytes *certificate,
			    GError **error)
{
	g_autoptr(PvsX509Stack) certs = sk_X509_new_null();
	g_autoptr(PvsCrlStack) crls = sk_X509_CRL_new_null();
	EVP_PKEY *key;
	gsize size;
	const guint8 *data = g_bytes_get_data(certificate, &size);

	if (!pvs_x509_read(data, size, certs, crls) || sk_X509_num(certs) == 0)
		return pvs_fail(error, PVS_ERROR_USER_CERT_FORMAT, "/user_certificate", NULL);
	if (view->user_data_type == PVS_USER_DATA_NONE)
		return TRUE;
	if (view->user_data_type == PVS_USER_DATA_UNSIGNED)
		return pvs_fail(error, PVS_ERROR_USER_DATA_UNSIGNED, "/request", NULL);
	key = X509_get0_pubkey(sk_X509_value(certs, 0));
	if (!key || kind_of(key) != view->user_data_type)
		return pvs_fail(error, PVS_ERROR_USER_CERT_KEY, "/user_certificate", NULL);
	return verify(view, request, key) ||
	       pvs_fail(error, PVS_ERROR_USER_SIGNATURE, "/request", NULL);
}

static gboolean verify_user_data(const PvsRequestView *view, GBytes *request, GBytes *certificate,
				 GError **error)
{
	gboolean good;

	if (!certificate)
		return view->user_data_type <= PVS_USER_DATA_UNSIGNED ||
		       pvs_fail(error, PVS_ERROR_USER_CERT_MISSING, "/user_certificate", NULL);
	ERR_clear_error();
	good = verify_with(view, request, certificate, error);
	ERR_clear_error();
	return good;
}

gboolean pvs_user_data_check(const PvsCheck *body, PvsChecked *checked, GError **error)
{
	PvsRequestView view;
	gsize size = 0;
	const guint8 *data = body->request ? g_bytes_get_data(body->request, &size) : NULL;

	if (!data || !pvs_request_view(data, size, &view, NULL))
		return pvs_fail(error, PVS_ERROR_PARAM_REQUEST, "/request", NULL);
	if (!verify_user_data(&view, body->request, body->certificate, error))
		return FALSE;
	checked->type = (guint16)view.user_data_type;
	size = pvs_user_data_size(view.user_data_type);
	checked->user_data = size > 0 ? g_bytes_new(view.head->user_data, size) : NULL;
	return TRUE;
}

/* A key for which nobody has a signature: 2^2047 + 1. */
static EVP_PKEY *any_rsa_key(void)
{
	g_autoptr(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
	g_autoptr(BIGNUM) n = BN_new();
	g_autoptr(BIGNUM) e = BN_new();
	g_autoptr(OSSL_PARAM) params = NULL;
	g_autoptr(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;

	if (!build || !n || !e || !ctx || BN_set_bit(n, 2047) != 1 || BN_set_bit(n, 0) != 1 ||
	    BN_set_word(e, 65537) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return NULL;
	params = OSSL_PARAM_BLD_to_param(build);
	if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

static EVP_PKEY *any_ec_key(void)
{
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", SN_secp521r1);
}

gboolean pvs_user_data_warm_up(void)
{
	static const guint8 nothing[256] = {0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01};
	g_autoptr(EVP_PKEY) rsa = any_rsa_key();
	g_autoptr(EVP_PKEY) ec = any_ec_key();
	/* What matters is that all of it runs; none of it can hold. */
	gboolean good = rsa && ec && kind_of(rsa) == PVS_USER_DATA_RSA_2048 &&
			kind_of(ec) == PVS_USER_DATA_EC_SECP521R1 &&
			!is_signed(rsa, nothing, sizeof nothing, nothing, sizeof nothing) &&
			!is_signed(ec, nothing, sizeof nothing, nothing, 8);

	ERR_clear_error();
	return good;
}

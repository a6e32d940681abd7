/* SPDX-License-Identifier: MIT */
/*
 * guest.c - one secure-execution guest, its machine's host key and its store of secrets
 */
#include "tests/ultravisor/guest.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum {
	COORDINATE_SIZE = PVS_UV_POINT_SIZE / 2,
	SHARED_SIZE = 66, /* of an X coordinate on P-521 as ECDH has it */

	/* The SE header */
	HEADER_AT_VERSION = 0x08,
	HEADER_AT_SIZE = 0x0c,
	HEADER_AT_N_KEYSLOTS = 0x20,
	HEADER_AT_ENCRYPTED_SIZE = 0x28,
	HEADER_AT_DIGESTS = 0xe0,
	HEADER_AT_KEYSLOTS = 0x1a0,
	HEADER_VERSION = 0x100,
	HEADER_MAX = 1024 * 1024,
};

struct PvsUvGuest {
	guint8 identity[PVS_UV_IDENTITY_SIZE];

	/* One of the two scalars is enough for the shared secret; see
	 * pvs_uv_guest_set_host_public(). */
	EC_GROUP *curve;
	EC_POINT *host;
	BIGNUM *scalar; /* NULL until there is a host key */
	gboolean scalar_is_customers;
	guint8 host_hash[PVS_UV_HASH_SIZE];

	guint8 cuid[PVS_UV_CUID_SIZE];
	gboolean enforce_cck; /* else the CCK has no effect */
	guint8 image_cck[PVS_UV_CCK_SIZE], cck[PVS_UV_CCK_SIZE];

	guint slots;
	gboolean locked, dump_disabled;
	gboolean primed; /* an accepted request fixed the extension secret */
	guint8 extension[PVS_UV_EXTENSION_SIZE];
	GPtrArray *secrets; /* PvsUvSecret */
};

static const PvsUvVerdict good = {PVS_UV_NONE, ""};

G_DEFINE_QUARK(pvs - uv - error - quark, pvs_uv_error)

static gboolean unusable(GError **error, const char *text)
{
	g_set_error_literal(error, PVS_UV_ERROR, 0, text);
	return FALSE;
}

char *pvs_uv_hex(const guint8 *data, gsize size)
{
	GString *hex = g_string_sized_new(2 * size);

	for (gsize i = 0; i < size; i++)
		g_string_append_printf(hex, "%02x", data[i]);
	return g_string_free(hex, FALSE);
}

gboolean pvs_uv_unhex(const char *hex, guint8 *out, gsize size)
{
	if (strlen(hex) != 2 * size)
		return FALSE;
	for (gsize i = 0; i < 2 * size; i++) {
		if (!g_ascii_isxdigit(hex[i]))
			return FALSE;
	}
	for (gsize i = 0; i < size; i++)
		out[i] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 |
				  g_ascii_xdigit_value(hex[2 * i + 1]));
	return TRUE;
}

static void secret_free(gpointer data)
{
	PvsUvSecret *s = data;

	OPENSSL_clear_free(s->secret, s->size);
	OPENSSL_cleanse(s, sizeof *s);
	g_free(s);
}

static PvsUvGuest *guest_alloc(void)
{
	PvsUvGuest *guest = g_new0(PvsUvGuest, 1);

	guest->curve = EC_GROUP_new_by_curve_name(NID_secp521r1);
	g_assert_true(guest->curve);
	guest->host = EC_POINT_new(guest->curve);
	g_assert_true(guest->host);
	guest->slots = PVS_UV_SLOTS;
	guest->secrets = g_ptr_array_new_with_free_func(secret_free);
	return guest;
}

void pvs_uv_guest_free(PvsUvGuest *guest)
{
	if (!guest)
		return;
	g_ptr_array_unref(guest->secrets);
	BN_clear_free(guest->scalar);
	EC_POINT_free(guest->host);
	EC_GROUP_free(guest->curve);
	OPENSSL_cleanse(guest, sizeof *guest);
	g_free(guest);
}

PvsUvGuest *pvs_uv_guest_new(const guint8 *header, gsize size, GError **error)
{
	guint64 stated, n_keyslots, encrypted;
	PvsUvGuest *guest;

	if (size < HEADER_AT_KEYSLOTS + PVS_UV_TAG_SIZE) {
		unusable(error, "the SE header is shorter than its fixed part");
		return NULL;
	}
	if (memcmp(header, "IBMSecEx", 8) != 0 ||
	    pvs_uv_be(header + HEADER_AT_VERSION, 4) != HEADER_VERSION) {
		unusable(error, "not an SE header of version 0x100");
		return NULL;
	}
	stated = pvs_uv_be(header + HEADER_AT_SIZE, 4);
	n_keyslots = pvs_uv_be(header + HEADER_AT_N_KEYSLOTS, 8);
	encrypted = pvs_uv_be(header + HEADER_AT_ENCRYPTED_SIZE, 8);
	if (stated > size || stated > HEADER_MAX || n_keyslots > HEADER_MAX ||
	    encrypted > HEADER_MAX ||
	    stated != HEADER_AT_KEYSLOTS + PVS_UV_KEYSLOT_SIZE * n_keyslots + encrypted +
			      PVS_UV_TAG_SIZE) {
		unusable(error, "the sizes that the SE header states do not add up");
		return NULL;
	}

	guest = guest_alloc();
	memcpy(guest->identity, header + HEADER_AT_DIGESTS, PVS_UV_IDENTITY_TAG);
	memcpy(guest->identity + PVS_UV_IDENTITY_TAG, header + stated - PVS_UV_TAG_SIZE,
	       PVS_UV_TAG_SIZE);
	return guest;
}

static void put_coordinate(const BIGNUM *coordinate, guint8 *out)
{
	g_assert_cmpint(BN_bn2binpad(coordinate, out, COORDINATE_SIZE), ==, COORDINATE_SIZE);
}

static void point_to_bytes(const EC_GROUP *curve, const EC_POINT *point, guint8 *out)
{
	BIGNUM *x = BN_new(), *y = BN_new();

	g_assert_true(x && y && EC_POINT_get_affine_coordinates(curve, point, x, y, NULL));
	put_coordinate(x, out);
	put_coordinate(y, out + COORDINATE_SIZE);
	BN_clear_free(x);
	BN_clear_free(y);
}

/* FALSE where the bytes are no point of the curve. The point at infinity has no such form. */
static gboolean point_from_bytes(const EC_GROUP *curve, const guint8 *data, EC_POINT *point)
{
	BIGNUM *x = BN_bin2bn(data, COORDINATE_SIZE, NULL);
	BIGNUM *y = BN_bin2bn(data + COORDINATE_SIZE, COORDINATE_SIZE, NULL);
	BIGNUM *p = BN_new();
	gboolean ok;

	/* The coordinates must be below the field's prime by themselves: OpenSSL may reduce them,
	 * and one point would then have several forms and several hashes. */
	g_assert_true(x && y && p && EC_GROUP_get_curve(curve, p, NULL, NULL, NULL));
	ok = BN_cmp(x, p) < 0 && BN_cmp(y, p) < 0 &&
	     EC_POINT_set_affine_coordinates(curve, point, x, y, NULL) == 1 &&
	     EC_POINT_is_on_curve(curve, point, NULL) == 1;
	BN_free(x);
	BN_free(y);
	BN_free(p);
	return ok;
}

static gboolean good_scalar(const EC_GROUP *curve, const BIGNUM *scalar)
{
	return !BN_is_zero(scalar) && !BN_is_negative(scalar) &&
	       BN_cmp(scalar, EC_GROUP_get0_order(curve)) < 0;
}

static void sha256(const guint8 *data, gsize size, guint8 *out)
{
	unsigned int n = 0;

	g_assert_true(EVP_Digest(data, size, out, &n, EVP_sha256(), NULL));
	g_assert_cmpuint(n, ==, PVS_UV_HASH_SIZE);
}

static void take_host(PvsUvGuest *guest, BIGNUM *scalar, gboolean scalar_is_customers)
{
	guint8 bytes[PVS_UV_POINT_SIZE];

	BN_clear_free(guest->scalar);
	guest->scalar = scalar;
	guest->scalar_is_customers = scalar_is_customers;
	point_to_bytes(guest->curve, guest->host, bytes);
	sha256(bytes, sizeof bytes, guest->host_hash);
}

static gboolean is_p521(const EVP_PKEY *key)
{
	char group[32] = "";

	return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
					      NULL) == 1 &&
	       strcmp(group, SN_secp521r1) == 0;
}

gboolean pvs_uv_guest_set_host_key(PvsUvGuest *guest, const char *pem, gsize size, GError **error)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)size);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	BIGNUM *scalar = NULL;
	gboolean ok;

	ok = key && is_p521(key) &&
	     EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1 &&
	     good_scalar(guest->curve, scalar);
	EVP_PKEY_free(key);
	BIO_free(bio);
	if (!ok) {
		BN_clear_free(scalar);
		return unusable(error, "the host key is not a private key on P-521 in PEM");
	}
	g_assert_true(EC_POINT_mul(guest->curve, guest->host, scalar, NULL, NULL, NULL));
	take_host(guest, scalar, FALSE);
	return TRUE;
}

gboolean pvs_uv_guest_set_host_public(PvsUvGuest *guest, const char *pem, gsize size,
				      const guint8 *scalar, GError **error)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)size);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, (void *)"");
	EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
	BIGNUM *number = BN_bin2bn(scalar, PVS_UV_SCALAR_SIZE, NULL);
	EC_POINT *point = EC_POINT_new(guest->curve);
	guint8 octets[1 + 2 * SHARED_SIZE];
	const char *problem = NULL;
	gsize n = 0;

	g_assert_true(number && point);
	if (!key || !is_p521(key) ||
	    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, octets,
					    sizeof octets, &n) != 1 ||
	    EC_POINT_oct2point(guest->curve, point, octets, n, NULL) != 1)
		problem = "the host key's certificate is not one for P-521";
	else if (!good_scalar(guest->curve, number))
		problem = "the customer key is not a private key on P-521";
	if (!problem) {
		g_assert_true(EC_POINT_copy(guest->host, point));
		take_host(guest, g_steal_pointer(&number), TRUE);
	}
	BN_clear_free(number);
	EC_POINT_free(point);
	X509_free(certificate);
	BIO_free(bio);
	return problem ? unusable(error, problem) : TRUE;
}

void pvs_uv_guest_set_cck(PvsUvGuest *guest, const guint8 *cck, gboolean enforce)
{
	memcpy(guest->image_cck, cck, PVS_UV_CCK_SIZE);
	memcpy(guest->cck, cck, PVS_UV_CCK_SIZE);
	guest->enforce_cck = enforce;
}

void pvs_uv_guest_set_cuid(PvsUvGuest *guest, const guint8 *cuid)
{
	memcpy(guest->cuid, cuid, PVS_UV_CUID_SIZE);
}

void pvs_uv_guest_set_slots(PvsUvGuest *guest, guint slots)
{
	guest->slots = slots;
}

/* SHA-256(Z || 00000001) of the machine's key and the customer's. A machine that knows one
 * customer's scalar computes that customer's Z whoever asks, and so opens nobody else's keyslot. */
static PvsUvVerdict wrapping_key(const PvsUvGuest *guest, const guint8 *customer_key, guint8 *out)
{
	EC_POINT *customer = EC_POINT_new(guest->curve), *product = EC_POINT_new(guest->curve);
	guint8 bytes[PVS_UV_POINT_SIZE], input[SHARED_SIZE + 4];
	PvsUvVerdict verdict = good;

	g_assert_true(customer && product);
	if (!point_from_bytes(guest->curve, customer_key, customer)) {
		verdict = (PvsUvVerdict){PVS_UV_CUSTOMER_KEY, "not a point on P-521"};
		goto out;
	}
	g_assert_true(EC_POINT_mul(guest->curve, product, NULL,
				   guest->scalar_is_customers ? guest->host : customer,
				   guest->scalar, NULL));
	/* P-521 has no points of small order, so the product has coordinates. */
	point_to_bytes(guest->curve, product, bytes);
	memcpy(input, bytes + COORDINATE_SIZE - SHARED_SIZE, SHARED_SIZE);
	memcpy(input + SHARED_SIZE, "\0\0\0\1", 4);
	sha256(input, sizeof input, out);
	OPENSSL_cleanse(bytes, sizeof bytes);
	OPENSSL_cleanse(input, sizeof input);
out:
	EC_POINT_clear_free(product);
	EC_POINT_free(customer);
	return verdict;
}

/* The request protection key. Which one of several slots for its own key the firmware takes is not
 * known, so all of them have to be good and to hold the same key. */
static PvsUvVerdict protection_key(const PvsUvGuest *guest, const PvsUvRequest *r, guint8 *out)
{
	static const guint8 iv[PVS_UV_IV_SIZE];
	guint8 wrapping[PVS_UV_KEY_SIZE], key[PVS_UV_KEY_SIZE];
	PvsUvVerdict verdict = good;
	guint n_mine = 0;

	for (guint i = 0; i < r->n_keyslots && verdict.reason == PVS_UV_NONE; i++) {
		const guint8 *slot = r->keyslots + (gsize)PVS_UV_KEYSLOT_SIZE * i;
		const guint8 *wrapped = slot + PVS_UV_HASH_SIZE;

		if (memcmp(slot, guest->host_hash, PVS_UV_HASH_SIZE) != 0)
			continue;
		if (n_mine == 0) {
			verdict = wrapping_key(guest, r->customer_key, wrapping);
			if (verdict.reason != PVS_UV_NONE)
				break;
		}
		if (!pvs_uv_gcm_open(wrapping, iv, NULL, 0, wrapped, PVS_UV_KEY_SIZE,
				     wrapped + PVS_UV_KEY_SIZE, key))
			verdict = (PvsUvVerdict){PVS_UV_KEYSLOT,
						 "the tag of this machine's keyslot is wrong"};
		else if (n_mine > 0 && memcmp(key, out, PVS_UV_KEY_SIZE) != 0)
			verdict = (PvsUvVerdict){PVS_UV_KEYSLOT,
						 "this machine's keyslots hold different keys"};
		else
			memcpy(out, key, PVS_UV_KEY_SIZE);
		n_mine++;
	}
	if (n_mine == 0 && verdict.reason == PVS_UV_NONE)
		verdict = (PvsUvVerdict){PVS_UV_HOST_KEY, "no keyslot is for this machine"};
	OPENSSL_cleanse(wrapping, sizeof wrapping);
	OPENSSL_cleanse(key, sizeof key);
	return verdict;
}

const guint8 *pvs_uv_guest_extension(PvsUvGuest *guest)
{
	if (guest->enforce_cck)
		pvs_uv_derive_extension(guest->cck, guest->identity + PVS_UV_IDENTITY_TAG,
					guest->extension);
	return guest->enforce_cck || guest->primed ? guest->extension : NULL;
}

static gsize find_secret(const PvsUvGuest *guest, const guint8 *id)
{
	gsize i;

	for (i = 0; i < guest->secrets->len; i++) {
		const PvsUvSecret *s = guest->secrets->pdata[i];

		if (memcmp(s->id, id, PVS_UV_ID_SIZE) == 0)
			break;
	}
	return i;
}

static gboolean is_stored(guint16 type)
{
	return type != PVS_UV_META && type != PVS_UV_UPDATE_CCK;
}

static void store(PvsUvGuest *guest, const PvsUvRequest *r, const guint8 *secret)
{
	PvsUvSecret *s = g_new0(PvsUvSecret, 1);
	gsize i = find_secret(guest, r->id);

	s->type = r->type;
	memcpy(s->id, r->id, PVS_UV_ID_SIZE);
	s->flags = r->flags;
	s->user_data_type = r->user_data_type;
	memcpy(s->extension, secret + r->secret_size, PVS_UV_EXTENSION_SIZE);
	s->size = r->secret_size;
	s->secret = OPENSSL_memdup(secret, r->secret_size);
	g_assert_true(s->secret);
	if (i < guest->secrets->len) {
		secret_free(guest->secrets->pdata[i]);
		guest->secrets->pdata[i] = s;
	} else {
		g_ptr_array_add(guest->secrets, s);
	}
}

/* The part of the judgement that needs the decrypted @secret, behind which the extension secret
 * stands; and what follows from a good one. */
static PvsUvVerdict take_secret(PvsUvGuest *guest, const PvsUvRequest *r, const guint8 *secret,
				gboolean dry_run)
{
	const guint8 *extension = secret + r->secret_size;
	const guint8 *expected = pvs_uv_guest_extension(guest);
	PvsUvVerdict verdict;

	if (expected && memcmp(extension, expected, PVS_UV_EXTENSION_SIZE) != 0)
		return (PvsUvVerdict){PVS_UV_EXTENSION_SECRET,
				      guest->enforce_cck
					      ? "not the one derived from the guest's CCK"
					      : "not the one of the first accepted request"};
	verdict = pvs_uv_secret_check(r->type, secret, r->secret_size);
	if (verdict.reason != PVS_UV_NONE)
		return verdict;
	if (is_stored(r->type) && find_secret(guest, r->id) == guest->secrets->len &&
	    guest->secrets->len >= guest->slots)
		return (PvsUvVerdict){PVS_UV_FULL, "the store has no room for another secret"};
	if (dry_run)
		return good;

	memcpy(guest->extension, extension, PVS_UV_EXTENSION_SIZE);
	guest->primed = TRUE;
	if (r->flags & PVS_UV_FLAG_DISABLE_DUMP)
		guest->dump_disabled = TRUE;
	if (r->type == PVS_UV_UPDATE_CCK)
		memcpy(guest->cck, secret, PVS_UV_CCK_SIZE);
	if (is_stored(r->type))
		store(guest, r, secret);
	return good;
}

PvsUvVerdict pvs_uv_guest_add(PvsUvGuest *guest, const guint8 *data, gsize size, gboolean dry_run,
			      PvsUvRequest *request)
{
	guint8 key[PVS_UV_KEY_SIZE];
	PvsUvVerdict verdict;
	PvsUvRequest r;
	guint8 *plain;
	gsize n;

	g_assert_true(guest->scalar);
	if (guest->locked)
		return (PvsUvVerdict){PVS_UV_LOCKED,
				      "the store is locked until the guest restarts"};
	verdict = pvs_uv_request_parse(data, size, &r);
	if (verdict.reason != PVS_UV_NONE)
		return verdict;
	if (memcmp(r.identity, guest->identity, PVS_UV_IDENTITY_SIZE) != 0)
		return (PvsUvVerdict){PVS_UV_HEADER, "made for a guest with another SE header"};
	if (!pvs_uv_is_zero(r.cuid, PVS_UV_CUID_SIZE) &&
	    memcmp(r.cuid, guest->cuid, PVS_UV_CUID_SIZE) != 0)
		return (PvsUvVerdict){PVS_UV_CUID, "made for another running guest"};
	verdict = protection_key(guest, &r, key);
	if (verdict.reason != PVS_UV_NONE)
		return verdict;

	n = r.secret_size + PVS_UV_EXTENSION_SIZE;
	plain = OPENSSL_malloc(n);
	g_assert_true(plain);
	if (!pvs_uv_gcm_open(key, r.iv, r.data, r.authenticated, r.encrypted, n, r.tag, plain))
		verdict = (PvsUvVerdict){PVS_UV_TAG, "the tag of the request is wrong"};
	else
		verdict = take_secret(guest, &r, plain, dry_run);
	OPENSSL_clear_free(plain, n);
	OPENSSL_cleanse(key, sizeof key);
	if (verdict.reason == PVS_UV_NONE && request)
		*request = r;
	return verdict;
}

void pvs_uv_guest_lock(PvsUvGuest *guest)
{
	guest->locked = TRUE;
}

void pvs_uv_guest_reset(PvsUvGuest *guest)
{
	guest->locked = guest->primed = guest->dump_disabled = FALSE;
	memset(guest->extension, 0, sizeof guest->extension);
	memcpy(guest->cck, guest->image_cck, sizeof guest->cck);
	g_ptr_array_set_size(guest->secrets, 0);
}

guint pvs_uv_guest_n_secrets(const PvsUvGuest *guest)
{
	return guest->secrets->len;
}

const PvsUvSecret *pvs_uv_guest_secret(const PvsUvGuest *guest, guint i)
{
	g_assert_cmpuint(i, <, guest->secrets->len);
	return guest->secrets->pdata[i];
}

guint pvs_uv_guest_slots(const PvsUvGuest *guest)
{
	return guest->slots;
}

gboolean pvs_uv_guest_locked(const PvsUvGuest *guest)
{
	return guest->locked;
}

gboolean pvs_uv_guest_dump_disabled(const PvsUvGuest *guest)
{
	return guest->dump_disabled;
}

static void put_hex(GKeyFile *file, const char *group, const char *key, const guint8 *data,
		    gsize size)
{
	g_autofree char *hex = pvs_uv_hex(data, size);

	g_key_file_set_string(file, group, key, hex);
}

char *pvs_uv_guest_to_text(const PvsUvGuest *guest)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	guint8 scalar[PVS_UV_SCALAR_SIZE], host[PVS_UV_POINT_SIZE];

	g_assert_true(guest->scalar);
	g_assert_cmpint(BN_bn2binpad(guest->scalar, scalar, sizeof scalar), ==, sizeof scalar);
	point_to_bytes(guest->curve, guest->host, host);
	put_hex(file, "guest", "identity", guest->identity, sizeof guest->identity);
	put_hex(file, "guest", "host", host, sizeof host);
	put_hex(file, "guest", "scalar", scalar, sizeof scalar);
	g_key_file_set_boolean(file, "guest", "scalar-is-customers", guest->scalar_is_customers);
	put_hex(file, "guest", "cuid", guest->cuid, sizeof guest->cuid);
	put_hex(file, "guest", "image-cck", guest->image_cck, sizeof guest->image_cck);
	g_key_file_set_boolean(file, "guest", "enforce-cck", guest->enforce_cck);
	g_key_file_set_uint64(file, "guest", "slots", guest->slots);

	put_hex(file, "store", "cck", guest->cck, sizeof guest->cck);
	g_key_file_set_boolean(file, "store", "locked", guest->locked);
	g_key_file_set_boolean(file, "store", "dump-disabled", guest->dump_disabled);
	g_key_file_set_boolean(file, "store", "primed", guest->primed);
	put_hex(file, "store", "extension", guest->extension, sizeof guest->extension);
	g_key_file_set_uint64(file, "store", "secrets", guest->secrets->len);

	for (guint i = 0; i < guest->secrets->len; i++) {
		const PvsUvSecret *s = guest->secrets->pdata[i];
		g_autofree char *group = g_strdup_printf("secret %u", i);

		g_key_file_set_uint64(file, group, "type", s->type);
		put_hex(file, group, "id", s->id, sizeof s->id);
		g_key_file_set_uint64(file, group, "flags", s->flags);
		g_key_file_set_uint64(file, group, "user-data-type", s->user_data_type);
		put_hex(file, group, "extension", s->extension, sizeof s->extension);
		g_key_file_set_uint64(file, group, "size", s->size);
		put_hex(file, group, "secret", s->secret, s->size);
	}
	OPENSSL_cleanse(scalar, sizeof scalar);
	return g_key_file_to_data(file, NULL, NULL);
}

static gboolean get_hex(GKeyFile *file, const char *group, const char *key, guint8 *out, gsize size)
{
	g_autofree char *hex = g_key_file_get_string(file, group, key, NULL);

	return hex && pvs_uv_unhex(hex, out, size);
}

static gboolean get_secret(GKeyFile *file, guint64 i, PvsUvSecret *s)
{
	g_autofree char *group = g_strdup_printf("secret %" G_GUINT64_FORMAT, i);

	s->type = (guint16)g_key_file_get_uint64(file, group, "type", NULL);
	s->flags = g_key_file_get_uint64(file, group, "flags", NULL);
	s->user_data_type = (guint16)g_key_file_get_uint64(file, group, "user-data-type", NULL);
	s->size = g_key_file_get_uint64(file, group, "size", NULL);
	if (!pvs_uv_type_word(s->type) || s->size == 0 || s->size > HEADER_MAX)
		return FALSE;
	s->secret = OPENSSL_zalloc(s->size);
	g_assert_true(s->secret);
	return get_hex(file, group, "id", s->id, sizeof s->id) &&
	       get_hex(file, group, "extension", s->extension, sizeof s->extension) &&
	       get_hex(file, group, "secret", s->secret, s->size);
}

PvsUvGuest *pvs_uv_guest_from_text(const char *text, GError **error)
{
	g_autoptr(PvsUvGuest) guest = guest_alloc();
	g_autoptr(GKeyFile) file = g_key_file_new();
	guint8 scalar[PVS_UV_SCALAR_SIZE], host[PVS_UV_POINT_SIZE];
	gboolean ok;
	guint64 n;

	ok = g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL) &&
	     get_hex(file, "guest", "identity", guest->identity, sizeof guest->identity) &&
	     get_hex(file, "guest", "host", host, sizeof host) &&
	     get_hex(file, "guest", "scalar", scalar, sizeof scalar) &&
	     get_hex(file, "guest", "cuid", guest->cuid, sizeof guest->cuid) &&
	     get_hex(file, "guest", "image-cck", guest->image_cck, sizeof guest->image_cck) &&
	     get_hex(file, "store", "cck", guest->cck, sizeof guest->cck) &&
	     get_hex(file, "store", "extension", guest->extension, sizeof guest->extension) &&
	     point_from_bytes(guest->curve, host, guest->host);
	if (!ok) {
		unusable(error, "the file is damaged: define the guest anew");
		return NULL;
	}
	take_host(guest, BN_bin2bn(scalar, sizeof scalar, NULL),
		  g_key_file_get_boolean(file, "guest", "scalar-is-customers", NULL));
	OPENSSL_cleanse(scalar, sizeof scalar);
	guest->enforce_cck = g_key_file_get_boolean(file, "guest", "enforce-cck", NULL);
	guest->slots = (guint)g_key_file_get_uint64(file, "guest", "slots", NULL);
	guest->locked = g_key_file_get_boolean(file, "store", "locked", NULL);
	guest->dump_disabled = g_key_file_get_boolean(file, "store", "dump-disabled", NULL);
	guest->primed = g_key_file_get_boolean(file, "store", "primed", NULL);

	n = g_key_file_get_uint64(file, "store", "secrets", NULL);
	for (guint64 i = 0; i < n; i++) {
		PvsUvSecret *s = g_new0(PvsUvSecret, 1);

		g_ptr_array_add(guest->secrets, s);
		if (!get_secret(file, i, s)) {
			unusable(error, "the file is damaged: define the guest anew");
			return NULL;
		}
	}
	return g_steal_pointer(&guest);
}

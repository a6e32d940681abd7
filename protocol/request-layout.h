/* SPDX-License-Identifier: MIT */
/*
 * request-layout.h - the add-secret request, version 0x0100, as bytes
 *
 * Integers are big endian: written and read with GUINT32_TO_BE and its kin, never plainly.
 */
#pragma once

#include <stddef.h>

#include "protocol/seheader.h"

#define PVS_REQUEST_MAGIC   "asrcbM" /* 6 bytes */
#define PVS_REQUEST_VERSION 0x00000100

#define PVS_FLAG_DISABLE_DUMP (G_GUINT64_CONSTANT(1) << 63) /* bit 0 in IBM's counting */

enum {
	PVS_POINT_SIZE = 160, /* X then Y, each left-padded with zeros to 80 bytes */
	PVS_PHKH_SIZE = 32,
	PVS_CUID_SIZE = 16,
	PVS_IV_SIZE = 12,
	PVS_KEY_SIZE = 32,
	PVS_TAG_SIZE = 16,
	PVS_ID_SIZE = 32,
	PVS_ASSOCIATION_SIZE = 32,
	PVS_HOST_KEYS_MAX = 255,
	PVS_USER_DATA_SIZE = 512,
};

typedef struct {
	guint8 magic[6];
	guint16 user_data_type; /* PvsUserDataType */
	guint32 version;
	guint32 size; /* of the whole request, tag included */
	guint8 iv[PVS_IV_SIZE];
	guint8 reserved1[11];
	guint8 keyslots; /* 1 to 255 */
	guint32 reserved2;
	guint32 encrypted_size; /* secret + extension secret */
	guint64 flags;
	PvsHeaderTags tags;
	guint8 cuid[PVS_CUID_SIZE]; /* zero: not bound to one running guest */
	guint8 reserved3[256];
	guint8 user_data[PVS_USER_DATA_SIZE];
	guint8 customer_point[PVS_POINT_SIZE];
} __attribute__((packed)) PvsRequestHead;
G_STATIC_ASSERT(offsetof(PvsRequestHead, user_data_type) == 0x006);
G_STATIC_ASSERT(offsetof(PvsRequestHead, version) == 0x008);
G_STATIC_ASSERT(offsetof(PvsRequestHead, size) == 0x00c);
G_STATIC_ASSERT(offsetof(PvsRequestHead, iv) == 0x010);
G_STATIC_ASSERT(offsetof(PvsRequestHead, keyslots) == 0x027);
G_STATIC_ASSERT(offsetof(PvsRequestHead, encrypted_size) == 0x02c);
G_STATIC_ASSERT(offsetof(PvsRequestHead, flags) == 0x030);
G_STATIC_ASSERT(offsetof(PvsRequestHead, tags) == 0x038);
G_STATIC_ASSERT(offsetof(PvsRequestHead, cuid) == 0x108);
G_STATIC_ASSERT(offsetof(PvsRequestHead, user_data) == 0x218);
G_STATIC_ASSERT(offsetof(PvsRequestHead, customer_point) == 0x418);
G_STATIC_ASSERT(sizeof(PvsRequestHead) == 0x4b8);

typedef struct {
	guint8 phkh[PVS_PHKH_SIZE];   /* SHA-256 of the host key's 160-byte point */
	guint8 wrapped[PVS_KEY_SIZE]; /* the request protection key, encrypted */
	guint8 tag[PVS_TAG_SIZE];
} __attribute__((packed)) PvsKeyslot;
G_STATIC_ASSERT(sizeof(PvsKeyslot) == 80);

typedef struct {
	guint16 reserved1;
	guint16 type;
	guint32 length; /* of the secret */
	guint64 reserved2;
	guint8 id[PVS_ID_SIZE]; /* absent for the null secret: that header has 16 bytes */
} __attribute__((packed)) PvsSecretHeader;
G_STATIC_ASSERT(sizeof(PvsSecretHeader) == 48);
#define PVS_SECRET_HEADER_NULL 16

typedef enum {
	PVS_USER_DATA_NONE = 0,
	PVS_USER_DATA_UNSIGNED = 1,
	PVS_USER_DATA_EC_SECP521R1 = 2,
	PVS_USER_DATA_RSA_2048 = 3,
	PVS_USER_DATA_RSA_3072 = 4,
} PvsUserDataType;

typedef enum {
	PVS_SECRET_NULL = 1,
	PVS_SECRET_ASSOCIATION = 2,
	PVS_SECRET_PLAINTEXT = 3,
	PVS_SECRET_AES_128 = 4,
	PVS_SECRET_AES_192 = 5,
	PVS_SECRET_AES_256 = 6,
	PVS_SECRET_AES_XTS_128 = 7,
	PVS_SECRET_AES_XTS_256 = 8,
	PVS_SECRET_HMAC_SHA_256 = 9,
	PVS_SECRET_HMAC_SHA_512 = 0x0a,
	PVS_SECRET_EC_SECP256R1 = 0x11,
	PVS_SECRET_EC_SECP384R1 = 0x12,
	PVS_SECRET_EC_SECP521R1 = 0x13,
	PVS_SECRET_EC_ED25519 = 0x14,
	PVS_SECRET_EC_ED448 = 0x15,
	PVS_SECRET_UPDATE_CCK = 0x16,
} PvsSecretType;

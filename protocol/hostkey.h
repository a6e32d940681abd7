/* SPDX-License-Identifier: MIT */
/*
 * hostkey.h - what trust and the vault say about a host-key document's signature
 */
#pragma once

/* How a document is signed; nothing else is accepted. RSA is PKCS#1 v1.5 with at least 3072 bits,
 * ECDSA is on P-384 or P-521 (IBM's documents: sha512WithRSAEncryption, RSA-4096). */
typedef enum {
	PVS_SIGNATURE_RSA_SHA256 = 1,
	PVS_SIGNATURE_RSA_SHA384,
	PVS_SIGNATURE_RSA_SHA512,
	PVS_SIGNATURE_ECDSA_SHA384,
	PVS_SIGNATURE_ECDSA_SHA512,
} PvsSignatureAlgorithm;

/* SPDX-License-Identifier: MIT */
/*
 * openssl-auto.h - g_autoptr for the OpenSSL types of X.509
 */
#pragma once

#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <glib.h>

typedef STACK_OF(X509) PvsX509Stack;
typedef STACK_OF(X509_CRL) PvsCrlStack;

static inline void pvs_x509_stack_free(PvsX509Stack *stack)
{
	sk_X509_pop_free(stack, X509_free);
}

static inline void pvs_crl_stack_free(PvsCrlStack *stack)
{
	sk_X509_CRL_pop_free(stack, X509_CRL_free);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ASN1_INTEGER, ASN1_INTEGER_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_CRL, X509_CRL_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_STORE, X509_STORE_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_STORE_CTX, X509_STORE_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AUTHORITY_KEYID, AUTHORITY_KEYID_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsX509Stack, pvs_x509_stack_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PvsCrlStack, pvs_crl_stack_free)

/* SPDX-License-Identifier: MIT */
/*
 * look-keys.h - the signing keys that fuzz-look has installed, and what they signed
 *
 * Made for the corpus and thrown away: nobody can sign anything else with them, so whatever else is
 * accepted is a finding.
 */
#pragma once

#include "protocol/hostkey.h"

/* On P-384 and with 3072 bits of RSA; the subjects are those of a host-key signing key. */
static const char look_certificates[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIICxzCCAk2gAwIBAgIEASNFZzAKBggqhkjOPQQDAzCBzDELMAkGA1UEBhMCVVMx\n"
	"ETAPBgNVBAgMCE5ldyBZb3JrMRUwEwYDVQQHDAxQb3VnaGtlZXBzaWUxNDAyBgNV\n"
	"BAoMK0ludGVybmF0aW9uYWwgQnVzaW5lc3MgTWFjaGluZXMgQ29ycG9yYXRpb24x\n"
	"JzAlBgNVBAsMHklCTSBaIEhvc3QgS2V5IFNpZ25pbmcgU2VydmljZTE0MDIGA1UE\n"
	"AwwrSW50ZXJuYXRpb25hbCBCdXNpbmVzcyBNYWNoaW5lcyBDb3Jwb3JhdGlvbjAe\n"
	"Fw0yNjExMjgyMDQ4MTFaFw0yNjExMjgyMTQ4MTFaMIHMMQswCQYDVQQGEwJVUzER\n"
	"MA8GA1UECAwITmV3IFlvcmsxFTATBgNVBAcMDFBvdWdoa2VlcHNpZTE0MDIGA1UE\n"
	"CgwrSW50ZXJuYXRpb25hbCBCdXNpbmVzcyBNYWNoaW5lcyBDb3Jwb3JhdGlvbjEn\n"
	"MCUGA1UECwweSUJNIFogSG9zdCBLZXkgU2lnbmluZyBTZXJ2aWNlMTQwMgYDVQQD\n"
	"DCtJbnRlcm5hdGlvbmFsIEJ1c2luZXNzIE1hY2hpbmVzIENvcnBvcmF0aW9uMHYw\n"
	"EAYHKoZIzj0CAQYFK4EEACIDYgAEy39Wu0CQT9EU87wc23PHFcAlfnlDWSaCLOGt\n"
	"RSYjebiCcI+pOUt94PITcc/cO1tQ6T/xrGE8Cmkw+knj8EFt7HSxbYtU7Vy887Ht\n"
	"FJ7xd3J1zsP0LHspKzupyd+kjnn2MAoGCCqGSM49BAMDA2gAMGUCMH1s7sVc3Ks+\n"
	"6v/vRaSzawghZ3MvDsqS0tIETv88S50iAkVh0XmVI83Fleff2vurVwIxAPlFC/Nf\n"
	"8yFox6x444IeGB0SHLLA1elI+WuLgwx3IarP+E5us0hBGNoIw9nu8gTp1Q==\n"
	"-----END CERTIFICATE-----\n"
	"-----BEGIN CERTIFICATE-----\n"
	"MIID9TCCA3ugAwIBAgIEASNFZzAKBggqhkjOPQQDAzCBzDELMAkGA1UEBhMCVVMx\n"
	"ETAPBgNVBAgMCE5ldyBZb3JrMRUwEwYDVQQHDAxQb3VnaGtlZXBzaWUxNDAyBgNV\n"
	"BAoMK0ludGVybmF0aW9uYWwgQnVzaW5lc3MgTWFjaGluZXMgQ29ycG9yYXRpb24x\n"
	"JzAlBgNVBAsMHklCTSBaIEhvc3QgS2V5IFNpZ25pbmcgU2VydmljZTE0MDIGA1UE\n"
	"AwwrSW50ZXJuYXRpb25hbCBCdXNpbmVzcyBNYWNoaW5lcyBDb3Jwb3JhdGlvbjAe\n"
	"Fw0yNjExMjgyMDQ4MTFaFw0yNjExMjgyMTQ4MTFaMIHMMQswCQYDVQQGEwJVUzER\n"
	"MA8GA1UECAwITmV3IFlvcmsxFTATBgNVBAcMDFBvdWdoa2VlcHNpZTE0MDIGA1UE\n"
	"CgwrSW50ZXJuYXRpb25hbCBCdXNpbmVzcyBNYWNoaW5lcyBDb3Jwb3JhdGlvbjEn\n"
	"MCUGA1UECwweSUJNIFogSG9zdCBLZXkgU2lnbmluZyBTZXJ2aWNlMTQwMgYDVQQD\n"
	"DCtJbnRlcm5hdGlvbmFsIEJ1c2luZXNzIE1hY2hpbmVzIENvcnBvcmF0aW9uMIIB\n"
	"ojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEAugWqLjTZ8JnRYvsJf0PCTdnj\n"
	"aYGP8f0CwqE6xDuDqV9rSNfW7HYF0ROUtixNgW1BdgX2XInr5FxuY946cF6L+Fck\n"
	"CtznPpfMasTbEOCVXoXxr57quHBZyNg53kkVLbC3Bn4ZVvFO7NCSfwANkCQnU/7a\n"
	"RPN+n3AFwHOwNxqKss04iLC5f+BaT07Hpf8x74v8lct3rS+lxd2ZntVunSdKcHnl\n"
	"p0sZ70r5fuLhByq9nIcQUJNiKTjkgMfkI33aFYAZsGS+FHkS9pt9B5M/i6XmU3cx\n"
	"zOUMz618+vVUL94AR8fmapjBSdwIyiecMl7zAeEKOl4FY2Gz3asqYdF9GyGZZ0bo\n"
	"NT+QDdBZZONzvrOrSBZSNqi5Z6slc/I4omlJWM6csa3UUxmn4pQyoJT7QTr5cjwT\n"
	"MHItyWXYvv45MwQhhu24jh8THaiW/bGDCFiySR5rNpqwA98o+mJso8Zc0BDU5mgY\n"
	"jyWndcS+kBWkFSfB+NAy0qeBqON4fgeAgTrXPh/rAgMBAAEwCgYIKoZIzj0EAwMD\n"
	"aAAwZQIwPZZm+rQLI0fK+zJgf9U7RrBZrqtDJ9jxGoW34ppYVeU7gvN1DsSCsD+Z\n"
	"gbrEYkwTAjEA/fYzrpu6ciPKHmPnlYUShrBlzgR4Q2cz7fLINK9nu4aLetM5NdBR\n"
	"rSBS4dxeNr6r\n"
	"-----END CERTIFICATE-----\n";

/* The signed bytes, by their SHA-256; and every signature under them that there is, likewise. */
#define LOOK_GOOD      "247723181e4b1a6dc37b1a2c4a85da3329cc66b0ca0e636f5f058f05eac66988"
#define LOOK_OFF_CURVE "430966070f93e1c51ba7f6ba892e6ce84bf7e554cbdcb6cb961959a9662b7c38"
#define LOOK_P384      "4bd01ad718e1cc65c1b701f3a05e8d1203f62358bcac791214803b6116acb88b"

static const struct {
	const char *tbs;
	PvsSignatureAlgorithm algorithm;
	const char *signature;
} look_signed[] = {
	{LOOK_GOOD, PVS_SIGNATURE_ECDSA_SHA384,
	 "f0b70f6bb7e19378e4225bef3ab006f889bc2dcd52bc745394e1bdf572cffdfb"},
	{LOOK_GOOD, PVS_SIGNATURE_ECDSA_SHA512,
	 "0d0c156c8a3894d964b935ce9555fde551119c6d9900cb791dba5cbfbfa7048a"},
	{LOOK_GOOD, PVS_SIGNATURE_RSA_SHA256,
	 "817bff9e3b727eb4079aff437e37c20a1b806ce2e828670642bf9e2e2a80afff"},
	{LOOK_GOOD, PVS_SIGNATURE_RSA_SHA384,
	 "cc35bf6ad8d7d257a8571e323619ccf4af9f86eacaa578c88a7c9fb716a3cc2d"},
	{LOOK_GOOD, PVS_SIGNATURE_RSA_SHA512,
	 "fcaeb264edffd8fc0ae696b3f4f6ae86fa4c7a6d1d29b41acb0b3c724d07b6c5"},
	{LOOK_OFF_CURVE, PVS_SIGNATURE_ECDSA_SHA512,
	 "7541c57a5a06fc3130dbbee6001f4b085119e04d1089ec4ee36b3ef3a6d67a72"},
	{LOOK_P384, PVS_SIGNATURE_RSA_SHA512,
	 "9b22bbc2c1d32e69b171f3044a004017ccf9358127765431f3465bdf4ff21d69"},
};

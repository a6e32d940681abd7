/* SPDX-License-Identifier: MIT */
/*
 * error.h - every error that a client can see, in one list
 *
 * A row is what a program acts on (the JSON-RPC code and the stable reason), what a person reads
 * (a sentence) and what the person does about it (a hint). Texts are fixed: nothing that came in a
 * message, a document or a key is ever part of one, so no error can carry a secret out. Which
 * parameter was wrong (a JSON pointer) and which configured object (its name) travel beside the
 * text.
 */
#pragma once

#include <glib.h>

/* clang-format off */
/*        name                     code    reason                  sentence, hint */
#define PVS_ERRORS(X) \
	X(PARSE,                  -32700, "syntax",               "the text is not strict JSON (RFC 8259)", \
	  "send one JSON object per call; see pvsecretd-protocol(7)") \
	X(PARSE_GARBAGE,          -32700, "garbage",              "something other than a JSON object or array stands between two texts", \
	  "only white space may stand between calls; reading goes on at the next line feed") \
	X(PARSE_DUPLICATE,        -32700, "duplicate-member",     "an object names the same member twice", \
	  "give each member once") \
	X(PARSE_UTF8,             -32700, "utf-8",                "the text is not valid UTF-8", \
	  "encode the text as UTF-8") \
	X(PARSE_NUL,              -32700, "nul",                  "a string contains the character U+0000", \
	  "leave out \\u0000") \
	X(PARSE_NUMBER,           -32700, "number",               "a number is outside the range of a signed 64-bit integer or a finite double", \
	  "send large values as strings where a parameter takes them") \
	X(HTTP,                   -32600, "http",                 "this socket speaks JSON-RPC 2.0 over a UNIX stream, not HTTP", \
	  "send the JSON-RPC object by itself; see pvsecretd-protocol(7)") \
	X(REQUEST,                -32600, "request",              "the value is not a JSON-RPC 2.0 request object", \
	  "send an object with the members jsonrpc, method, params and id") \
	X(REQUEST_VERSION,        -32600, "jsonrpc",              "the member \"jsonrpc\" is not the string \"2.0\"", \
	  "add \"jsonrpc\": \"2.0\" to the request") \
	X(REQUEST_ID,             -32600, "id",                   "the member \"id\" is not a string of at most 128 bytes, an integer or null", \
	  "use a short string or an integer as the id") \
	X(REQUEST_EMPTY_BATCH,    -32600, "empty-batch",          "the batch is empty", \
	  "put at least one request into the batch") \
	X(METHOD,                 -32601, "method",               "there is no such method", \
	  "see pvsecretd-protocol(7) for the methods") \
	X(PARAMS,                 -32602, "params",               "\"params\" is neither an object nor one object in an array", \
	  "give the parameters by name, in an object") \
	X(PARAMS_BY_NAME,         -32602, "by-name",              "the parameters are given by position, and this service takes them by name", \
	  "give the parameters by name, in an object") \
	X(PARAM_UNKNOWN,          -32602, "unknown-parameter",    "the method has no such parameter", \
	  "see pvsecretd-protocol(7) for the parameters of the method") \
	X(PARAM_MISSING,          -32602, "missing",              "a required parameter is missing", \
	  "see pvsecretd-protocol(7) for the parameters of the method") \
	X(PARAM_TYPE,             -32602, "type",                 "the parameter has the wrong JSON type", \
	  "see pvsecretd-protocol(7) for the type of each parameter") \
	X(PARAM_BASE64,           -32602, "base64",               "the value is not base64 (RFC 4648, padded, no white space)", \
	  "encode the bytes with base64 -w0") \
	X(PARAM_CUID,             -32602, "cuid",                 "the CUID is not exactly 32 hexadecimal digits (16 bytes, no 0x)", \
	  "take the CUID from the guest's attestation") \
	X(PARAM_FLAG,             -32602, "flag",                 "the flag is not known", \
	  "the known flag is disable-dump") \
	X(PARAM_NAME,             -32602, "name",                 "the secret's name is longer than 4096 bytes", \
	  "choose a name of at most 4096 bytes") \
	X(PARAM_KEY_NAME,         -32602, "key-name",             "the value is not the name of a key: letters, digits and _ . - only, at most 64, not starting with a sign", \
	  "keys live in the daemon and are named, not sent; pvsecretctl status lists the CCKs") \
	X(PARAM_SECRET,           -32602, "secret",               "the secret is not exactly one of {\"random\": true}, {\"derive\": true} and {\"value\": base64}", \
	  "say either how the daemon makes the secret or what it is") \
	X(PARAM_SECRET_SIZE,      -32602, "secret-size",          "the secret has not the size that its type asks for", \
	  "bytes: association 32; plain 0 to 8190; aes 16, 24, 32; aes-xts 32, 64; hmac-sha 64, 128; ec 32, 48, 66 (secp256r1, secp384r1, secp521r1), 32 (ed25519), 57 (ed448)") \
	X(PARAM_SECRET_VALUE,     -32602, "secret-value",         "a retrievable secret is not given as {\"value\": base64}", \
	  "give the value itself; only association secrets can be drawn or derived") \
	X(PARAM_SCALAR,           -32602, "scalar",               "the value is not a private key of this curve: it is zero, or not less than the curve's order", \
	  "give the private scalar of an EC key, in as many bytes as the order has") \
	X(PARAM_RETRIEVABLE,      -32602, "retrievable-type",     "the type of retrievable secret is not known", \
	  "the types are plain, aes, aes-xts, hmac-sha and ec") \
	X(PARAM_CURVE,            -32602, "curve",                "the curve is not known, or missing for the type ec, or given for another type", \
	  "with ec, give one of secp256r1, secp384r1, secp521r1, ed25519 and ed448") \
	X(PARAM_USE_NAME,         -32602, "use-name",             "the name is longer than the 31 bytes that an id has room for", \
	  "leave out use_name, or choose a name of at most 31 bytes") \
	X(PARAM_EXTENSION,        -32602, "cck-or-extension-secret", "both a CCK and an extension secret are named", \
	  "name one of the two: from a CCK the extension secret is derived") \
	X(PARAM_PCF,              -32602, "pcf",                  "the flags are not 1 to 16 hexadecimal digits (no 0x)", \
	  "give the 64 bits in hexadecimal, or flags by their names") \
	X(PARAM_FLAGS_OR_PCF,     -32602, "flags-or-pcf",         "flags are given both by name and as pcf", \
	  "give one of the two") \
	X(PARAM_USER_DATA,        -32602, "user-data",            "the user data are longer than the request has room for", \
	  "at most 512 bytes; with a signature 256 (secp521r1, RSA-2048) or 128 (RSA-3072)") \
	X(PARAM_HOST_KEYS,        -32602, "host-keys",            "the number of host keys is outside what the daemon allows", \
	  "give at least one host key, at most MaxHostKeys= of pvsecretd.conf(5)") \
	X(PARAM_HOST_KEY,         -32602, "host-key",             "a host key is exactly one of {\"document\": ...} and {\"name\": ...}", \
	  "give the document itself or the name of an installed one") \
	X(PARAM_IMAGE,            -32602, "header-or-image",      "both an SE header and the name of an image are given", \
	  "give the header itself or the name of an installed one") \
	X(PARAM_CERTS,            -32602, "certificates",         "there are more than 64 certificates or CRLs", \
	  "give only what the chain needs") \
	X(CERT_FORMAT,            -32602, "certificate-format",   "what is given as a certificate is no X.509 certificate in PEM or DER", \
	  "give the certificate as its issuer published it") \
	X(CRL_FORMAT,             -32602, "crl-format",           "what is given as a CRL is no X.509 certificate revocation list in PEM or DER", \
	  "give the CRL as its issuer published it, not a certificate") \
	X(HEADER_SHORT,           -32602, "header-short",         "the SE header is shorter than its fixed part or than the size that it states", \
	  "give the whole header: the bytes from IBMSecEx to the tag, or the image file to pvsecretctl") \
	X(HEADER_MAGIC,           -32602, "header-magic",         "the SE header does not start with IBMSecEx", \
	  "give the SE header or an image made by genprotimg or pvimg create") \
	X(HEADER_VERSION,         -32602, "header-version",       "the SE header's version is not 0x100", \
	  "this version of pvsecretd knows headers of version 0x100 only") \
	X(HEADER_SIZES,           -32602, "header-sizes",         "the sizes that the SE header states do not add up", \
	  "the header is damaged: take it from the image again") \
	X(HEADER_TRAILING,        -32602, "header-trailing",      "there are bytes behind the SE header", \
	  "give the header alone: as many bytes as it states itself") \
	X(PARAM_REQUEST,          -32602, "request",              "the bytes are not one whole add-secret request of version 0x100", \
	  "give the file as it was made: nothing cut off, nothing changed, nothing behind it") \
	X(USER_CERT_FORMAT,       -32602, "user-certificate",     "the user certificate is not an X.509 certificate in PEM or DER", \
	  "give the certificate of the key that signed the user data") \
	X(USER_CERT_MISSING,      -32602, "user-certificate-missing", "the user data are signed, and no certificate is given to verify them with", \
	  "give the certificate of the key that signed them: user_certificate, --user-cert FILE") \
	X(USER_CERT_KEY,          -32602, "user-certificate-key", "the certificate's key is not of the kind that signed the user data", \
	  "pvsecretctl describe shows the kind; give the certificate of that very key") \
	X(USER_DATA_UNSIGNED,     -32602, "user-data-unsigned",   "a certificate is given, and the user data are not signed", \
	  "do not use them for what a signature is asked for; without a certificate they are shown") \
	X(USER_SIGNATURE,         -32602, "user-signature",       "the signature of the user data does not hold for this request and this certificate", \
	  "another key signed it, or the request was changed: do not use it") \
	X(INTERNAL,               -32603, "internal",             "the daemon failed at this call", \
	  "see journalctl -u pvsecretd for the cause") \
	X(DENIED_SECTION,         -32001, "method",               "no [access] section of the daemon's configuration fits your user or one of your groups", \
	  "ask the owner of this daemon for one with Users= or Groups= (pvsecretd.conf(5)); a new membership in a group counts from the next login on, id shows yours") \
	X(DENIED_METHOD,          -32001, "method",               "your access rules do not allow this method", \
	  "ask the owner of this daemon for an [access] rule; pvsecretctl access shows yours") \
	X(DENIED_CCK,             -32001, "cck",                  "your access rules do not allow this CCK", \
	  "ask the owner of this daemon for an [access] rule; pvsecretctl access shows yours") \
	X(DENIED_EXTENSION_SECRET,-32001, "extension-secret",     "your access rules do not allow this extension secret", \
	  "ask the owner of this daemon for an [access] rule; pvsecretctl access shows yours") \
	X(DENIED_SIGN_KEY,        -32001, "user-sign-key",        "your access rules do not allow this user signing key", \
	  "ask the owner of this daemon for an [access] rule; pvsecretctl access shows yours") \
	X(DENIED_IMAGE,           -32001, "image",                "your access rules do not allow this SE header", \
	  "ask the owner of this daemon for an [access] rule; pvsecretctl access shows yours") \
	X(DENIED_NAME,            -32001, "name",                 "your access rules do not allow a secret of this name", \
	  "ask the owner of this daemon for an [access] rule; pvsecretctl access shows yours") \
	X(DENIED_DERIVE,          -32001, "derive",               "derived secrets are for installed images that your access rules name", \
	  "ask the owner of this daemon for an [access] rule with Images=; pvsecretctl access shows yours") \
	X(DENIED_DERIVE_UNVERIFIED,-32001, "derive",              "derived secrets are for verified host keys, whatever the access rules say", \
	  "leave out no_verify (on the command line --no-verify)") \
	X(DENIED_NO_VERIFY,       -32001, "no-verify",            "your access rules do not allow unverified host keys", \
	  "leave out no_verify") \
	X(DENIED_CUID_REQUIRED,   -32001, "cuid-required",        "your access rules demand a CUID", \
	  "bind the request to one running guest with cuid") \
	X(HOST_KEY_FORMAT,        -32002, "not-a-certificate",    "the host-key document is not an X.509 certificate in PEM or DER", \
	  "give the host-key document (HKD-*.crt) as IBM published it") \
	X(HOST_KEY_SEVERAL,       -32002, "several-documents",    "there is more than one certificate in the host-key document", \
	  "give one document for each host key") \
	X(HOST_KEY_TRAILING,      -32002, "trailing-data",        "there are bytes behind the host-key document's certificate", \
	  "give the document as IBM published it, unchanged") \
	X(HOST_KEY_TYPE,          -32002, "key-type",             "the host-key document's key is not an EC key on the named curve secp521r1", \
	  "give the document of an IBM z15 or newer machine, not a signing key or another certificate") \
	X(HOST_KEY_INVALID,       -32002, "key-invalid",          "the host-key document's key is not an uncompressed, finite point on secp521r1", \
	  "the document is damaged or forged: get it again from IBM") \
	X(HOST_KEY_WEAK,          -32002, "weak-signature",       "the host-key document is signed with a digest weaker than SHA-256", \
	  "get a current document from IBM") \
	X(HOST_KEY_IS_CA,         -32002, "is-ca",                "the host-key document is a CA certificate", \
	  "give the machine's host-key document, not a certificate of the chain") \
	X(HOST_KEY_CRITICAL,      -32002, "critical-extension",   "the host-key document has a critical extension that is not known", \
	  "get a current document from IBM; a newer pvsecretd may know the extension") \
	X(HOST_KEY_ISSUER,        -32002, "issuer",               "the issuer of the host-key document is not the subject of the signing key that its key id names", \
	  "install the signing key that issued the document in trust.d and reload the daemon") \
	X(HOST_KEY_AKID,          -32002, "akid",                 "the authority key id of the host-key document is not that of the signing key with its issuer's name", \
	  "install the signing key that issued the document in trust.d and reload the daemon") \
	X(HOST_KEY_NO_SIGNING_KEY,-32002, "no-signing-key",       "no installed IBM Z host-key signing key fits the host-key document", \
	  "install ibm-z-host-key-signing.crt of the machine's generation in trust.d and reload the daemon") \
	X(HOST_KEY_SIGNATURE,     -32002, "signature",            "the signature of the host-key document is not that of the installed signing key", \
	  "the document is forged or damaged: get it again from IBM") \
	X(HOST_KEY_NOT_YET,       -32002, "not-yet-valid",        "the host-key document is not valid yet", \
	  "check this machine's clock") \
	X(HOST_KEY_EXPIRED,       -32002, "expired",              "the host-key document has expired", \
	  "get a current host-key document for the machine from IBM") \
	X(HOST_KEY_REVOKED,       -32002, "revoked",              "the host-key document was revoked by its signing key", \
	  "do not use this machine's key; get a current host-key document from IBM") \
	X(SIGNING_KEY_UNTRUSTED,  -32002, "signing-key-untrusted","the signing key does not lead to the configured root CA through installed or given intermediates", \
	  "install the intermediate CA certificate (DigiCertCA.crt) in trust.d, check RootCA=, and reload the daemon") \
	X(SIGNING_KEY_EXPIRED,    -32002, "signing-key-expired",  "the signing key or a certificate between it and the root CA has expired or is not valid yet", \
	  "check the clock of the daemon's machine; then install the renewed certificate in trust.d and reload the daemon") \
	X(SIGNING_KEY_REVOKED,    -32002, "signing-key-revoked",  "the signing key or a certificate between it and the root CA was revoked", \
	  "install the signing key's successor in trust.d and reload the daemon") \
	X(CRL_MISSING,            -32002, "no-crl",               "a CRL that the verification needs is missing", \
	  "have CRLs fetched (systemctl start pvsecretd-crl.service), or install those of the signing key, of each intermediate CA and of the root CA in trust.d and reload the daemon") \
	X(CRL_NOT_YET,            -32002, "crl-not-yet-valid",    "a CRL that the verification needs is not valid yet", \
	  "check this machine's clock") \
	X(CRL_EXPIRED,            -32002, "crl-expired",          "a CRL that the verification needs has expired", \
	  "have CRLs fetched (systemctl start pvsecretd-crl.service), or install a current one in trust.d and reload the daemon") \
	X(CRL_SIGNATURE,          -32002, "crl-signature",        "a CRL that the verification needs is not signed by its issuer, or not usable", \
	  "install the CRL again from its distribution point") \
	X(CRL_ROLLED_BACK,        -32002, "crl-rolled-back",      "every CRL at hand for the signing key is older than one that was seen before", \
	  "install the newest CRL of the signing key in trust.d and reload the daemon") \
	X(NO_CCK,                 -32003, "cck",                  "the daemon holds no CCK of this name", \
	  "pvsecretctl status lists the CCKs; the owner adds one to cck.d or as a credential cck_NAME") \
	X(NO_EXTENSION_SECRET,    -32003, "extension-secret",     "the daemon holds no extension secret of this name", \
	  "the owner adds one to ext.d or as a credential ext_NAME") \
	X(NO_SIGN_KEY,            -32003, "user-sign-key",        "the daemon holds no user signing key of this name", \
	  "the owner adds one to sign.d or as a credential sign_NAME") \
	X(NO_HOST_KEY,            -32003, "host-key",             "no host-key document of this name is installed", \
	  "give the document itself, or have it installed in hostkeys.d") \
	X(NO_IMAGE,               -32003, "image",                "no SE header of this name is installed", \
	  "give the header itself, or have it installed in images.d") \
	X(NO_MASTER,              -32003, "master",               "the daemon holds no master to derive association secrets from", \
	  "the owner makes one as the credential assoc_master; see pvsecretd(8)") \
	X(TOO_FAST,               -32004, "rate",                 "too many calls", \
	  "try again later") \
	X(TOO_LARGE,              -32004, "message-size",         "the text is larger than the daemon reads", \
	  "send the SE header alone, not the image, and have large CRLs installed in trust.d; the limit is MessageSize= of pvsecretd.conf(5)") \
	X(TOO_MANY_CALLS,         -32004, "batch-size",           "the batch has too many calls", \
	  "split the batch; the limit is BatchSize= of pvsecretd.conf(5)") \
	X(TOO_DEEP,               -32004, "depth",                "the text is nested too deeply", \
	  "no call needs more than 16 levels") \
	X(TOO_MANY_TOKENS,        -32004, "tokens",               "the text has too many values", \
	  "split the call or the batch") \
	X(SHUTTING_DOWN,          -32005, "shutting-down",        "the daemon is shutting down", \
	  "try again in a moment") \
	X(RESTARTING,             -32005, "worker-restarting",    "a process of the daemon failed at this call more than once", \
	  "see journalctl -u pvsecretd; report it if it goes on") \
	X(AUDIT,                  -32005, "audit",                "the audit log cannot be written, so nothing is done", \
	  "have the daemon's owner make room for the audit log")
/* clang-format on */

/* clang-format off */
#define PVS_ERROR_ENUM(name, code, reason, sentence, hint) PVS_ERROR_##name,
typedef enum {
	PVS_ERRORS(PVS_ERROR_ENUM)
	/* Not for clients: something in a file that the daemon's owner wrote. The text names the
	 * file, the rule and the remedy. */
	PVS_ERROR_CONFIG,
	/* Not for clients: a system call or library failed; the text says which. */
	PVS_ERROR_SYSTEM,
	PVS_ERROR_LAST_
} PvsError;
/* clang-format on */
#undef PVS_ERROR_ENUM

#define PVS_ERROR (pvs_error_quark())
GQuark pvs_error_quark(void);

/* The columns of a row; for PVS_ERROR_CONFIG and _SYSTEM those of INTERNAL. Static strings. */
int pvs_error_code(PvsError error);
const char *pvs_error_reason(PvsError error);
const char *pvs_error_sentence(PvsError error);
const char *pvs_error_hint(PvsError error);

/* Sets @error to a row of the list, with its own sentence. @param is a JSON pointer into the call's
 * parameters ("/host_keys/0"), @name the name of a configured object (a key, an installed
 * document); both may be NULL. Always returns FALSE, so that a check can end in `return pvs_fail
 * (...)`. */
gboolean pvs_fail(GError **error, PvsError code, const char *param, const char *name);

/* What pvs_fail() recorded; NULL where nothing was. @error must be of PVS_ERROR. */
const char *pvs_error_param(const GError *error);
const char *pvs_error_name(const GError *error);

/* Puts @prefix before the recorded JSON pointer ("/document" becomes "/host_keys/0/document");
 * records @prefix alone where there was none. */
void pvs_error_prefix_param(GError *error, const char *prefix);

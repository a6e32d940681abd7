/* SPDX-License-Identifier: MIT */
/*
 * download.c - one URL, by http or https, within limits
 *
 * What is fetched is signed, so nothing here decides whether it is right. The limits are against
 * who would keep this program busy, fill the machine, or have it read something else than the web.
 */
#include "fetcher/download.h"

#include <curl/curl.h>

#include "protocol/error.h"

enum {
	REDIRECTIONS_MAX = 3,
	HEADERS_MAX = 64 * 1024, /* bytes, of all answers to one request */
	CONNECT_SEC = 15,
};

typedef struct {
	GByteArray *body;
	gsize max;
	gsize headers;
	gboolean too_large;
} Transfer;

gboolean pvs_download_init(GError **error)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		return TRUE;
	g_set_error_literal(error, PVS_ERROR, PVS_ERROR_SYSTEM, "libcurl cannot be initialised");
	return FALSE;
}

/* What a server announces it need not keep to. */
static size_t take_body(char *data, size_t one, size_t n, void *user)
{
	Transfer *t = user;

	if (n > t->max - t->body->len) {
		t->too_large = TRUE;
		return 0;
	}
	g_byte_array_append(t->body, (const guint8 *)data, (guint)n);
	return one * n;
}

static size_t take_header(char *data G_GNUC_UNUSED, size_t one, size_t n, void *user)
{
	Transfer *t = user;

	t->headers += n;
	return t->headers > HEADERS_MAX ? 0 : one * n;
}

static gboolean set_up(CURL *curl, const char *url, guint seconds, Transfer *t, char *text)
{
	CURLcode bad = CURLE_OK;

#define SET(option, value) bad = bad ? bad : curl_easy_setopt(curl, option, value)
	SET(CURLOPT_ERRORBUFFER, text);
	SET(CURLOPT_URL, url);
	/* Also behind a redirection, and whatever else libcurl was built with. */
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)REDIRECTIONS_MAX);
	SET(CURLOPT_CONNECTTIMEOUT, (long)MIN(seconds, CONNECT_SEC));
	SET(CURLOPT_TIMEOUT, (long)seconds);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_FAILONERROR, 1L);
	/* Neither compression nor HTTP/2: no code is needed for them here, so none is asked for. */
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_USERAGENT, "pvsecretd-fetch-crl/" PACKAGE_VERSION);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, t);
#undef SET
	return bad == CURLE_OK;
}

GBytes *pvs_download(const char *url, gsize max, guint seconds, GError **error)
{
	char text[CURL_ERROR_SIZE] = "";
	g_autoptr(GByteArray) body = g_byte_array_new();
	Transfer t = {.body = body, .max = max};
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_FAILED_INIT;
	long status = 0;

	if (curl && set_up(curl, url, seconds, &t, text)) {
		code = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_easy_cleanup(curl);
	if (t.too_large || code == CURLE_FILESIZE_EXCEEDED)
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "more than %" G_GSIZE_FORMAT " bytes; if that is right, raise CrlSize=",
			    max);
	else if (t.headers > HEADERS_MAX)
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "cannot be fetched: more than %d bytes of headers", HEADERS_MAX);
	else if (code != CURLE_OK)
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM, "cannot be fetched: %s",
			    *text ? text : curl_easy_strerror(code));
	else if (status != 200)
		g_set_error(error, PVS_ERROR, PVS_ERROR_SYSTEM,
			    "cannot be fetched: the server answered %ld", status);
	else
		return g_byte_array_free_to_bytes(g_steal_pointer(&body));
	return NULL;
}

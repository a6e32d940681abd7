/* SPDX-License-Identifier: MIT */
/*
 * fuzz-config.c - the reader of the configuration, fed with any bytes
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/accounts.h"
#include "daemon/config.h"
#include "protocol/error.h"
#include "protocol/names.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* What was accepted is within what the rest of the daemon relies on. */
static void check(const PvsConfig *c)
{
	const char *paths[] = {c->trust_directory,    c->crl_directory,
			       c->host_key_directory, c->cck_directory,
			       c->image_directory,    c->extension_secret_directory,
			       c->sign_key_directory};

	g_assert_true(!c->root_ca || c->root_ca[0] == '/');
	for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
		g_assert_true(paths[i][0] == '/' && strlen(paths[i]) < 4096 &&
			      g_utf8_validate(paths[i], -1, NULL));
	g_assert_true(c->max_host_keys >= 1 && c->max_host_keys <= 255);
	g_assert_true(c->connections >= 1 && c->connections_per_user >= 1);
	g_assert_true(c->calls >= 1 && c->calls_per_user >= 1 && c->batch_size >= 1);
	g_assert_true(c->message_size <= 2 * 1024 * 1024 && c->depth <= 64);
	/* No section is nobody's, or has a name that another has. */
	for (guint i = 0; i < c->rules->len; i++) {
		const PvsAccessRule *rule = &g_array_index(c->rules, PvsAccessRule, i);

		g_assert_true(pvs_key_name_valid(rule->name));
		g_assert_true(rule->everybody || rule->users.items || rule->groups.items);
		for (guint k = 0; k < i; k++)
			g_assert_cmpstr(g_array_index(c->rules, PvsAccessRule, k).name, !=,
					rule->name);
	}
	g_assert_true(c->receive_sec >= 1 && c->reply_sec >= 1 && c->idle_sec >= 1);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(PvsConfig) config = NULL;
	int fd = memfd_create("config", MFD_CLOEXEC);
	char path[64];

	/* No name service: what it says is not the input's. */
	pvs_accounts_settle();
	g_assert_true(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	config = pvs_config_read(path, &error);
	close(fd);
	if (config) {
		check(config);
	} else {
		g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);

		g_assert_error(error, PVS_ERROR, PVS_ERROR_CONFIG);
		g_assert_true(g_utf8_validate(error->message, -1, NULL));
		for (char **line = lines; *line; line++)
			g_assert_true(g_str_has_prefix(*line, path) && strstr(*line, "; "));
	}
	return 0;
}

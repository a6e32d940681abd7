/* SPDX-License-Identifier: MIT */
/*
 * reach.c - the files that the monitor and what it starts may open
 */
#include "daemon/monitor/reach.h"

#include <stddef.h>
#include <string.h>

/* Libraries, and what they look at when they are loaded and first used. */
static const PvsPathRule system_rules[] = {
	{"/lib", PVS_PATH_EXECUTE},
	{"/lib64", PVS_PATH_EXECUTE},
	{"/usr/lib", PVS_PATH_EXECUTE},
	{"/usr/lib64", PVS_PATH_EXECUTE},
	{"/usr/local/lib", PVS_PATH_READ},
	{"/etc/ld.so.cache", PVS_PATH_READ},
	{"/etc/ld.so.preload", PVS_PATH_READ},
	{"/etc/ssl", PVS_PATH_READ},
	{"/usr/share/ca-certificates", PVS_PATH_READ},
	{"/usr/local/share/ca-certificates", PVS_PATH_READ},
	{"/etc/passwd", PVS_PATH_READ},
	{"/etc/group", PVS_PATH_READ},
	{"/etc/nsswitch.conf", PVS_PATH_READ},
	{"/etc/localtime", PVS_PATH_READ},
	{"/usr/share/zoneinfo", PVS_PATH_READ},
	{"/sys/devices/system/cpu", PVS_PATH_READ},
	{"/proc/sys/vm/overcommit_memory", PVS_PATH_READ},
	{"/dev/null", PVS_PATH_WRITE},
};

static const struct {
	const char *key;
	gsize offset;
	gboolean file; /* a file, which is replaced by renaming: its directory is what counts */
} configured[] = {
	{"RootCA=", offsetof(PvsConfig, root_ca), TRUE},
	{"TrustDirectory=", offsetof(PvsConfig, trust_directory), FALSE},
	{"CrlDirectory=", offsetof(PvsConfig, crl_directory), FALSE},
	{"HostKeyDirectory=", offsetof(PvsConfig, host_key_directory), FALSE},
	{"CckDirectory=", offsetof(PvsConfig, cck_directory), FALSE},
	{"ImageDirectory=", offsetof(PvsConfig, image_directory), FALSE},
	{"AuditLog=", offsetof(PvsConfig, audit_log), TRUE},
};

static const char *path_at(const PvsConfig *config, gsize i)
{
	return *(char *const *)G_STRUCT_MEMBER_P(config, configured[i].offset);
}

/* Takes @path. */
static void add(GArray *rules, char *path, PvsPathAccess access)
{
	PvsPathRule rule = {path, access};

	g_array_append_val(rules, rule);
}

static void clear_rule(gpointer data)
{
	g_free((char *)((PvsPathRule *)data)->path);
}

GArray *pvs_reach(const PvsConfig *config, const char *config_path, const char *socket_path)
{
	GArray *rules = g_array_new(FALSE, FALSE, sizeof(PvsPathRule));
	const char *credentials = g_getenv("CREDENTIALS_DIRECTORY");
	char *self = g_file_read_link("/proc/self/exe", NULL);

	g_array_set_clear_func(rules, clear_rule);
	for (gsize i = 0; i < G_N_ELEMENTS(system_rules); i++)
		add(rules, g_strdup(system_rules[i].path), system_rules[i].access);
	if (self)
		add(rules, self, PVS_PATH_EXECUTE);
	add(rules, g_path_get_dirname(config_path), PVS_PATH_READ);
	for (gsize i = 0; i < G_N_ELEMENTS(configured); i++)
		if (path_at(config, i))
			add(rules,
			    configured[i].file ? g_path_get_dirname(path_at(config, i))
					       : g_strdup(path_at(config, i)),
			    PVS_PATH_READ);
	add(rules, g_path_get_dirname(config->audit_log), PVS_PATH_WRITE);
	if (credentials)
		add(rules, g_strdup(credentials), PVS_PATH_READ);
	if (socket_path)
		add(rules, g_path_get_dirname(socket_path), PVS_PATH_WRITE);
	return rules;
}

const char *pvs_reach_differs(const PvsConfig *now, const PvsConfig *next)
{
	for (gsize i = 0; i < G_N_ELEMENTS(configured); i++)
		if (g_strcmp0(path_at(now, i), path_at(next, i)) != 0)
			return configured[i].key;
	return NULL;
}

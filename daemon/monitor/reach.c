/* SPDX-License-Identifier: MIT */
/*
 * reach.c - the files that the monitor and what it starts may open
 */
#include "daemon/monitor/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Libraries, and what they look at when they are loaded and first used. None of it is to be
 * executed: the program and its loader are, see below. */
static const PvsPathRule system_rules[] = {
	{"/lib", PVS_PATH_READ, -1},
	{"/lib64", PVS_PATH_READ, -1},
	{"/usr/lib", PVS_PATH_READ, -1},
	{"/usr/lib64", PVS_PATH_READ, -1},
	{"/usr/local/lib", PVS_PATH_READ, -1},
	{"/usr/share/ca-certificates", PVS_PATH_READ, -1},
	{"/usr/local/share/ca-certificates", PVS_PATH_READ, -1},
	{"/etc/localtime", PVS_PATH_READ, -1},
	{"/usr/share/zoneinfo", PVS_PATH_READ, -1},
	{"/sys/devices/system/cpu", PVS_PATH_READ, -1},
	{"/proc/sys/vm/overcommit_memory", PVS_PATH_READ, -1},
	{"/dev/null", PVS_PATH_WRITE, -1},
};

typedef enum {
	DIRECTORY,
	OWNERS_DIRECTORY, /* where nobody else can make a link */
	FILE_ITSELF,	  /* which is replaced by renaming: its directory is what counts */
	LOG,		  /* likewise, and is written */
	OPENED,		  /* once, at the start: of no concern here */
} Kind;

static const struct {
	const char *key;
	gsize offset;
	Kind kind;
} configured[] = {
	{"RootCA=", offsetof(PvsConfig, root_ca), FILE_ITSELF},
	{"TrustDirectory=", offsetof(PvsConfig, trust_directory), OWNERS_DIRECTORY},
	{"CrlDirectory=", offsetof(PvsConfig, crl_directory), DIRECTORY},
	{"HostKeyDirectory=", offsetof(PvsConfig, host_key_directory), OWNERS_DIRECTORY},
	{"CckDirectory=", offsetof(PvsConfig, cck_directory), DIRECTORY},
	{"ImageDirectory=", offsetof(PvsConfig, image_directory), DIRECTORY},
	{"ExtensionSecretDirectory=", offsetof(PvsConfig, extension_secret_directory), DIRECTORY},
	{"SignKeyDirectory=", offsetof(PvsConfig, sign_key_directory), DIRECTORY},
	{"AssociationMaster=", offsetof(PvsConfig, association_master), FILE_ITSELF},
	{"AuditLog=", offsetof(PvsConfig, audit_log), LOG},
	{"CrlMarks=", offsetof(PvsConfig, crl_marks), OPENED},
};

static const char *path_at(const PvsConfig *config, gsize i)
{
	return *(char *const *)G_STRUCT_MEMBER_P(config, configured[i].offset);
}

/* Takes @path. */
static void add(GArray *rules, char *path, PvsPathAccess access)
{
	PvsPathRule rule = {path, access, -1};

	g_array_append_val(rules, rule);
}

static void clear_rule(gpointer data)
{
	g_free((char *)((PvsPathRule *)data)->path);
}

/* The loader that the program asks for; the kernel executes it with the program. */
static int find_loader(struct dl_phdr_info *info, size_t size G_GNUC_UNUSED, void *data)
{
	const char **loader = data;

	for (guint i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP)
			*loader = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	return 1; /* the first is the program itself */
}

/* Landlock goes by where a file is, not by how it is named: a rule for what @path leads to. */
static void add_target(GArray *rules, const char *path, gboolean directory_of)
{
	char *target = realpath(path, NULL);

	if (target && directory_of)
		add(rules, g_path_get_dirname(target), PVS_PATH_READ);
	else if (target)
		add(rules, g_strdup(target), PVS_PATH_READ);
	free(target);
}

/* What is installed by linking to it. Links that are made later are followed after a restart. */
static void add_links(GArray *rules, const char *directory)
{
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(directory, name, NULL);

		if (g_file_test(path, G_FILE_TEST_IS_SYMLINK))
			add_target(rules, path, FALSE);
	}
}

/* A file is replaced by renaming: the directory is what counts, of the name and of the file. */
static void add_file(GArray *rules, const char *path)
{
	add(rules, g_path_get_dirname(path), PVS_PATH_READ);
	add_target(rules, path, TRUE);
}

GArray *pvs_reach(const PvsConfig *config, const char *config_path, const char *socket_path,
		  int program)
{
	GArray *rules = g_array_new(FALSE, FALSE, sizeof(PvsPathRule));
	const PvsPathRule itself = {NULL, PVS_PATH_EXECUTE, program};
	const char *credentials = g_getenv("CREDENTIALS_DIRECTORY");
	g_autofree char *more = g_strconcat(config_path, ".d", NULL);
	const char *loader = NULL;

	g_array_set_clear_func(rules, clear_rule);
	for (gsize i = 0; i < G_N_ELEMENTS(system_rules); i++)
		add(rules, g_strdup(system_rules[i].path), system_rules[i].access);
	g_array_append_val(rules, itself);
	/* With every user or library that is added these are other files (and so is ld.so.cache, in
	 * the same directory), for which a rule from the start would not hold. It has no privilege:
	 * of what is not the daemon's it reads what everybody may. */
	add_file(rules, "/etc/passwd");
	add_file(rules, "/etc/group");
	dl_iterate_phdr(find_loader, &loader);
	if (loader)
		add(rules, g_strdup(loader), PVS_PATH_EXECUTE);
	add_file(rules, config_path);
	add_links(rules, more);
	for (gsize i = 0; i < G_N_ELEMENTS(configured); i++) {
		const char *path = path_at(config, i);

		if (path && configured[i].kind == FILE_ITSELF)
			add_file(rules, path);
		else if (path && configured[i].kind < LOG)
			add(rules, g_strdup(path), PVS_PATH_READ);
		if (path && configured[i].kind == OWNERS_DIRECTORY)
			add_links(rules, path);
	}
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

const char *pvs_reach_blocked(const PvsConfig *config)
{
	for (gsize i = 0; i < G_N_ELEMENTS(configured); i++) {
		const char *path = path_at(config, i);
		int fd;

		/* Permissions would let us: then it is the cage that does not. */
		if (!path || configured[i].kind >= LOG ||
		    faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
			continue;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0 && errno == EACCES)
			return path;
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

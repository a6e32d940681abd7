/* SPDX-License-Identifier: MIT */
/*
 * main.c - pvsecretd: which process this is
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/accounts.h"
#include "daemon/monitor/monitor.h"
#include "daemon/owners.h"
#include "daemon/role.h"
#include "policy/cage.h"

#define EXIT_USAGE  64
#define EXIT_SYSTEM 71

static void print_help(void)
{
	printf("Usage: pvsecretd [OPTION...]\n"
	       "\n"
	       "Holds customer communication keys for IBM Secure Execution and makes add-secret\n"
	       "requests for the clients of its socket. Normally started by systemd\n"
	       "(pvsecretd.socket).\n"
	       "\n"
	       "  -c, --config=FILE   read FILE and FILE.d/*.conf instead of\n"
	       "                      " PVS_CONFIG_FILE "\n"
	       "  -s, --socket=PATH   listen at PATH instead of the socket that systemd passes\n"
	       "      --check-config  load the configuration and all that it names, say what is\n"
	       "                      wrong with each file, and end (status 0 or 78); for\n"
	       "                      root as the user " PVS_DAEMON_USER "\n"
	       "      --version       print the version\n"
	       "  -h, --help          print this text\n"
	       "\n"
	       "Manual pages: pvsecretd(8), pvsecretd.conf(5), pvsecretd-start(7).\n");
}

static int run_role(const char *name)
{
	static const PvsRoleRow *const roles[] = {&pvs_role_front, &pvs_role_trust,
						  &pvs_role_vault};

	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
		if (strcmp(name, pvs_role_name(roles[i]->role)) == 0)
			return pvs_role_main(roles[i]);
	return EXIT_USAGE;
}

/* Root may read and own everything, and would find in order what the service cannot use, and the
 * other way about. So it looks as the service's user, where there is that one. */
static gboolean become_daemon(void)
{
	guint32 uid, gid;

	if (geteuid() != 0 || pvs_accounts_user(PVS_DAEMON_USER, &uid) != 0 ||
	    pvs_accounts_group(PVS_DAEMON_GROUP, &gid) != 0)
		return TRUE;
	fprintf(stderr, "checking as the user " PVS_DAEMON_USER ", which the service runs as\n");
	if (initgroups(PVS_DAEMON_USER, gid) == 0 && setresgid(gid, gid, gid) == 0 &&
	    setresuid(uid, uid, uid) == 0)
		return TRUE;
	fprintf(stderr,
		"pvsecretd: cannot become the user " PVS_DAEMON_USER
		": %s; runuser -u " PVS_DAEMON_USER " -- pvsecretd --check-config\n",
		strerror(errno));
	return FALSE;
}

int main(int argc, char **argv)
{
	enum { CHECK_CONFIG = 256, VERSION, ROLE };
	static const struct option longopts[] = {
		{"config", required_argument, NULL, 'c'},
		{"socket", required_argument, NULL, 's'},
		{"check-config", no_argument, NULL, CHECK_CONFIG},
		{"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, 'h'},
		{"role", required_argument, NULL, ROLE}, /* the monitor's own, for a worker */
		{NULL, 0, NULL, 0},
	};
	PvsMonitorOptions options = {.config_path = PVS_CONFIG_FILE};
	int c;

	while ((c = getopt_long(argc, argv, "c:s:h", longopts, NULL)) != -1) {
		switch (c) {
		case 'c':
			options.config_path = optarg;
			break;
		case 's':
			options.socket_path = optarg;
			break;
		case CHECK_CONFIG:
			options.check_config = TRUE;
			break;
		case VERSION:
			printf("pvsecretd %s%s\n", PACKAGE_VERSION,
			       strcmp(role_cage_mode(), "kill") == 0 ? ""
								     : " (not for use: cage=log)");
			return EXIT_SUCCESS;
		case 'h':
			print_help();
			return EXIT_SUCCESS;
		case ROLE:
			return run_role(optarg);
		default:
			fprintf(stderr, "Try 'pvsecretd --help'.\n");
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "pvsecretd: unexpected argument '%s'\nTry 'pvsecretd --help'.\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	if (options.check_config && !become_daemon())
		return EXIT_SYSTEM;
	return pvs_monitor_main(&options);
}

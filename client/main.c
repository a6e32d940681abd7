/* SPDX-License-Identifier: MIT */
/*
 * main.c - pvsecretctl
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/command.h"
#include "client/failure.h"

/* A secret may pass through this process: no core dump of it, and nobody else of the same user
 * looks into it. Neither can fail for a process that asks for less. */
static void protect(void)
{
	static const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* A program started with a standard descriptor closed would find its next file under that number
 * and print into it. What takes its place here cannot be written to, or read from. */
static void occupy_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			exit(PVS_EXIT_FAILED);
}

static gboolean run(const PvsArguments *arguments, GError **error)
{
	if (arguments->version)
		printf("pvsecretctl %s\n", PACKAGE_VERSION);
	else if (arguments->help)
		pvs_help_print(stdout, arguments->path, arguments->depth);
	else if (!arguments->path[arguments->depth - 1]->run(arguments, error))
		return FALSE;
	return pvs_output_finish(error);
}

int main(int argc, char **argv)
{
	g_auto(PvsArguments) arguments = {.depth = 0};
	g_autoptr(GError) error = NULL;

	protect();
	occupy_descriptors();
	/* A reader of standard output that went away is an error with a text, not a death. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (pvs_arguments_parse(argc, argv, &arguments, &error) && run(&arguments, &error))
		return PVS_EXIT_DONE;
	/* An error object of the daemon's, for a program. */
	(void)pvs_output_finish(NULL);
	pvs_output_error(error);
	return error->code;
}

/* SPDX-License-Identifier: MIT */
/*
 * guest.c - whether this is a Secure Execution guest itself
 */
#include "client/guest.h"

#include <fcntl.h>
#include <unistd.h>

const char *pvs_guest_file = "/sys/firmware/uv/prot_virt_guest";

gboolean pvs_guest_is(void)
{
	int fd = open(pvs_guest_file, O_RDONLY | O_CLOEXEC);
	char bit = '0';
	gboolean is;

	if (fd < 0)
		return FALSE;
	is = read(fd, &bit, 1) == 1 && bit == '1';
	close(fd);
	return is;
}

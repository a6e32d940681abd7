/* SPDX-License-Identifier: MIT */
/*
 * cuid.h - a configuration unique id from a file
 */
#pragma once

#include "protocol/request-layout.h"

/* Reads @path: the 16 bytes themselves, or YAML with an entry "cuid", as pvattest writes it: 0x and
 * 32 digits, alone or in a mapping within at most seven others, the outermost and then the first
 * one that there is. @label names the file in an error. */
gboolean pvs_cuid_read(const char *path, const char *label, guint8 cuid[PVS_CUID_SIZE],
		       GError **error);

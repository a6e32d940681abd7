/* SPDX-License-Identifier: MIT */
/*
 * request-file.h - the request that a command looks at, and where its user data go
 */
#pragma once

#include "client/ask.h"

typedef struct {
	const char *request; /* "-": standard input */
	const char *output;  /* NULL: standard output */
} PvsRequestFile;

/* The places are options, or words in this order, of which there are at most @most. */
gboolean pvs_request_file_find(const PvsArguments *arguments, guint most, PvsRequestFile *places,
			       GError **error);

/* Reads the file and adds it to @call. */
gboolean pvs_request_file_put(const char *path, PvsCall *call, GError **error);

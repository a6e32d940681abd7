/* SPDX-License-Identifier: MIT */
/*
 * intake.h - bytes that a client sent and that are still needed
 *
 * A secret may be among them, so each byte is wiped as soon as it is not needed any more, also
 * where the memory is given back or exchanged for larger (realloc() would leave the old bytes
 * behind). What is empty has no memory. A zeroed struct is empty.
 */
#pragma once

#include <glib.h>

/* Read by all, changed by the functions below; but whoever puts bytes behind end moves it, and
 * whoever looks at them moves scanned. */
typedef struct {
	guint8 *data;
	gsize capacity;
	gsize start;   /* of the first byte that is needed */
	gsize scanned; /* behind the last that was looked at */
	gsize end;     /* behind the last that there is */
} PvsIntake;

/* Makes room for at least @size bytes behind end. */
void pvs_intake_reserve(PvsIntake *intake, gsize size);

/* The bytes before @upto (start to end) are not needed any more. */
void pvs_intake_forget(PvsIntake *intake, gsize upto);

/* Forgets all, and gives the memory back. */
void pvs_intake_clear(PvsIntake *intake);

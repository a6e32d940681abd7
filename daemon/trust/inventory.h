/* SPDX-License-Identifier: MIT */
/*
 * inventory.h - what is installed, written down for get_status
 */
#pragma once

#include "daemon/trust/store.h"
#include "protocol/wire.h"

/* The body of STORE_IS. What is installed never changes in the life of the process, so that this is
 * done once. What does not fit into the message is left out, and a warning says so. */
PvsWriter pvs_inventory_write(const PvsStore *store);

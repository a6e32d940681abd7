/* SPDX-License-Identifier: MIT */
/*
 * fuzz-request.c - bytes as an add-secret request: what verify_request and describe_request do with
 * them
 */
#include <string.h>

#include "daemon/front/results.h"
#include "daemon/trust/user-data.h"
#include "protocol/request-view.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GBytes) request = g_bytes_new(data, size);
	g_auto(PvsChecked) checked = {0};
	const PvsCheck check = {request, NULL};
	PvsRequestView view;
	JsonNode *described;
	JsonObject *object;

	if (!pvs_request_view(data, size, &view, NULL)) {
		g_assert_false(pvs_user_data_check(&check, &checked, NULL));
		return 0;
	}
	g_assert_true(view.tag + PVS_TAG_SIZE == data + size);
	described = pvs_result_described(request);
	object = json_node_get_object(described);
	g_assert_cmpuint(json_array_get_length(json_object_get_array_member(object, "host_keys")),
			 ==, view.keyslots);
	g_assert_cmpint(json_object_get_int_member(object, "size"), ==, (gint64)size);
	json_node_unref(described);
	/* What is signed does not hold without a certificate. */
	g_assert_true(pvs_user_data_check(&check, &checked, NULL) ==
		      (view.user_data_type <= PVS_USER_DATA_UNSIGNED));
	return 0;
}

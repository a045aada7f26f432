/* SPDX-License-Identifier: MIT */
/* json.c - see json.h. */
#include "tools/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tools/memory.h"

void json_add(cJSON *object, const char *name, cJSON *item)
{
	if (!item || !cJSON_AddItemToObject(object, name, item))
		memory_gone();
}

void json_push(cJSON *array, cJSON *item)
{
	if (!item || !cJSON_AddItemToArray(array, item))
		memory_gone();
}

cJSON *json_array(cJSON *object, const char *name)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);

	if (!array)
		memory_gone();
	return array;
}

cJSON *json_object(cJSON *object, const char *name)
{
	cJSON *inner = cJSON_AddObjectToObject(object, name);

	if (!inner)
		memory_gone();
	return inner;
}

/* All 64 bits, which a double would not hold. */
void json_number(cJSON *object, const char *name, uint64_t number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	json_add(object, name, cJSON_CreateRaw(digits));
}

void json_known(cJSON *object, const char *name, uint64_t number)
{
	if (number)
		json_number(object, name, number);
	else
		json_add(object, name, cJSON_CreateNull());
}

void json_bool(cJSON *object, const char *name, bool value)
{
	json_add(object, name, cJSON_CreateBool(value));
}

/* cJSON would pass on what is not UTF-8. */
cJSON *json_string_of(const char *bytes)
{
	enum { GROWTH = 6 }; /* a control character: \u0000 */
	size_t size = strlen(bytes) * GROWTH + 3;
	char *buf = memory_new(size);
	struct text text = text_on(buf, size);
	cJSON *item;

	text_json(&text, bytes, strlen(bytes), 0);
	item = cJSON_CreateRaw(buf);
	free(buf);
	return item;
}

void json_string(cJSON *object, const char *name, const char *bytes)
{
	json_add(object, name, bytes ? json_string_of(bytes) : cJSON_CreateNull());
}

void json_time(cJSON *object, const char *name, uint64_t real_ns)
{
	char buf[40];
	struct text text = text_on(buf, sizeof(buf));

	text_time(&text, real_ns);
	json_add(object, name, real_ns ? cJSON_CreateString(buf) : cJSON_CreateNull());
}

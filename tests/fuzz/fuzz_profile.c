/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "engine/profile.h"
#include "err.h"

static void require(bool truth)
{
	if (!truth)
		abort();
}

/* What others rely on, whatever a file said. */
static void check_profile(const struct profile *profile)
{
	struct err err = { 0 };

	for (size_t i = 0; i < profile->setting_count; i++) {
		const struct setting *setting = &profile->settings[i];

		require(setting->name && setting->unit && setting->source && setting->why &&
			setting->origin);
		require(setting->min <= setting->value && setting->value <= setting->max);
		require(setting->place_count > 0);
		for (size_t j = 0; j < setting->place_count; j++) {
			const struct setting_place *place = &setting->places[j], *found = NULL;

			require(profile_find(profile, place->kind, place->key, &found) == setting);
			require(found == place);
			require(place->kind == PLACE_REGISTRY || strlen(place->key) < 128);
			setting_wanted(setting, place, NULL);
		}
	}
	profile_check(profile, &err);
}

/* An overlay over the built-in profile succeeds, or leaves it as it was and names its line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct profile profile; /* kept from input to input while none gets in */
	struct err err = { 0 };
	size_t count;
	int rc;

	if (profile.setting_count == 0)
		require(profile_builtin(&profile, "volume", &err) == 0);
	count = profile.setting_count;
	rc = profile_overlay(&profile, (const char *)data, size, "site.xml", &err);
	if (rc < 0) {
		require(profile.setting_count == count && err.reason[0] != '\0');
		require(strncmp(err.place, "site.xml:", 9) == 0);
	} else {
		check_profile(&profile);
		profile_done(&profile);
	}
	return 0;
}

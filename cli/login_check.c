/* SPDX-License-Identifier: MIT */
#include "login_check.h"

#include <errno.h>
#include <string.h>

#include "connecting.h"
#include "err.h"
#include "inspection.h"
#include "live.h"

static bool is_of(const struct connected *list, size_t count, const struct place *place)
{
	for (size_t i = 0; place && place->session && i < count; i++) {
		if (strcmp(list[i].session, place->session->name) == 0)
			return true;
	}
	return false;
}

size_t login_unwanted(const struct findings *findings, const struct connected *list, size_t count,
		      const struct finding **first)
{
	size_t unwanted = 0;

	if (first)
		*first = NULL;
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		if (!is_of(list, count, finding->place) || !finding_weighs(finding, false))
			continue;
		if (finding->verdict == VERDICT_DOWN) /* the list tells it by itself */
			continue;
		if (unwanted++ == 0 && first)
			*first = finding;
	}
	return unwanted;
}

static int check_stands(const struct sessions *sessions, const struct connected *connected,
			struct err *err)
{
	if (connected->session[0] == '\0')
		return 0;
	for (size_t i = 0; i < sessions->count; i++) {
		if (strcmp(sessions->items[i].name, connected->session) == 0)
			return 0;
	}
	err_set(err, ENOTCONN, "%s is gone again: look at journalctl -u iscsid",
		connected->session);
	return record_at(connected->record, err);
}

int login_check(struct inspection *in, const struct connected *list, size_t count, struct err *err)
{
	CLEANUP(buf_done) struct buf command = { 0 };
	const struct finding *first = NULL;
	int rc = inspection_survey(in, false, err);

	if (rc == 0)
		rc = live_mend(&in->findings, &in->paths, err);
	if (rc == 1)
		rc = inspection_survey(in, false, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = check_stands(&in->survey.sessions, &list[i], err);
	if (rc < 0 || login_unwanted(&in->findings, list, count, &first) == 0)
		return rc;
	if (first->value)
		err_set(err, EIO, "%s is not as wanted after the login", first->value->where->key);
	else
		err_set(err, EIO, "after the login %s",
			first->note ? first->note : verdict_word(first->verdict));
	buf_addf(&command, "sgw-init check%s", in->asked.options);
	err_add_command(err, ": see ", buf_text(&command));
	return err_at(err, "%s", first->place->name);
}

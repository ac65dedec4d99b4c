/* SPDX-License-Identifier: MIT */
/* A setting compared with a place: findings, each with a severity and what mends it. */
#ifndef SGW_COMPARE_H
#define SGW_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/place.h"

struct err;
struct survey;

enum verdict {
	VERDICT_HOLDS,
	VERDICT_KEPT, /* above (or below) the wanted value, and the rule lets it stand */
	VERDICT_NEGOTIATED, /* a live value lower than wanted because the other end asked for it */
	VERDICT_DIFFERS,
	VERDICT_NOT_SET, /* nothing its reader would see, and the default is not what is wanted */
	VERDICT_NO_RECORD, /* a portal's target that has no node record here */
	VERDICT_EXPOSED, /* a file whose mode lets others read the secrets in it */
	VERDICT_HARMFUL, /* a udev rule that apply comments out */
	VERDICT_LINT, /* no setting's value: something in a document's text */
	VERDICT_OVERRULED, /* no setting's value: another program sets a live value anew */
	VERDICT_STALE, /* a session that runs with what its record said before */
	VERDICT_TWICE, /* a second record or session of a target, which has one path */
	VERDICT_DOWN, /* a session or device that cannot be used now, or is not there */
	VERDICT_NOT_AT_BOOT, /* a session that nobody logs in to at boot */
	VERDICT_GONE, /* a record of a target that its portal offers no more */
	VERDICT_HALF_DONE, /* an apply or undo was cut off */
};

struct finding {
	enum verdict verdict;
	enum severity severity;
	const struct place *place; /* NULL: the host */
	const struct place_value *value; /* NULL: about no setting */
	unsigned line;
	uint32_t wanted; /* where value is not NULL: what the rule makes of it here */
	char *note; /* why; may be NULL */
	char *remedy; /* what no apply mends, as a session's value: what to type; may be NULL */
};

/* What was asked for, as the commands of remedies repeat it: words quoted for a shell. */
struct asked {
	const char *apply; /* "sgw-init apply 10.0.0.1 --set …", on the host itself: no --root */
	const char *options; /* " --root /mnt --set …", without the portals */
};

struct findings {
	struct finding *items; /* in the order of the places */
	size_t count;
	const struct asked *asked; /* set before they are made; NULL: nothing but the command */
};

/*
 * Compare every value of every place and lint every document. Findings point
 * into the survey, which must outlive them. The caller ends them with
 * findings_done(), also on error.
 */
int compare_survey(const struct survey *survey, struct findings *findings, struct err *err);

/* Add one that no comparison makes; note is copied and may be NULL. */
int findings_add(struct findings *findings, struct finding finding, const char *note,
		 struct err *err);
/* The same with what to type, which is copied too. */
int findings_add_remedied(struct findings *findings, const struct finding *finding,
			  const char *note, const char *remedy, struct err *err);
/* Copy what to type into a finding. */
int finding_set_remedy(struct finding *finding, const char *text, struct err *err);
void findings_done(struct findings *findings);

/* Whether apply mends it, by writing files or a live value. */
bool finding_mendable(const struct finding *finding);

/* Whether it is a live value that apply writes; what else a session lacks needs a login. */
bool finding_live(const struct finding *finding);

/*
 * Whether it weighs: error or critical that is not in effect; strict counts
 * warnings, kept and negotiated values too.
 */
bool finding_weighs(const struct finding *finding, bool strict);

const char *verdict_word(enum verdict verdict);

#endif

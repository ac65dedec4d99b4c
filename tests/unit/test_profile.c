/* SPDX-License-Identifier: MIT */
#include "engine/profile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "err.h"

#define CLASS "Control\\Class\\{4D36E97B-E325-11CE-BFC1-08002BE10318}\\*\\Parameters\\"
#define LINUX "Customizing Your Linux iSCSI Settings"
#define WINDOWS "Customizing Your Windows iSCSI Settings"
#define LINUX_DISK "Customizing Your Linux Disk Timeout Settings for Volume Gateways"

static void load(struct profile *profile, const char *name)
{
	struct err err = { 0 };

	if (profile_builtin(profile, name, &err) < 0)
		fail_msg("%s: %s: %s", name, err.place, err.reason);
}

static int lay(struct profile *profile, const char *xml, struct err *err)
{
	return profile_overlay(profile, xml, strlen(xml), "site.xml", err);
}

static const struct setting *named(const struct profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->setting_count; i++) {
		if (strcmp(profile->settings[i].name, name) == 0)
			return &profile->settings[i];
	}
	fail_msg("no setting %s", name);
	return NULL;
}

/* What AWS asks for, setting by setting, and what the systems come with. */
static const struct wanted_row {
	enum place_kind kind;
	const char *key;
	uint32_t value;
	enum rule rule;
	const char *unit;
	const char *source;
	enum needs needs;
	long os_default; /* -1: nobody says */
	bool tape; /* the tape profile has it too */
} wanted_rows[] = {
	{ PLACE_ISCSID_CONF, "node.session.timeo.replacement_timeout", 600, RULE_EXACT, "seconds",
	  LINUX, NEEDS_LOGIN, 120, true },
	{ PLACE_RECORD, "node.session.timeo.replacement_timeout", 600, RULE_EXACT, "seconds", LINUX,
	  NEEDS_LOGIN, 120, true },
	{ PLACE_SESSION, "recovery_tmo", 600, RULE_EXACT, "seconds", LINUX, NEEDS_NOTHING, 120,
	  true },
	{ PLACE_ISCSID_CONF, "node.conn[0].timeo.noop_out_interval", 60, RULE_EXACT, "seconds",
	  LINUX, NEEDS_LOGIN, 5, true },
	{ PLACE_RECORD, "node.conn[0].timeo.noop_out_interval", 60, RULE_EXACT, "seconds", LINUX,
	  NEEDS_LOGIN, 5, true },
	{ PLACE_SESSION, "recv_tmo", 60, RULE_EXACT, "seconds", LINUX, NEEDS_LOGIN, -1, true },
	{ PLACE_ISCSID_CONF, "node.conn[0].timeo.noop_out_timeout", 600, RULE_EXACT, "seconds",
	  LINUX, NEEDS_LOGIN, 5, true },
	{ PLACE_RECORD, "node.conn[0].timeo.noop_out_timeout", 600, RULE_EXACT, "seconds", LINUX,
	  NEEDS_LOGIN, 5, true },
	{ PLACE_SESSION, "ping_tmo", 600, RULE_EXACT, "seconds", LINUX, NEEDS_LOGIN, -1, true },
	{ PLACE_ISCSID_CONF, "node.session.iscsi.FirstBurstLength", 262144, RULE_AT_LEAST, "bytes",
	  LINUX, NEEDS_LOGIN, 262144, true },
	{ PLACE_RECORD, "node.session.iscsi.FirstBurstLength", 262144, RULE_AT_LEAST, "bytes",
	  LINUX, NEEDS_LOGIN, 262144, true },
	{ PLACE_SESSION, "first_burst_len", 262144, RULE_AT_LEAST, "bytes", LINUX, NEEDS_LOGIN, -1,
	  true },
	{ PLACE_ISCSID_CONF, "node.session.iscsi.MaxBurstLength", 1048576, RULE_AT_LEAST, "bytes",
	  LINUX, NEEDS_LOGIN, 16776192, true },
	{ PLACE_RECORD, "node.session.iscsi.MaxBurstLength", 1048576, RULE_AT_LEAST, "bytes", LINUX,
	  NEEDS_LOGIN, 16776192, true },
	{ PLACE_SESSION, "max_burst_len", 1048576, RULE_AT_LEAST, "bytes", LINUX, NEEDS_LOGIN, -1,
	  true },
	{ PLACE_ISCSID_CONF, "node.conn[0].iscsi.MaxRecvDataSegmentLength", 262144, RULE_AT_LEAST,
	  "bytes", LINUX, NEEDS_LOGIN, 262144, true },
	{ PLACE_RECORD, "node.conn[0].iscsi.MaxRecvDataSegmentLength", 262144, RULE_AT_LEAST,
	  "bytes", LINUX, NEEDS_LOGIN, 262144, true },
	{ PLACE_SESSION, "max_recv_dlength", 262144, RULE_AT_LEAST, "bytes", LINUX, NEEDS_LOGIN, -1,
	  true },
	{ PLACE_UDEV_RULE, "timeout", 600, RULE_EXACT, "seconds", LINUX_DISK, NEEDS_NOTHING, -1,
	  false },
	{ PLACE_DEVICE, "timeout", 600, RULE_EXACT, "seconds", LINUX_DISK, NEEDS_NOTHING, 30,
	  false },
	{ PLACE_REGISTRY, CLASS "MaxRequestHoldTime", 600, RULE_EXACT, "seconds", WINDOWS,
	  NEEDS_REBOOT, 60, true },
	{ PLACE_REGISTRY, CLASS "FirstBurstLength", 262144, RULE_AT_LEAST, "bytes", WINDOWS,
	  NEEDS_REBOOT, 65536, true },
	{ PLACE_REGISTRY, CLASS "MaxBurstLength", 1048576, RULE_AT_LEAST, "bytes", WINDOWS,
	  NEEDS_REBOOT, 262144, true },
	{ PLACE_REGISTRY, CLASS "MaxRecvDataSegmentLength", 262144, RULE_AT_LEAST, "bytes", WINDOWS,
	  NEEDS_REBOOT, 65536, true },
	{ PLACE_REGISTRY, "Services\\Disk\\TimeOutValue", 600, RULE_EXACT, "seconds", WINDOWS,
	  NEEDS_REBOOT, 10, true },
};

static void check_wanted_row(const struct profile *profile, const struct wanted_row *row)
{
	const struct setting_place *place = NULL;
	const struct setting *setting = profile_find(profile, row->kind, row->key, &place);

	if (!setting)
		fail_msg("%s has no %s %s", profile->name, place_word(row->kind), row->key);
	if (setting->value != row->value || setting->rule != row->rule ||
	    setting->severity != SEVERITY_ERROR || strcmp(setting->unit, row->unit) != 0 ||
	    !strstr(setting->source, row->source) || place->needs != row->needs ||
	    (place->has_default ? (long)place->os_default : -1) != row->os_default)
		fail_msg("%s %s %s: %u %s %s, '%s', needs %s, default %u", profile->name,
			 place_word(row->kind), row->key, setting->value, setting->unit,
			 rule_word(setting->rule), setting->source, needs_word(place->needs),
			 place->os_default);
}

static void test_builtin_profiles_hold_what_aws_asks_for(void **state)
{
	(void)state;
	for (const char *const *name = profile_names(); *name; name++) {
		CLEANUP(profile_done) struct profile profile = { 0 };
		bool tape = strcmp(*name, "tape") == 0;
		size_t places = 0, expected = 0;

		load(&profile, *name);
		for (size_t i = 0; i < ARRAY_LEN(wanted_rows); i++) {
			if (tape && !wanted_rows[i].tape)
				continue;
			check_wanted_row(&profile, &wanted_rows[i]);
			expected++;
		}
		for (size_t i = 0; i < profile.setting_count; i++)
			places += profile.settings[i].place_count;
		assert_int_equal(places, expected); /* and nothing else */
	}
}

static void test_builtin_profiles_are_complete(void **state)
{
	struct err err = { 0 };

	(void)state;
	for (const char *const *name = profile_names(); *name; name++) {
		CLEANUP(profile_done) struct profile profile = { 0 };

		load(&profile, *name);
		assert_string_equal(profile.name, *name);
		assert_non_null(strstr(profile.title, "Gateway"));
		assert_string_equal(profile.origin, "built-in profile");
		assert_non_null(strstr(profile.note, "Backup software"));
		assert_int_equal(profile_check(&profile, &err), 0);
		for (size_t i = 0; i < profile.setting_count; i++) {
			assert_string_equal(profile.settings[i].origin, "built-in profile");
			assert_true(strlen(profile.settings[i].why) > 40);
			assert_null(strstr(profile.settings[i].why, "  "));
		}
	}
}

static void test_tape_has_no_rule_and_no_device(void **state)
{
	CLEANUP(profile_done) struct profile tape = { 0 };

	(void)state;
	load(&tape, "tape");
	assert_null(profile_find(&tape, PLACE_UDEV_RULE, "timeout", NULL));
	assert_null(profile_find(&tape, PLACE_DEVICE, "timeout", NULL));
	assert_non_null(strstr(tape.note, "open-iscsi's README"));
}

static void test_unknown_builtin_profile(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(profile_builtin(&profile, "file", &err), -ENOENT);
	assert_string_equal(err.reason, "there is no profile 'file': volume, tape");
}

static void test_negotiated_places(void **state)
{
	static const struct {
		const char *key;
		bool negotiated;
	} rows[] = {
		{ "first_burst_len", true },   { "max_burst_len", true },
		{ "max_recv_dlength", false }, { "recv_tmo", false },
		{ "ping_tmo", false },	       { "recovery_tmo", false },
	};
	CLEANUP(profile_done) struct profile profile = { 0 };

	(void)state;
	load(&profile, "volume");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct setting_place *place = NULL;

		assert_non_null(profile_find(&profile, PLACE_SESSION, rows[i].key, &place));
		if (place->negotiated != rows[i].negotiated)
			fail_msg("%s: negotiated %d", rows[i].key, place->negotiated);
	}
}

#define VOLUME(text) "<profile name='volume'>" text "</profile>"
#define NEW "<setting name='cmds' unit='count' value='1'>"
#define PLACE(kind, key) "<place in='" kind "' key='" key "' needs='login'/>"
#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16

/* One a row: the file, the place and a part of the reason. */
static const struct bad_row {
	const char *xml;
	const char *place;
	const char *reason;
} bad_rows[] = {
	/* not XML at all */
	{ "", "site.xml:1", "empty" },
	{ "node.session.timeo.replacement_timeout = 600\n", "site.xml:1", "'<' not found" },
	{ "\x7f"
	  "ELF\x02\x01\x01",
	  "site.xml:1", "not well-formed" },
	{ "<profile name='volume'>\n<setting name='a'", "site.xml:2", "not well-formed" },
	{ "<profile name='volume'>\n\n", "site.xml:3", "not well-formed" },
	{ "<profile name='volume'>\n<note></title></profile>", "site.xml:2", "tag mismatch" },
	{ VOLUME("<note>\xff</note>"), "site.xml:1", "not well-formed" },
	{ VOLUME("<note>\n&nothing;</note>"), "site.xml:2", "Entity 'nothing' not defined" },
	{ "<profile name='volume' name='tape'/>", "site.xml:1", "redefined" },
	/* document types: external, internal, bombs */
	{ "<?xml version='1.0'?>\n<!DOCTYPE profile SYSTEM 'file:///etc/hostname'>\n"
	  "<profile name='volume'/>",
	  "site.xml:2", "document type declaration is not allowed" },
	{ "<!DOCTYPE profile PUBLIC '-//X' 'http://127.0.0.1:1/x.dtd'><profile name='volume'/>",
	  "site.xml:1", "document type declaration" },
	{ "<!DOCTYPE profile [\n<!ENTITY x SYSTEM 'file:///etc/hostname'>\n]>\n" VOLUME(
		  "<note>&x;</note>"),
	  "site.xml:1", "document type declaration" },
	{ "<!DOCTYPE profile [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
	  "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;'>]>" VOLUME(
		  "<note>&d;</note>"),
	  "site.xml:1", "document type declaration" },
	{ "<!DOCTYPE profile>\n<profile name='volume'/>", "site.xml:1", "<!DOCTYPE" },
	{ VOLUME("<x:include xmlns:x='http://www.w3.org/2001/XInclude' href='/etc/hostname'/>"),
	  "site.xml:1", "<include> does not belong in <profile>" },
	/* the schema */
	{ "<profil name='volume'/>", "site.xml:1", "<profil>; expected <profile>" },
	{ "\n<profile/>", "site.xml:2", "<profile> lacks the attribute 'name'" },
	{ "<profile name='volumes'/>", "site.xml:1", "expected one of volume, tape" },
	{ "<profile name='volume' xmlns='urn:other'/>", "site.xml:1", "namespace 'urn:other'" },
	{ "<profile name='volume' xml:lang='en'/>", "site.xml:1", "no attribute 'lang'" },
	{ VOLUME("600"), "site.xml:1", "text does not belong in <profile>" },
	{ VOLUME("<![CDATA[600]]>"), "site.xml:1", "text does not belong in <profile>" },
	{ VOLUME("\n<settings/>"), "site.xml:2", "which may hold title, note, setting" },
	{ VOLUME("<note/>\n<title/>"), "site.xml:2", "<title> stands twice or too late" },
	{ VOLUME("<note/>\n<note/>"), "site.xml:2", "<note> stands twice or too late" },
	{ VOLUME("<note><b>x</b></note>"), "site.xml:1", "<note>, which may hold no element" },
	{ VOLUME("<note lang='en'/>"), "site.xml:1", "no attribute 'lang': it takes none" },
	{ VOLUME("<setting/>"), "site.xml:1", "<setting> lacks the attribute 'name'" },
	{ VOLUME("<setting name='Disk timeout'/>"), "site.xml:1", "expected lower-case words" },
	{ VOLUME("<setting name=''/>"), "site.xml:1", "name='' in <setting>" },
	{ VOLUME("<setting name='" A64 "'/>"), "site.xml:1", "expected lower-case words" },
	{ VOLUME("<setting name='disk-timeout' values='1'/>"), "site.xml:1",
	  "no attribute 'values': it takes name, value, min" },
	{ VOLUME("<setting name='disk-timeout' x:value='1' xmlns:x='urn:x'/>"), "site.xml:1",
	  "no attribute 'value'" },
	{ VOLUME("<setting name='disk-timeout' rule='exactly'/>"), "site.xml:1",
	  "rule='exactly' in <setting>: expected one of exact, at-least, at-most" },
	{ VOLUME("<setting name='disk-timeout' severity='fatal'/>"), "site.xml:1",
	  "one of info, warning, error, critical" },
	{ VOLUME("<setting name='disk-timeout' unit='minutes'/>"), "site.xml:1",
	  "one of seconds, bytes, count" },
	{ VOLUME("<setting name='disk-timeout'>600</setting>"), "site.xml:1",
	  "text does not belong in <setting>" },
	{ VOLUME("<setting name='disk-timeout'><place/></setting>"), "site.xml:1",
	  "<place> lacks the attribute 'in'" },
	{ VOLUME("<setting name='disk-timeout'><place in='disk'/></setting>"), "site.xml:1",
	  "in='disk' in <place>: expected one of iscsid.conf, record" },
	{ VOLUME("<setting name='disk-timeout'><place in='device'/></setting>"), "site.xml:1",
	  "<place> lacks the attribute 'key'" },
	{ VOLUME("<setting name='disk-timeout'><place in='device' key='k'/></setting>"),
	  "site.xml:1", "lacks the attribute 'needs': expected one of nothing, login, reboot" },
	{ VOLUME("<setting name='disk-timeout'>" PLACE("device", "") "</setting>"), "site.xml:1",
	  "key='' in <place>" },
	{ VOLUME("<setting name='disk-timeout'>" PLACE("device", "k") "\n<why/></setting>"),
	  "site.xml:2", "expected source, why, place, in this order" },
	/* numbers */
	{ VOLUME("\n<setting name='disk-timeout' value='ten'/>"), "site.xml:2",
	  "value='ten' in <setting>: expected a whole number" },
	{ VOLUME("<setting name='disk-timeout' value=''/>"), "site.xml:1", "a whole number" },
	{ VOLUME("<setting name='disk-timeout' value='-1'/>"), "site.xml:1", "a whole number" },
	{ VOLUME("<setting name='disk-timeout' value='0x258'/>"), "site.xml:1", "a whole number" },
	{ VOLUME("<setting name='disk-timeout' value='600s'/>"), "site.xml:1", "a whole number" },
	{ VOLUME("<setting name='disk-timeout' value='4294967296'/>"), "site.xml:1",
	  "a whole number" },
	{ VOLUME("<setting name='disk-timeout' value=' 600'/>"), "site.xml:1", "a whole number" },
	{ VOLUME("<setting name='disk-timeout' value='0'/>"), "site.xml:1",
	  "value 0 of 'disk-timeout' is out of range (1 to 86400 seconds)" },
	{ VOLUME("<setting name='disk-timeout' value='86401'/>"), "site.xml:1", "1 to 86400" },
	{ VOLUME("<setting name='disk-timeout' value='86401' max='2147484'/>"), "site.xml:1",
	  "no range of seconds within 0 to 2147483" },
	{ VOLUME("<setting name='disk-timeout' min='700'/>"), "site.xml:1",
	  "value 600 of 'disk-timeout' is out of range (700 to 86400" },
	{ VOLUME("<setting name='disk-timeout' min='700' max='600'/>"), "site.xml:1", "no range" },
	{ VOLUME("<setting name='first-burst-length' value='511'/>"), "site.xml:1",
	  "512 to 16777215 bytes" },
	{ VOLUME("<setting name='max-burst-length' value='16777216'/>"), "site.xml:1",
	  "512 to 16777215 bytes" },
	{ VOLUME("<setting name='max-recv-data-segment-length' value='0' min='0'/>"), "site.xml:1",
	  "no range of bytes within 512 to 16777215" },
	{ VOLUME("<setting name='disk-timeout' unit='bytes'/>" /* 600 is fine, its range is not */
		 "<setting name='noop-out-interval' unit='bytes'/>"),
	  "site.xml:1", "value 60 of 'noop-out-interval' is out of range (512 to" },
	{ VOLUME("<setting name='disk-timeout'><place in='device' key='timeout' needs='login' "
		 "default='30s'/></setting>"),
	  "site.xml:1", "default='30s' in <place>: expected a whole number" },
	/* settings */
	{ VOLUME("<setting name='disk-timeout' value='601'/>\n"
		 "<setting name='disk-timeout' value='602'/>"),
	  "site.xml:2", "setting 'disk-timeout' stands twice, first on line 1" },
	{ VOLUME("<setting name='replacment-timeout' value='900'/>"), "site.xml:1",
	  "has no setting 'replacment-timeout', and a new one needs the attribute 'unit'" },
	{ VOLUME("<setting name='cmds' unit='count'/>"), "site.xml:1",
	  "a new one needs the attribute 'value'" },
	{ VOLUME("<setting name='cmds' unit='count' value='1'/>"), "site.xml:1",
	  "a new one needs a <place>" },
	{ VOLUME(NEW "\n" PLACE("device", "timeout") "</setting>"), "site.xml:2",
	  "device timeout belongs to setting 'disk-timeout' already" },
	{ VOLUME(NEW PLACE("device", "k") PLACE("device", "k") "</setting>"), "site.xml:1",
	  "device k belongs to setting 'cmds' already" },
	/* keys */
	{ VOLUME(NEW PLACE("device", "../timeout") "</setting>"), "site.xml:1",
	  "does not fit device" },
	{ VOLUME(NEW PLACE("session", "a/b") "</setting>"), "site.xml:1", "does not fit session" },
	{ VOLUME(NEW PLACE("udev-rule", "t}=&quot;1&quot;, RUN+=&quot;x") "</setting>"),
	  "site.xml:1", "does not fit udev-rule" },
	{ VOLUME(NEW PLACE("iscsid.conf", "node.cmds max") "</setting>"), "site.xml:1",
	  "does not fit iscsid.conf" },
	{ VOLUME(NEW PLACE("iscsid.conf", "node.&#10;node.name") "</setting>"), "site.xml:1",
	  "does not fit iscsid.conf" },
	{ VOLUME(NEW PLACE("record", A64 A64) "</setting>"), "site.xml:1",
	  "has 128 bytes; record takes 127 at most" },
	{ VOLUME(NEW PLACE("record", A64 A64 A64 A64) "</setting>"), "site.xml:1",
	  "expected a key of 1 to 255 characters" },
	{ VOLUME(NEW PLACE("record", "node.session.auth.password") "</setting>"), "site.xml:1",
	  "CHAP is set by apply --chap" },
	{ VOLUME(NEW PLACE("record", "node.conn[0].port") "</setting>"), "site.xml:1",
	  "it tells whose record it is" },
	{ VOLUME(NEW PLACE("registry", "TimeOutValue") "</setting>"), "site.xml:1",
	  "is not KEY\\VALUE" },
	{ VOLUME(NEW PLACE("registry", "\\Services\\Disk") "</setting>"), "site.xml:1",
	  "is not KEY\\VALUE" },
	{ VOLUME(NEW PLACE("registry", "Services\\\\Disk") "</setting>"), "site.xml:1",
	  "is not KEY\\VALUE" },
	{ VOLUME(NEW PLACE("registry", "Services\\Disk]") "</setting>"), "site.xml:1",
	  "does not fit registry" },
};

static void test_a_bad_profile_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
		CLEANUP(profile_done) struct profile profile = { 0 };
		struct err err = { 0 };
		int rc;

		load(&profile, "volume");
		rc = lay(&profile, bad_rows[i].xml, &err);
		if (rc != -EINVAL || strcmp(err.place, bad_rows[i].place) != 0 ||
		    !strstr(err.reason, bad_rows[i].reason))
			fail_msg("%s\nis %d: %s: %s\nexpected: %s: %s", bad_rows[i].xml, rc,
				 err.place, err.reason, bad_rows[i].place, bad_rows[i].reason);
		assert_int_equal(named(&profile, "disk-timeout")->value, 600);
	}
}

static void test_a_profile_is_all_or_nothing(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	struct err err = { 0 };
	size_t count;

	(void)state;
	load(&profile, "volume");
	count = profile.setting_count;
	assert_int_equal(
		lay(&profile,
		    VOLUME("<title>Ours</title>"
			   "<setting name='disk-timeout' value='900'/>" NEW
			   "<place in='device' key='queue_depth' needs='nothing'/></setting>"
			   "<setting name='noop-out-interval' value='999999'/>"),
		    &err),
		-EINVAL);
	assert_int_equal(profile.setting_count, count);
	assert_string_equal(profile.title, "Volume Gateway");
	assert_int_equal(named(&profile, "disk-timeout")->value, 600);
	assert_string_equal(named(&profile, "disk-timeout")->origin, "built-in profile");
}

static void test_a_site_profile_changes_only_what_it_says(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	const struct setting *setting;
	struct err err = { 0 };

	(void)state;
	load(&profile, "volume");
	assert_int_equal(lay(&profile,
			     "<?xml version='1.0'?>\n<profile name='volume'>\n"
			     "  <setting name='disk-timeout' value='900'/>\n"
			     "  <setting name='noop-out-interval' severity='warning'>\n"
			     "    <why>We\n\tknow   better.</why>\n  </setting>\n"
			     "</profile>\n",
			     &err),
			 0);
	setting = named(&profile, "disk-timeout");
	assert_int_equal(setting->value, 900);
	assert_string_equal(setting->origin, "site.xml:3");
	assert_int_equal(setting->place_count, 3);
	assert_int_equal(setting->severity, SEVERITY_ERROR);
	assert_string_equal(setting->unit, "seconds");
	setting = named(&profile, "noop-out-interval");
	assert_int_equal(setting->value, 60);
	assert_string_equal(setting->origin, "built-in profile");
	assert_int_equal(setting->severity, SEVERITY_WARNING);
	assert_string_equal(setting->why, "We know better.");
	assert_string_equal(setting->source, LINUX);
	assert_string_equal(profile.title, "Volume Gateway");
	assert_string_equal(profile.origin, "built-in profile, site.xml");
}

static void test_places_are_replaced_together(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	struct err err = { 0 };

	(void)state;
	load(&profile, "volume");
	assert_int_equal(lay(&profile,
			     VOLUME("<setting name='disk-timeout'>"
				    "<source>A</source><source>B</source>"
				    "<place in='device' key='timeout' needs='login' default='31' "
				    "negotiated='yes'/></setting>"),
			     &err),
			 0);
	assert_int_equal(named(&profile, "disk-timeout")->place_count, 1);
	assert_string_equal(named(&profile, "disk-timeout")->source, "A; B");
	assert_null(profile_find(&profile, PLACE_UDEV_RULE, "timeout", NULL));
	assert_int_equal(named(&profile, "disk-timeout")->places[0].os_default, 31);
	assert_true(named(&profile, "disk-timeout")->places[0].negotiated);
}

static void test_a_new_setting_is_added(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	const struct setting *setting;
	struct err err = { 0 };
	size_t count;

	(void)state;
	load(&profile, "tape");
	count = profile.setting_count;
	assert_int_equal(lay(&profile,
			     "<profile name='tape'><setting name='queue-depth' value='64' "
			     "unit='count'><place in='record' key='node.session.queue_depth' "
			     "needs='login'/></setting></profile>",
			     &err),
			 0);
	assert_int_equal(profile.setting_count, count + 1);
	setting = profile_find(&profile, PLACE_RECORD, "node.session.queue_depth", NULL);
	assert_non_null(setting);
	assert_int_equal(setting->value, 64);
	assert_int_equal(setting->rule, RULE_EXACT);
	assert_int_equal(setting->severity, SEVERITY_ERROR);
	assert_string_equal(setting->why, "");
	assert_string_equal(setting->source, "");
	assert_false(setting->places[0].has_default);
}

static void test_a_file_for_another_profile_is_passed_over(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	struct err err = { 0 };

	(void)state;
	load(&profile, "tape");
	assert_int_equal(
		lay(&profile, VOLUME("<setting name='noop-out-interval' value='30'/>"), &err), 1);
	assert_int_equal(named(&profile, "noop-out-interval")->value, 60);
	/* but its schema counts */
	assert_int_equal(lay(&profile, VOLUME("<seting/>"), &err), -EINVAL);
}

/* The schema and the code name the same words. */
static void test_every_word_of_the_schema_is_understood(void **state)
{
	(void)state;
	for (int i = 0;
	     i < PLACE_KINDS + RULE_AT_MOST + 1 + SEVERITY_CRITICAL + 1 + NEEDS_REBOOT + 1; i++) {
		int kind = i % PLACE_KINDS, rule = i % (RULE_AT_MOST + 1);
		int severity = i % (SEVERITY_CRITICAL + 1), needs = i % (NEEDS_REBOOT + 1);
		CLEANUP(profile_done) struct profile profile = { 0 };
		CLEANUP(buf_done) struct buf xml = { 0 };
		const struct setting *setting;
		struct err err = { 0 };

		load(&profile, "volume");
		buf_addf(&xml,
			 "<profile name='volume'><setting name='x' value='1' unit='count' "
			 "rule='%s' severity='%s'><place in='%s' key='%s' needs='%s'/></setting>"
			 "</profile>",
			 rule_word((enum rule)rule), severity_word((enum severity)severity),
			 place_word((enum place_kind)kind), kind == PLACE_REGISTRY ? "A\\B" : "k",
			 needs_word((enum needs)needs));
		if (lay(&profile, buf_text(&xml), &err) < 0)
			fail_msg("%s: %s", buf_text(&xml), err.reason);
		setting = named(&profile, "x");
		assert_int_equal(setting->rule, rule);
		assert_int_equal(setting->severity, severity);
		assert_int_equal(setting->places[0].kind, kind);
		assert_int_equal(setting->places[0].needs, needs);
	}
}

static void test_line_numbers_of_a_long_file(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	CLEANUP(buf_done) struct buf xml = { 0 };
	struct err err = { 0 };

	(void)state;
	load(&profile, "volume");
	buf_adds(&xml, "<profile name='volume'>");
	for (int i = 1; i < 100000; i++)
		buf_adds(&xml, "\n");
	buf_adds(&xml, "<setting name='disk-timeout' value='0'>\n<!-- -->\n</setting></profile>");
	assert_int_equal(lay(&profile, buf_text(&xml), &err), -EINVAL);
	/* libxml2 keeps 16 bits and takes what is beyond from the text next to it */
	assert_non_null(strstr(err.place, "site.xml:10000"));
}

static void test_a_file_without_end_is_refused(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	CLEANUP(buf_done) struct buf xml = { 0 };
	struct err err = { 0 };

	(void)state;
	load(&profile, "volume");
	buf_adds(&xml, "<profile name='volume'>");
	while (xml.len <= 1 << 20)
		buf_adds(&xml, "<!-- more and more and more and more -->");
	buf_adds(&xml, "</profile>");
	assert_int_equal(lay(&profile, buf_text(&xml), &err), -EFBIG);
	assert_string_equal(err.place, "site.xml");
}

static void test_deep_nesting_is_refused(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	CLEANUP(buf_done) struct buf xml = { 0 };
	struct err err = { 0 };

	(void)state;
	load(&profile, "volume");
	for (int i = 0; i < 100000; i++)
		buf_adds(&xml, "<a>");
	assert_int_equal(lay(&profile, buf_text(&xml), &err), -EINVAL);
}

static void test_set(void **state)
{
	static const struct {
		const char *assignment;
		const char *setting; /* NULL: refused */
		uint32_t value;
		const char *place, *reason;
	} rows[] = {
		{ "disk-timeout=900", "disk-timeout", 900, NULL, NULL },
		{ "recovery_tmo=900", "replacement-timeout", 900, NULL, NULL },
		{ "timeout=900", "disk-timeout", 900, NULL, NULL },
		{ "node.session.iscsi.MaxBurstLength=262144", "max-burst-length", 262144, NULL,
		  NULL },
		{ "node.conn[0].timeo.noop_out_interval=0", "noop-out-interval", 0, NULL, NULL },
		{ CLASS "MaxRequestHoldTime=900", "replacement-timeout", 900, NULL, NULL },
		{ "disk-timeout=0", NULL, 0, "--set disk-timeout",
		  "'0' is no number of seconds from 1 to 86400" },
		{ "max-burst-length=16777216", NULL, 0, "--set max-burst-length",
		  "no number of bytes from 512 to 16777215" },
		{ "disk-timeout=600s", NULL, 0, "--set disk-timeout", "'600s' is no number" },
		{ "disk-timeout=", NULL, 0, "--set disk-timeout", "'' is no number" },
		{ "disk-timeout=-1", NULL, 0, "--set disk-timeout", "'-1' is no number" },
		{ "disk-timeout", NULL, 0, "--set", "KEY=VALUE is expected" },
		{ "=600", NULL, 0, "--set", "KEY=VALUE is expected" },
		{ "", NULL, 0, "--set", "KEY=VALUE is expected" },
		{ "Disk-Timeout=600", NULL, 0, "--set Disk-Timeout",
		  "no such setting; it has replacement-timeout, noop-out-interval" },
		{ "disk-time=600", NULL, 0, "--set disk-time", "disk-timeout, and the keys" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(profile_done) struct profile profile = { 0 };
		struct err err = { 0 };
		int rc;

		load(&profile, "volume");
		rc = profile_set(&profile, rows[i].assignment, &err);
		if (rc != (rows[i].setting ? 0 : -EINVAL))
			fail_msg("%s: %d %s", rows[i].assignment, rc, err.reason);
		if (rows[i].setting) {
			assert_int_equal(named(&profile, rows[i].setting)->value, rows[i].value);
			assert_string_equal(named(&profile, rows[i].setting)->origin, "--set");
			continue;
		}
		assert_string_equal(err.place, rows[i].place);
		if (!strstr(err.reason, rows[i].reason))
			fail_msg("%s: %s", rows[i].assignment, err.reason);
	}
}

static void test_set_never_shows_the_value_of_an_unknown_key(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	struct err err = { 0 };

	(void)state;
	load(&profile, "volume");
	assert_int_equal(profile_set(&profile, "node.session.auth.password=hush", &err), -EINVAL);
	assert_null(strstr(err.place, "hush"));
	assert_null(strstr(err.reason, "hush"));
}

static void test_settings_have_to_fit_one_another(void **state)
{
	static const struct {
		const char *sets[2];
		const char *place, *reason; /* NULL: they fit */
	} rows[] = {
		{ { "noop-out-interval=0", "noop-out-timeout=0" }, NULL, NULL },
		{ { "noop-out-interval=1", "noop-out-timeout=1" }, NULL, NULL },
		{ { "noop-out-interval=0", NULL },
		  "--set",
		  "noop-out-interval is 0 (--set) and noop-out-timeout is 600 (built-in profile)" },
		{ { "noop-out-timeout=0", NULL }, "--set", "both as 0 (no NOP-Outs)" },
		{ { "first-burst-length=1048576", NULL }, NULL, NULL },
		{ { "first-burst-length=1048577", NULL }, "--set", "to be MaxBurstLength at most" },
		{ { "max-burst-length=262143", NULL }, "--set", "to be MaxBurstLength at most" },
		{ { "first-burst-length=16777215", "max-burst-length=16777215" }, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(profile_done) struct profile profile = { 0 };
		struct err err = { 0 };
		int rc;

		load(&profile, "volume");
		for (size_t j = 0; j < 2 && rows[i].sets[j]; j++)
			assert_int_equal(profile_set(&profile, rows[i].sets[j], &err), 0);
		rc = profile_check(&profile, &err);
		if (rc != (rows[i].reason ? -EINVAL : 0))
			fail_msg("%s: %d %s", rows[i].sets[0], rc, err.reason);
		if (!rows[i].reason)
			continue;
		assert_string_equal(err.place, rows[i].place);
		if (!strstr(err.reason, rows[i].reason))
			fail_msg("%s: %s", rows[i].sets[0], err.reason);
	}
}

static void test_the_place_of_a_misfit_is_the_file(void **state)
{
	CLEANUP(profile_done) struct profile profile = { 0 };
	struct err err = { 0 };

	(void)state;
	load(&profile, "volume");
	assert_int_equal(
		lay(&profile, VOLUME("\n\n<setting name='noop-out-timeout' value='0'/>"), &err), 0);
	assert_int_equal(profile_check(&profile, &err), -EINVAL);
	assert_string_equal(err.place, "site.xml:3");
}

static void test_wanted(void **state)
{
	static const struct {
		enum rule rule;
		enum place_kind kind;
		uint32_t value;
		long os_default, current; /* -1: there is none */
		uint32_t wanted;
	} rows[] = {
		{ RULE_EXACT, PLACE_RECORD, 600, 120, -1, 600 },
		{ RULE_EXACT, PLACE_RECORD, 600, 900, 900, 600 },
		{ RULE_EXACT, PLACE_RECORD, 600, -1, 900, 600 },
		{ RULE_EXACT, PLACE_RECORD, 0, 5, 5, 0 },
		/* the commonest mistake: 1048576 written over a higher default */
		{ RULE_AT_LEAST, PLACE_ISCSID_CONF, 1048576, 16776192, -1, 16776192 },
		{ RULE_AT_LEAST, PLACE_ISCSID_CONF, 1048576, 16776192, 16776192, 16776192 },
		{ RULE_AT_LEAST, PLACE_ISCSID_CONF, 1048576, 16776192, 262144, 16776192 },
		{ RULE_AT_LEAST, PLACE_REGISTRY, 1048576, 262144, 262144, 1048576 },
		{ RULE_AT_LEAST, PLACE_REGISTRY, 1048576, 262144, 2097152, 2097152 },
		{ RULE_AT_LEAST, PLACE_RECORD, 262144, -1, -1, 262144 },
		{ RULE_AT_LEAST, PLACE_RECORD, 262144, -1, 1, 262144 },
		{ RULE_AT_LEAST, PLACE_RECORD, 262144, -1, UINT32_MAX, UINT32_MAX },
		{ RULE_AT_MOST, PLACE_RECORD, 600, 120, -1, 120 },
		{ RULE_AT_MOST, PLACE_RECORD, 600, 900, -1, 600 },
		{ RULE_AT_MOST, PLACE_RECORD, 600, 900, 30, 30 },
		{ RULE_AT_MOST, PLACE_RECORD, 600, -1, 900, 600 },
		/* open-iscsi rounds lengths down before it declares them */
		{ RULE_AT_LEAST, PLACE_RECORD, 16777215, -1, -1, 16777215 },
		{ RULE_AT_LEAST, PLACE_SESSION, 16777215, -1, 16777212, 16777212 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char unit[] = "bytes";
		const struct setting setting = { .rule = rows[i].rule,
						 .value = rows[i].value,
						 .unit = unit };
		const struct setting_place place = {
			.kind = rows[i].kind,
			.has_default = rows[i].os_default >= 0,
			.os_default = (uint32_t)rows[i].os_default,
		};
		uint32_t current = (uint32_t)rows[i].current;
		uint32_t wanted =
			setting_wanted(&setting, &place, rows[i].current >= 0 ? &current : NULL);

		if (wanted != rows[i].wanted)
			fail_msg("row %zu: %u, expected %u", i, wanted, rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin_profiles_hold_what_aws_asks_for),
		cmocka_unit_test(test_builtin_profiles_are_complete),
		cmocka_unit_test(test_tape_has_no_rule_and_no_device),
		cmocka_unit_test(test_unknown_builtin_profile),
		cmocka_unit_test(test_negotiated_places),
		cmocka_unit_test(test_a_bad_profile_is_refused_with_its_line),
		cmocka_unit_test(test_a_profile_is_all_or_nothing),
		cmocka_unit_test(test_a_site_profile_changes_only_what_it_says),
		cmocka_unit_test(test_places_are_replaced_together),
		cmocka_unit_test(test_a_new_setting_is_added),
		cmocka_unit_test(test_a_file_for_another_profile_is_passed_over),
		cmocka_unit_test(test_every_word_of_the_schema_is_understood),
		cmocka_unit_test(test_line_numbers_of_a_long_file),
		cmocka_unit_test(test_a_file_without_end_is_refused),
		cmocka_unit_test(test_deep_nesting_is_refused),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_never_shows_the_value_of_an_unknown_key),
		cmocka_unit_test(test_settings_have_to_fit_one_another),
		cmocka_unit_test(test_the_place_of_a_misfit_is_the_file),
		cmocka_unit_test(test_wanted),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "documents/open_iscsi.h"

#include <string.h>

#include "buf.h"
#include "documents/open_iscsi_lines.h"

/* clang-format off */
#define NUMBER(name) { name, OPEN_ISCSI_NUMBER, NULL }
#define TEXT(name) { name, OPEN_ISCSI_TEXT, NULL }
#define OPTION(name, options) { name, OPEN_ISCSI_OPTION, options }
#define YES_NO "No|Yes"
#define STARTUP "manual|automatic|onboot"
#define DIGEST "None|CRC32C|CRC32C,None|None,CRC32C"

/*
 * iface.* numbers are narrower than an int and wrap; nothing here sets them, so
 * they count as text.
 */
const struct open_iscsi_key open_iscsi_keys[] = {
	TEXT("node.name"),
	NUMBER("node.tpgt"),
	OPTION("node.startup", STARTUP),
	OPTION("node.leading_login", YES_NO),
	TEXT("iface.iscsi_ifacename"),
	TEXT("iface.net_ifacename"),
	TEXT("iface.ipaddress"),
	TEXT("iface.prefix_len"),
	TEXT("iface.hwaddress"),
	TEXT("iface.transport_name"),
	TEXT("iface.initiatorname"),
	TEXT("iface.state"),
	TEXT("iface.vlan_id"),
	TEXT("iface.vlan_priority"),
	TEXT("iface.vlan_state"),
	TEXT("iface.iface_num"),
	TEXT("iface.mtu"),
	TEXT("iface.port"),
	TEXT("iface.bootproto"),
	TEXT("iface.subnet_mask"),
	TEXT("iface.gateway"),
	TEXT("iface.dhcp_alt_client_id_state"),
	TEXT("iface.dhcp_alt_client_id"),
	TEXT("iface.dhcp_dns"),
	TEXT("iface.dhcp_learn_iqn"),
	TEXT("iface.dhcp_req_vendor_id_state"),
	TEXT("iface.dhcp_vendor_id_state"),
	TEXT("iface.dhcp_vendor_id"),
	TEXT("iface.dhcp_slp_da"),
	TEXT("iface.fragmentation"),
	TEXT("iface.gratuitous_arp"),
	TEXT("iface.incoming_forwarding"),
	TEXT("iface.tos_state"),
	TEXT("iface.tos"),
	TEXT("iface.ttl"),
	TEXT("iface.ipv6_autocfg"),
	TEXT("iface.linklocal_autocfg"),
	TEXT("iface.router_autocfg"),
	TEXT("iface.ipv6_linklocal"),
	TEXT("iface.ipv6_router"),
	TEXT("iface.dup_addr_detect_cnt"),
	TEXT("iface.flow_label"),
	TEXT("iface.gratuitous_neighbor_adv"),
	TEXT("iface.hop_limit"),
	TEXT("iface.mld"),
	TEXT("iface.nd_reachable_tmo"),
	TEXT("iface.nd_rexmit_time"),
	TEXT("iface.nd_stale_tmo"),
	TEXT("iface.router_adv_link_mtu"),
	TEXT("iface.traffic_class"),
	TEXT("iface.delayed_ack"),
	TEXT("iface.tcp_nagle"),
	TEXT("iface.tcp_wsf_state"),
	TEXT("iface.tcp_wsf"),
	TEXT("iface.tcp_timer_scale"),
	TEXT("iface.tcp_timestamp"),
	TEXT("iface.redirect"),
	TEXT("iface.def_task_mgmt_timeout"),
	TEXT("iface.header_digest"),
	TEXT("iface.data_digest"),
	TEXT("iface.immediate_data"),
	TEXT("iface.initial_r2t"),
	TEXT("iface.data_seq_inorder"),
	TEXT("iface.data_pdu_inorder"),
	TEXT("iface.erl"),
	TEXT("iface.max_receive_data_len"),
	TEXT("iface.first_burst_len"),
	TEXT("iface.max_outstanding_r2t"),
	TEXT("iface.max_burst_len"),
	TEXT("iface.chap_auth"),
	TEXT("iface.bidi_chap"),
	TEXT("iface.strict_login_compliance"),
	TEXT("iface.discovery_auth"),
	TEXT("iface.discovery_logout"),
	TEXT("node.discovery_address"),
	NUMBER("node.discovery_port"),
	OPTION("node.discovery_type", "send_targets|isns|offload_send_targets|slp|static|fw"),
	NUMBER("node.session.initial_cmdsn"),
	NUMBER("node.session.initial_login_retry_max"),
	NUMBER("node.session.xmit_thread_priority"),
	NUMBER("node.session.cmds_max"),
	NUMBER("node.session.queue_depth"),
	NUMBER("node.session.nr_sessions"),
	OPTION("node.session.auth.authmethod", "None|CHAP"),
	TEXT("node.session.auth.username"),
	TEXT("node.session.auth.password"),
	NUMBER("node.session.auth.password_length"),
	TEXT("node.session.auth.username_in"),
	TEXT("node.session.auth.password_in"),
	NUMBER("node.session.auth.password_in_length"),
	{ "node.session.auth.chap_algs", OPEN_ISCSI_LIST, "MD5|SHA1|SHA256|SHA3-256" },
	NUMBER("node.session.timeo.replacement_timeout"),
	NUMBER("node.session.err_timeo.abort_timeout"),
	NUMBER("node.session.err_timeo.lu_reset_timeout"),
	NUMBER("node.session.err_timeo.tgt_reset_timeout"),
	NUMBER("node.session.err_timeo.host_reset_timeout"),
	OPTION("node.session.iscsi.FastAbort", YES_NO),
	OPTION("node.session.iscsi.InitialR2T", YES_NO),
	OPTION("node.session.iscsi.ImmediateData", YES_NO),
	NUMBER("node.session.iscsi.FirstBurstLength"),
	NUMBER("node.session.iscsi.MaxBurstLength"),
	NUMBER("node.session.iscsi.DefaultTime2Retain"),
	NUMBER("node.session.iscsi.DefaultTime2Wait"),
	NUMBER("node.session.iscsi.MaxConnections"),
	NUMBER("node.session.iscsi.MaxOutstandingR2T"),
	NUMBER("node.session.iscsi.ERL"),
	OPTION("node.session.scan", "manual|auto"),
	NUMBER("node.session.reopen_max"),
	TEXT("node.conn[0].address"),
	NUMBER("node.conn[0].port"),
	OPTION("node.conn[0].startup", STARTUP),
	NUMBER("node.conn[0].tcp.window_size"),
	NUMBER("node.conn[0].tcp.type_of_service"),
	NUMBER("node.conn[0].timeo.logout_timeout"),
	NUMBER("node.conn[0].timeo.login_timeout"),
	NUMBER("node.conn[0].timeo.auth_timeout"),
	NUMBER("node.conn[0].timeo.noop_out_interval"),
	NUMBER("node.conn[0].timeo.noop_out_timeout"),
	NUMBER("node.conn[0].iscsi.MaxXmitDataSegmentLength"),
	NUMBER("node.conn[0].iscsi.MaxRecvDataSegmentLength"),
	OPTION("node.conn[0].iscsi.HeaderDigest", DIGEST),
	OPTION("node.conn[0].iscsi.DataDigest", DIGEST),
	OPTION("node.conn[0].iscsi.IFMarker", YES_NO),
	OPTION("node.conn[0].iscsi.OFMarker", YES_NO),
	OPTION("discovery.startup", "manual|automatic"),
	TEXT("discovery.type"),
	TEXT("discovery.sendtargets.address"),
	NUMBER("discovery.sendtargets.port"),
	OPTION("discovery.sendtargets.auth.authmethod", "None|CHAP"),
	TEXT("discovery.sendtargets.auth.username"),
	TEXT("discovery.sendtargets.auth.password"),
	NUMBER("discovery.sendtargets.auth.password_length"),
	TEXT("discovery.sendtargets.auth.username_in"),
	TEXT("discovery.sendtargets.auth.password_in"),
	NUMBER("discovery.sendtargets.auth.password_in_length"),
	{ "discovery.sendtargets.auth.chap_algs", OPEN_ISCSI_LIST, "MD5|SHA1|SHA256|SHA3-256" },
	NUMBER("discovery.sendtargets.timeo.login_timeout"),
	OPTION("discovery.sendtargets.use_discoveryd", YES_NO),
	NUMBER("discovery.sendtargets.discoveryd_poll_inval"),
	NUMBER("discovery.sendtargets.reopen_max"),
	NUMBER("discovery.sendtargets.timeo.auth_timeout"),
	NUMBER("discovery.sendtargets.timeo.active_timeout"),
	NUMBER("discovery.sendtargets.iscsi.MaxRecvDataSegmentLength"),
	OPTION("discovery.isns.use_discoveryd", YES_NO),
	NUMBER("discovery.isns.discoveryd_poll_inval"),
};
/* clang-format on */

const size_t open_iscsi_key_count = ARRAY_LEN(open_iscsi_keys);

int open_iscsi_key_index(const char *key, size_t len, size_t start)
{
	size_t i, at;

	for (i = 0; i < open_iscsi_key_count; i++) {
		at = (start + i) % open_iscsi_key_count;
		if (strncmp(open_iscsi_keys[at].name, key, len) == 0 &&
		    open_iscsi_keys[at].name[len] == '\0')
			return (int)at;
	}
	return -1;
}

static bool is_option(const char *options, const char *value, size_t len)
{
	const char *at, *end;

	for (at = options; *at != '\0'; at = *end ? end + 1 : end) {
		end = at + strcspn(at, "|");
		if ((size_t)(end - at) == len && memcmp(at, value, len) == 0)
			return true;
	}
	return false;
}

bool open_iscsi_accepts(const struct open_iscsi_key *key, const char *value, size_t len)
{
	size_t i, word = 0;

	if (key->kind == OPEN_ISCSI_OPTION)
		return is_option(key->options, value, len);
	for (i = 0; key->kind == OPEN_ISCSI_LIST && i <= len; i++) {
		if (i < len && value[i] != ',' && !blank(value[i]))
			continue;
		if (i > word && !is_option(key->options, value + word, i - word))
			return false;
		word = i + 1;
	}
	return true;
}

/* strtoul() into an int, on a 64-bit machine: no range check, and the sign wraps. */
int32_t open_iscsi_number(const char *value, size_t len)
{
	uint64_t number = 0;
	bool negative = false;
	size_t i = 0;

	while (i < len && blank(value[i]))
		i++;
	if (i < len && (value[i] == '-' || value[i] == '+'))
		negative = value[i++] == '-';
	for (; i < len && value[i] >= '0' && value[i] <= '9'; i++) {
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(value[i] - '0'), &number))
			return -1;
	}
	return (int32_t)(uint32_t)(negative ? -number : number);
}

bool open_iscsi_is_secret(const char *key)
{
	return strstr(key, "password") != NULL && strstr(key, "_length") == NULL;
}

static const char *find(const char *at, const char *end, const char *word)
{
	size_t len = strlen(word);

	for (; (size_t)(end - at) >= len; at++) {
		if (memcmp(at, word, len) == 0)
			return at;
	}
	return NULL;
}

size_t open_iscsi_first(const char *bytes, size_t len, const char *key, const char **value)
{
	const char *at, *end = bytes + len, *eol, *tail, *found;

	for (at = bytes; at < end; at = eol + 1) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (!eol)
			eol = end;
		found = find(at, eol, key);
		if (!found || memchr(at, '#', (size_t)(found - at)))
			continue;
		found = memchr(found, '=', (size_t)(eol - found));
		if (!found)
			continue;
		for (found++; found < eol && blank(*found);)
			found++;
		for (tail = eol; tail > found && blank(tail[-1]);)
			tail--;
		*value = found;
		if (tail > found)
			return (size_t)(tail - found);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* The login phase of sgw-target, rule by rule: RFC 7143, 6 and 11.12; CHAP, 12.1.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "target_script.h"

/* Straight to the full feature phase, without a proof. */
#define LOGIN "> 1/3T : I|T\n< 0000 1/3T\n"
/* CHAP as far as the challenge; the table of a step has the rest. */
#define METHOD "> 0 : I|T|AuthMethod=CHAP,None\n< 0000 0 : AuthMethod=CHAP\n"
#define CHALLENGE METHOD "> 0 : CHAP_A=5\n< 0000 0 : CHAP_A=5|CHAP_I=*|CHAP_C=*\n"
#define USER "CHAP_N=iqn.2026-01.com.example:host"
#define RIGHT USER "|CHAP_R=%R{initiatorsecret}"
/* A response that was refused, behind which the connection ends. */
#define REFUSED(status) "< " status "\n< closed"

#define REPEAT_10(x) x x x x x x x x x x

static const struct script_row stages[] = {
	{ "L-STAGE-1 straight to stage 1", LOGIN "< open" },
	{ "L-STAGE-1 0, 1, 3", "> 0/1T : I|T|AuthMethod=None\n< 0000 0/1T : AuthMethod=None\n"
			       "> 1/3T :\n< 0000 1/3T\n< open" },
	{ "L-STAGE-1 0, 3", "> 0/3T : I|T|AuthMethod=None\n< 0000 0/3T\n< open" },
	{ "L-STAGE-1 empty stages", "> 0 : I|T\n< 0000 0\n> 0/1T :\n< 0000 0/1T : !\n> 1 :\n"
				    "< 0000 1\n> 1/3T :\n< 0000 1/3T : !\n< open" },
	{ "L-STAGE-1 no transit unasked", "> 1 : I|T|MaxBurstLength=512\n< 0000 1\n< open" },
	{ "L-STAGE-2 skips the proof", "chap mutual\n> 1/3T : I|T\n" REFUSED("0201") },
	{ "L-STAGE-2 skips it, T=0", "chap mutual\n> 1 : I|T\n" REFUSED("0201") },
	{ "L-STAGE-3 operational key in stage 0",
	  "> 0 : I|T|MaxBurstLength=512\n" REFUSED("0200") },
	{ "L-STAGE-3 CHAP key in stage 1", "> 1 : I|T|CHAP_A=5\n" REFUSED("0200") },
	{ "L-STAGE-3 AuthMethod in stage 1", "> 1 : I|T|AuthMethod=None\n" REFUSED("0200") },
	{ "L-STAGE-3 back to stage 0", "> 1 : I|T\n< 0000 1\n> 0/1T :\n" REFUSED("0200") },
	{ "L-STAGE-3 ahead of the agreed stage",
	  "> 0 : I|T\n< 0000 0\n> 1/3T :\n" REFUSED("0200") },
	{ "L-STAGE-4 CSG 2", "> 2/3T : I|T\n" REFUSED("0200") },
	{ "L-STAGE-4 CSG 3", "> 3 : I|T\n" REFUSED("0200") },
	{ "L-STAGE-4 NSG 2", "> 1/2T : I|T\n" REFUSED("0200") },
	{ "L-STAGE-4 NSG below CSG", "> 1/0T : I|T\n" REFUSED("0200") },
	{ "L-STAGE-4 NSG the same", "> 1/1T : I|T\n" REFUSED("0200") },
	{ "L-STAGE-4 T and C", "> 1/3TC : I|T\n" REFUSED("0200") },
	{ "L-STAGE-5 NOP-Out first", "> nop : x\n< closed" },
	{ "L-STAGE-5 NOP-Out in mid login", "> 1 : I|T\n< 0000 1\n> nop : x\n" REFUSED("020b") },
	{ "L-STAGE-6 two at once, in order", "> 1 : I|T\n> 1/3T :\n< 0000 1\n< 0000 1/3T\n< open" },
	{ "L-STAGE-7 ITT changed", "> 1 : I|T\n< 0000 1\n> 1 itt=2 :\n" REFUSED("0200") },
	{ "L-STAGE-7 TSIH changed", "> 1 : I|T\n< 0000 1\n> 1 tsih=9 :\n" REFUSED("0200 tsih=0") },
	{ "L-STAGE-7 ISID changed", "> 1 : I|T\n< 0000 1\n> 1 isid=9 :\n" REFUSED("0200") },
	{ "L-STAGE-7 the first version counts",
	  "> 1 : I|T\n< 0000 1\n> 1/3T vmin=7 :\n< 0000 1/3T\n< open" },
	{ "L-STAGE-7 the first CID counts",
	  "> 1 cid=4 : I|T\n< 0000 1\n> 1/3T cid=5 :\n< 0000 1/3T\n> logout fn=1 cid=4\n"
	  "< logout code=0\n< closed" },
	{ "L-STAGE-8 endless requests", "limit requests 3\n> 1 : I|T\n< 0000 1\n> 1 :\n< 0000 1\n"
					"> 1 :\n< 0000 1\n> 1 :\n" REFUSED("0200") },
	{ "L-SN-1 CmdSN x, and the first command", "> 1/3T sn=0xfffffff0 : I|T\n"
						   "< 0000 1/3T exp=0xfffffff0\n> nop : x\n"
						   "< nop exp=0xfffffff1" },
	{ "L-VER-1 version 1 asked for", "> 1/3T vmin=1 vmax=1 : I|T\n" REFUSED("0205") },
	{ "L-VER-1 0 to 255", "> 1/3T vmin=0 vmax=255 : I|T\n< 0000 1/3T\n< open" },
	{ "AHS in a login", "> 1/3T ahs=00010100 : I|T\n" REFUSED("0200") },
	{ "DSL above 8192", "> 1/3T dsl=8193 : I|T\n" REFUSED("0200") },
};

static const struct script_row names[] = {
	{ "L-NAME-1 no InitiatorName", "> 1/3T : T\n" REFUSED("0207") },
	{ "L-NAME-1 only in the second", "> 1 : T\n" REFUSED("0207") },
	{ "L-NAME-1 no TargetName", "> 1/3T : I\n" REFUSED("0207") },
	{ "L-NAME-2 223 bytes", "> 1/3T : InitiatorName=iqn.2026-01.com.example:%x{199}|T\n"
				"< 0000 1/3T\n< open" },
	{ "L-NAME-2 224 bytes",
	  "> 1/3T : InitiatorName=iqn.2026-01.com.example:%x{200}|T\n" REFUSED("0200") },
	{ "L-NAME-2 empty", "> 1/3T : InitiatorName=|T\n" REFUSED("0200") },
	{ "L-NAME-2 no type", "> 1/3T : InitiatorName=host|T\n" REFUSED("0200") },
	{ "L-NAME-2 eui.", "> 1/3T : InitiatorName=eui.02004567a425678d|T\n< 0000 1/3T\n< open" },
	{ "L-NAME-2 naa.", "> 1/3T : InitiatorName=naa.52004567ba64678d|T\n< 0000 1/3T\n< open" },
	{ "L-NAME-2 control byte",
	  "> 1/3T : InitiatorName=iqn.2026-01.com.example:a%b{1}b|T\n" REFUSED("0200") },
	{ "L-NAME-2 newline",
	  "> 1/3T : InitiatorName=iqn.2026-01.com.example:a%b{a}b|T\n" REFUSED("0200") },
	{ "L-NAME-2 bad UTF-8",
	  "> 1/3T : InitiatorName=iqn.2026-01.com.example:%b{c3}%b{28}|T\n" REFUSED("0200") },
	{ "L-NAME-2 TargetName of 224 bytes",
	  "> 1/3T : I|TargetName=iqn.2026-01.com.example:%x{200}\n" REFUSED("0200") },
	{ "L-NAME-2 upper case is one identity",
	  "> 1/3T : InitiatorName=iqn.2026-01.com.example:HOST|T\n< 0000 1/3T\n"
	  "b > 1/3T isid=1 : I|T\nb < 0000 1/3T\na < closed\nb < open" },
	{ "L-NAME-2 upper case of the target",
	  "> 1/3T : I|TargetName=IQN.1997-05.com.amazon:MyVolume\n< 0000 1/3T\n< open" },
	{ "L-NAME-3 unknown target",
	  "> 1/3T : I|TargetName=iqn.1997-05.com.amazon:other\n" REFUSED("0203") },
	{ "L-NAME-3 proven, not admitted",
	  "chap mutual\n> 0 : InitiatorName=iqn.2026-01.com.example:guest|T|AuthMethod=CHAP\n"
	  "< 0000 0\n> 0 : CHAP_A=5\n< 0000 0\n> 0/1T : " RIGHT "\n" REFUSED("0202") },
	{ "L-TYPE-1 discovery without a name", "> 1/3T : I|D\n< 0000 1/3T\n< open" },
	{ "L-TYPE-1 with a name", "> 1/3T : I|D|T\n< 0000 1/3T\n< open" },
	{ "L-TYPE-1 with an unknown name",
	  "> 1/3T : I|D|TargetName=iqn.1997-05.com.amazon:other\n" REFUSED("0203") },
	{ "L-TYPE-2 discovery in lower case",
	  "> 1/3T : I|SessionType=discovery\n" REFUSED("0200") },
	{ "L-TYPE-2 Foo", "> 1/3T : I|T|SessionType=Foo\n" REFUSED("0200") },
	{ "L-TYPE-2 twice", "> 1/3T : I|D|D\n" REFUSED("0200") },
	{ "L-TYPE-3 what discovery does not have",
	  "> 1/3T : I|MaxBurstLength=512|D|MaxConnections=4|ErrorRecoveryLevel=2\n< 0000 1/3T : "
	  "MaxConnections=Irrelevant|MaxBurstLength=Irrelevant|ErrorRecoveryLevel=0" },
	{ "L-TPGT-1 in the first response, once",
	  "> 0 : I|T|AuthMethod=None\n< 0000 0 : TargetPortalGroupTag=1\n> 0/1T :\n"
	  "< 0000 0/1T : -TargetPortalGroupTag\n> 1/3T :\n< 0000 1/3T : -TargetPortalGroupTag" },
	{ "L-TPGT-1 behind the parts of a request",
	  "> 1C raw : InitiatorName=iqn.2026-01.com.example:h|\n< 0000 1 : !\n> 1/3T : T\n"
	  "< 0000 1/3T : TargetPortalGroupTag=1" },
	{ "names may come again in another stage (libiscsi)",
	  "> 0/1T : I|T|N|AuthMethod=None\n< 0000 0/1T\n> 1/3T : I|T|N\n< 0000 1/3T\n< open" },
	{ "another name in another stage",
	  "> 0/1T : I|T|AuthMethod=None\n< 0000 0/1T\n"
	  "> 1/3T : InitiatorName=iqn.2026-01.com.example:two\n" REFUSED("0200") },
};

static const struct script_row identities[] = {
	{ "L-ID-1 TSIH of nobody", "> 1/3T tsih=77 : I|T\n" REFUSED("020a tsih=77") },
	{ "L-ID-1 right TSIH, other ISID",
	  LOGIN "b > 1/3T tsih=a isid=9 : I|T\nb < 020a\nb < closed\na < open" },
	{ "L-ID-1 right TSIH, other initiator",
	  LOGIN "b > 1/3T tsih=a isid=1 : InitiatorName=iqn.2026-01.com.example:x|T\nb < 020a\n"
		"a < open" },
	{ "L-ID-1 right TSIH, other target",
	  "targets 1\n" LOGIN
	  "b > 1/3T tsih=a isid=1 : I|TargetName=iqn.1997-05.com.amazon:volume-00001\nb < 020a\n"
	  "a < open" },
	{ "L-ID-2 reinstatement", LOGIN "b > 1/3T isid=1 : I|T\nb < 0000 1/3T\na < closed\n"
					"b > nop : x\nb < nop : !x" },
	{ "L-ID-2 not before the end of the login",
	  LOGIN "b > 1 isid=1 : I|T\nb < 0000 1\na < open\na > nop : x\na < nop" },
	{ "L-ID-2 not without the proof",
	  "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "\n< 0000 0/1T\n> 1/3T :\n< 0000 1/3T\n"
	  "b > 0 isid=1 : I|T|AuthMethod=CHAP\nb < 0000 0\nb > 0 isid=1 : CHAP_A=5\nb < 0000 0\n"
	  "b > 0/1T isid=1 : " USER "|CHAP_R=%Z{initiatorsecret}\nb < 0201\na < open" },
	{ "L-ID-2 other target, same ISID: two sessions",
	  "targets 1\n" LOGIN
	  "b > 1/3T isid=1 : I|TargetName=iqn.1997-05.com.amazon:volume-00001\nb < 0000 1/3T\n"
	  "a < open" },
	{ "L-ID-3 a second connection",
	  LOGIN "b > 1/3T tsih=a isid=1 cid=1 : I|T\nb < 0206\na < open" },
	{ "L-ID-3 the same CID takes over",
	  LOGIN "b > 1/3T tsih=a isid=1 : I|T\nb < 0000 1/3T\na < closed\nb > nop : x\nb < nop" },
	{ "L-ID-3 what came early is gone",
	  LOGIN "> nop sn=101 : early\n< none\nb > 1/3T tsih=a isid=1 : I|T\nb < 0000 1/3T\n"
		"b > nop sn=100 : x\nb < nop : !x\nb < open\nb > nop sn=101 : y\nb < nop : !y" },
	{ "L-ID-3 key of the leading login alone",
	  LOGIN "b > 1/3T tsih=a isid=1 : I|T|MaxBurstLength=512\nb < 0200\na < open" },
	{ "L-ID-4 discovery twice", "> 1/3T : I|D\n< 0000 1/3T\nb > 1/3T isid=1 : I|D\n"
				    "b < 0000 1/3T\na < closed\nb < open" },
	{ "L-ID-4 normal sessions stay", LOGIN "b > 1/3T isid=1 : I|D\nb < 0000 1/3T\na < open" },
	{ "--initiators 1", "limit initiators 1\n" LOGIN
			    "b > 1/3T : InitiatorName=iqn.2026-01.com.example:x|T\nb < 0302\n"
			    "a < open" },
	{ "--initiators 1, the same one twice",
	  "limit initiators 1\n" LOGIN "b > 1/3T : I|T\nb < 0000 1/3T\na < open" },
	{ "--initiators 2 counts initiators, not sessions",
	  "limit initiators 2\n" LOGIN "b > 1/3T : I|T\nb < 0000 1/3T\n"
	  "c > 1/3T : InitiatorName=iqn.2026-01.com.example:x|T\nc < 0000 1/3T\n"
	  "d > 1/3T : InitiatorName=iqn.2026-01.com.example:y|T\nd < 0302" },
	{ "--initiators 1, and discovery",
	  "limit initiators 1\n" LOGIN
	  "b > 1/3T : InitiatorName=iqn.2026-01.com.example:x|D\nb < 0000 1/3T" },
	{ "L-TIME-1 at the session cap", "limit sessions 1\n" LOGIN "b > 1/3T : I|T\nb < 0302\n"
					 "a > logout\na < logout\na < closed\nb new\n"
					 "b > 1/3T : I|T\nb < 0000 1/3T" },
	{ "L-TIME-1 at the session cap, reinstated",
	  "limit sessions 1\n" LOGIN "b > 1/3T isid=1 : I|T\nb < 0000 1/3T" },
	{ "L-TIME-1 at the connection cap",
	  "limit connections 1\n" LOGIN "b > 1/3T : I|T\nb < 0302\nb < closed" },
	{ "L-TIME-1 nothing", "new\nwait 14000\n< open\nwait 2000\n< closed" },
	{ "L-TIME-1 half a header",
	  "> 1/3T cut=20 : I|T\nwait 14000\n< open\nwait 2000\n< closed" },
	{ "L-TIME-1 half the data, others log in meanwhile",
	  "> 1/3T cut=60 : I|T\nb > 1/3T : I|T\nb < 0000 1/3T\nwait 16000\n< closed\nb < open" },
	{ "L-TIME-1 a round now and then",
	  "> 1 : I|T\n< 0000 1\nwait 9000\n> 1 :\n< 0000 1\nwait 9000\n< closed" },
};

#define KEY(name, sent, answer)                                                 \
	{                                                                       \
		name, "> 1/3T : I|T|" sent "\n< 0000 1/3T : " answer "\n< open" \
	}
#define BAD(name, sent)                                         \
	{                                                       \
		name, "> 1/3T : I|T|" sent "\n" REFUSED("0200") \
	}

static const struct script_row keys[] = {
	KEY("L-KEY-1 CRC32C first", "HeaderDigest=CRC32C,None", "HeaderDigest=CRC32C"),
	KEY("L-KEY-1 None first", "DataDigest=None,CRC32C", "DataDigest=None"),
	KEY("L-KEY-1 unknown first", "HeaderDigest=foo,CRC32C", "HeaderDigest=CRC32C"),
	KEY("L-KEY-1 unknown alone", "HeaderDigest=foo", "HeaderDigest=Reject"),
	{ "L-KEY-1 in force from the next PDU on",
	  "> 1/3T : I|T|HeaderDigest=CRC32C|DataDigest=CRC32C\n< 0000 1/3T\n> nop : abc\n"
	  "< nop : !abc" },
	KEY("L-KEY-2 1", "MaxConnections=1", "MaxConnections=1"),
	KEY("L-KEY-2 8", "MaxConnections=8", "MaxConnections=1"),
	KEY("L-KEY-2 65535", "MaxConnections=65535", "MaxConnections=1"),
	KEY("L-KEY-2 0", "MaxConnections=0", "MaxConnections=Reject"),
	KEY("L-KEY-2 65536", "MaxConnections=65536", "MaxConnections=Reject"),
	KEY("L-KEY-3 R2T Yes", "InitialR2T=Yes", "InitialR2T=Yes"),
	KEY("L-KEY-3 R2T No OR ours", "InitialR2T=No", "InitialR2T=No"),
	KEY("L-KEY-3 Immediate Yes", "ImmediateData=Yes", "ImmediateData=Yes"),
	KEY("L-KEY-3 Immediate No", "ImmediateData=No", "ImmediateData=No"),
	KEY("L-KEY-3 PDU order", "DataPDUInOrder=No", "DataPDUInOrder=Yes"),
	KEY("L-KEY-3 sequence order", "DataSequenceInOrder=No", "DataSequenceInOrder=Yes"),
	KEY("L-KEY-3 yes", "InitialR2T=yes", "InitialR2T=Reject"),
	KEY("L-KEY-3 1", "ImmediateData=1", "ImmediateData=Reject"),
	KEY("L-KEY-3 empty", "ImmediateData=", "ImmediateData=Reject"),
	KEY("L-KEY-4 512, and ours declared once", "MaxRecvDataSegmentLength=512",
	    "MaxRecvDataSegmentLength=262144"),
	KEY("L-KEY-4 16777215", "MaxRecvDataSegmentLength=16777215",
	    "MaxRecvDataSegmentLength=262144"),
	BAD("L-KEY-4 0", "MaxRecvDataSegmentLength=0"),
	BAD("L-KEY-4 511", "MaxRecvDataSegmentLength=511"),
	BAD("L-KEY-4 16777216", "MaxRecvDataSegmentLength=16777216"),
	{ "L-KEY-4 obeyed from then on", "> 1/3T : I|T|MaxRecvDataSegmentLength=512\n< 0000 1/3T\n"
					 "> nop data=600 :\n< nop dsl=512" },
	{ "L-KEY-4 ours once in a login of two rounds",
	  "> 1 : I|T\n< 0000 1 : MaxRecvDataSegmentLength=262144\n> 1/3T :\n"
	  "< 0000 1/3T : -MaxRecvDataSegmentLength" },
	KEY("L-KEY-5 512", "MaxBurstLength=512", "MaxBurstLength=512"),
	KEY("L-KEY-5 16776192 stays", "MaxBurstLength=16776192", "MaxBurstLength=16776192"),
	KEY("L-KEY-5 16777215", "MaxBurstLength=16777215", "MaxBurstLength=16776192"),
	KEY("L-KEY-5 511", "MaxBurstLength=511", "MaxBurstLength=Reject"),
	KEY("L-KEY-5 16777216", "MaxBurstLength=16777216", "MaxBurstLength=Reject"),
	KEY("L-KEY-5 first burst", "FirstBurstLength=16777215", "FirstBurstLength=262144"),
	KEY("L-KEY-5 first within max", "FirstBurstLength=262144|MaxBurstLength=4096",
	    "FirstBurstLength=4096|MaxBurstLength=4096"),
	KEY("L-KEY-5 first though there is none",
	    "InitialR2T=Yes|ImmediateData=No|FirstBurstLength=8192", "FirstBurstLength=8192"),
	KEY("L-KEY-6 wait 0", "DefaultTime2Wait=0", "DefaultTime2Wait=2"),
	KEY("L-KEY-6 wait 3600", "DefaultTime2Wait=3600", "DefaultTime2Wait=3600"),
	KEY("L-KEY-6 wait 3601", "DefaultTime2Wait=3601", "DefaultTime2Wait=Reject"),
	KEY("L-KEY-6 retain 0", "DefaultTime2Retain=0", "DefaultTime2Retain=0"),
	KEY("L-KEY-6 retain 3600", "DefaultTime2Retain=3600", "DefaultTime2Retain=20"),
	KEY("L-KEY-6 retain 3601", "DefaultTime2Retain=3601", "DefaultTime2Retain=Reject"),
	KEY("L-KEY-7 R2T 1", "MaxOutstandingR2T=1", "MaxOutstandingR2T=1"),
	KEY("L-KEY-7 R2T 65535", "MaxOutstandingR2T=65535", "MaxOutstandingR2T=8"),
	KEY("L-KEY-7 R2T 0", "MaxOutstandingR2T=0", "MaxOutstandingR2T=Reject"),
	KEY("L-KEY-7 R2T 65536", "MaxOutstandingR2T=65536", "MaxOutstandingR2T=Reject"),
	KEY("L-KEY-7 recovery 2", "ErrorRecoveryLevel=2", "ErrorRecoveryLevel=0"),
	KEY("L-KEY-7 recovery 3", "ErrorRecoveryLevel=3", "ErrorRecoveryLevel=Reject"),
	KEY("L-KEY-8 reporting", "TaskReporting=FastAbort,ResponseFence,RFC3720",
	    "TaskReporting=RFC3720"),
	KEY("L-KEY-8 level 1", "iSCSIProtocolLevel=1", "iSCSIProtocolLevel=1"),
	KEY("L-KEY-8 level 2", "iSCSIProtocolLevel=2", "iSCSIProtocolLevel=1"),
	KEY("L-KEY-8 level 31", "iSCSIProtocolLevel=31", "iSCSIProtocolLevel=1"),
	KEY("L-KEY-9 markers", "IFMarker=Yes|OFMarker=No", "IFMarker=No|OFMarker=No"),
	KEY("L-KEY-9 intervals", "IFMarkInt=2048~8192|OFMarkInt=1",
	    "IFMarkInt=Reject|OFMarkInt=Reject"),
	KEY("L-KEY-10 alias", "InitiatorAlias=%b{c3}%b{a4}%x{253}", "-InitiatorAlias"),
	KEY("L-KEY-10 strangers", "X-com.example.a=1|X#NodeArchitecture=x|Unheard=2",
	    "X-com.example.a=NotUnderstood|X#NodeArchitecture=NotUnderstood|Unheard=NotUnderstood"),
	BAD("L-KEY-11 TargetAlias", "TargetAlias=x"),
	BAD("L-KEY-11 TargetAddress", "TargetAddress=127.0.0.1:3260,1"),
	BAD("L-KEY-11 TargetPortalGroupTag", "TargetPortalGroupTag=1"),
	KEY("L-KEY-12 hex", "MaxBurstLength=0x200", "MaxBurstLength=512"),
	KEY("L-KEY-12 HEX", "MaxBurstLength=0X200", "MaxBurstLength=512"),
	KEY("L-KEY-12 leading zero", "MaxBurstLength=0512", "MaxBurstLength=Reject"),
	KEY("L-KEY-12 plus", "MaxBurstLength=+512", "MaxBurstLength=Reject"),
	KEY("L-KEY-12 blank", "MaxBurstLength=512%b{20}", "MaxBurstLength=Reject"),
	KEY("L-KEY-12 minus", "MaxBurstLength=-1", "MaxBurstLength=Reject"),
	KEY("L-KEY-12 2^64", "MaxBurstLength=18446744073709551616", "MaxBurstLength=Reject"),
	KEY("L-KEY-12 2^64 + 512", "MaxBurstLength=18446744073709552128", "MaxBurstLength=Reject"),
	KEY("L-KEY-12 empty", "MaxBurstLength=", "MaxBurstLength=Reject"),
	KEY("L-KEY-12 range", "MaxBurstLength=512~1024", "MaxBurstLength=Reject"),
	BAD("L-KEY-13 twice in one", "MaxBurstLength=512|MaxBurstLength=512"),
	{ "L-KEY-13 again in another request",
	  "> 1 : I|T|MaxBurstLength=512\n< 0000 1\n> 1/3T : MaxBurstLength=512\n" REFUSED("0200") },
	{ "L-KEY-13 a declaration again",
	  "> 1 : I|T|MaxRecvDataSegmentLength=512\n< 0000 1\n"
	  "> 1/3T : MaxRecvDataSegmentLength=512\n" REFUSED("0200") },
	BAD("L-KEY-13 name twice in one", "I"),
	BAD("L-KEY-14 Reject", "MaxBurstLength=Reject"),
	BAD("L-KEY-14 Irrelevant", "InitialR2T=Irrelevant"),
	BAD("L-KEY-14 NotUnderstood", "HeaderDigest=NotUnderstood"),
	BAD("L-KEY-15 no =", "MaxBurstLength"),
	BAD("L-KEY-15 =x", "=x"),
	{ "L-KEY-15 no final NUL",
	  "> 1/3T raw : "
	  "TargetName=iqn.1997-05.com.amazon:myvolume|InitiatorName=iqn.2026-01.a:b\n" REFUSED(
		  "0200") },
	BAD("L-KEY-15 key of 64 bytes", "%x{64}=1"),
	KEY("L-KEY-15 key of 63 bytes", "X%x{62}=1", "-Y"),
	BAD("L-KEY-15 value of 256 bytes", "X-a=%x{256}"),
	KEY("L-KEY-15 value of 255 bytes", "X-a=%x{255}", "X-a=NotUnderstood"),
	KEY("L-KEY-15 doubled NULs", "%0{5}X-a=1|%0{3}", "X-a=NotUnderstood"),
	KEY("L-KEY-16 case counts", "maxburstlength=512", "maxburstlength=NotUnderstood"),
	{ "L-C-1 cut in the key, at =, in a value, before NUL",
	  "> 1C raw : Initi\n< 0000 1 : !\n> 1C raw : atorName\n< 0000 1 : !\n"
	  "> 1C raw : =iqn.2026-01.com.ex\n< 0000 1 : !\n"
	  "> 1C raw : ample:host|TargetName=iqn.1997-05.com.amazon:myvolume|MaxBurstLength=512\n"
	  "< 0000 1 : !\n> 1/3T raw : |\n< 0000 1/3T : MaxBurstLength=512\n< open" },
	{ "L-C-1 8192 bytes in all", "> 1C : I|T|%0{7000}\n< 0000 1 : !\n> 1/3T : %0{1000}X-a=1\n"
				     "< 0000 1/3T : X-a=NotUnderstood" },
	{ "L-C-1 without end", "limit text 9000\n> 1C : I|T|%0{8000}\n< 0000 1 : !\n"
			       "> 1C : %0{1000}\n" REFUSED("0200") },
	{ "L-C-2 an answer in parts", "limit part 40\n> 1/3T : I|T|X-a=1|X-b=2\n< 0000 1C "
				      "dsl=40\n> 1/3T :\n< 0000 1C\n> 1/3T :\n"
				      "< 0000 1/3T\n> nop : x\n< nop" },
	{ "L-C-2 text instead of an empty request",
	  "limit part 20\n> 1/3T : I|T|X-a=1|X-b=2\n< 0000 1C\n> 1/3T : X-c=3\n" REFUSED("0200") },
};

static const struct script_row chap[] = {
	{ "C-METH-1 CHAP,None", "chap mutual\n> 0/1T : I|T|AuthMethod=CHAP,None\n"
				"< 0000 0 : AuthMethod=CHAP" },
	{ "C-METH-1 None,CHAP", "chap mutual\n> 0/1T : I|T|AuthMethod=None,CHAP\n"
				"< 0000 0 : AuthMethod=CHAP" },
	{ "C-METH-1 KRB5,CHAP", "chap mutual\n> 0 : I|T|AuthMethod=KRB5,CHAP\n"
				"< 0000 0 : AuthMethod=CHAP" },
	{ "C-METH-2 None", "chap mutual\n> 0 : I|T|AuthMethod=None\n" REFUSED("0201") },
	{ "C-METH-2 KRB5", "chap mutual\n> 0 : I|T|AuthMethod=KRB5\n" REFUSED("0201") },
	{ "C-METH-2 empty", "chap mutual\n> 0 : I|T|AuthMethod=\n" REFUSED("0201") },
	{ "C-METH-2 not demanded", "> 0/1T : I|T|AuthMethod=None,CHAP\n"
				   "< 0000 0/1T : AuthMethod=None" },
	{ "C-METH-2 CHAP alone, and nobody to check it",
	  "> 0 : I|T|AuthMethod=CHAP\n" REFUSED("0201") },
	{ "C-METH-3 no AuthMethod", "chap mutual\n> 0/1T : I|T\n" REFUSED("0201") },
	{ "C-METH-3 no AuthMethod, to stage 3", "chap mutual\n> 0/3T : I|T\n" REFUSED("0201") },
	{ "C-SEQ-1 one-way", "chap oneway\n" CHALLENGE "> 0/1T : " RIGHT "\n< 0000 0/1T : !\n"
			     "> 1/3T :\n< 0000 1/3T\n< open" },
	{ "C-SEQ-1 one-way, T in a request of its own",
	  "chap oneway\n" CHALLENGE "> 0 : " RIGHT "\n< 0000 0 : !\n> 0/1T :\n< 0000 0/1T" },
	{ "C-SEQ-1 straight to stage 3",
	  "chap oneway\n" CHALLENGE "> 0/3T : " RIGHT "\n< 0000 0/3T\n< open" },
	{ "C-SEQ-1 mutual",
	  "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "|CHAP_I=7|CHAP_C=%h{16}\n< 0000 0/1T : "
	  "CHAP_N=iqn.1997-05.com.amazon:myvolume|CHAP_R=%M{targetsecret1}\n> 1/3T :\n"
	  "< 0000 1/3T\n< open" },
	{ "C-SEQ-1 mutual is there, the initiator does not ask",
	  "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "\n< 0000 0/1T : !" },
	{ "C-SEQ-2 N and R first",
	  "chap mutual\n" METHOD "> 0 : CHAP_N=x|CHAP_R=0x00\n" REFUSED("0201") },
	{ "C-SEQ-2 A before AuthMethod is agreed on",
	  "chap mutual\n> 0 : I|T|AuthMethod=CHAP|CHAP_A=5\n" REFUSED("0201") },
	{ "C-SEQ-2 keys without AuthMethod", "chap mutual\n> 0 : I|T|CHAP_A=5\n" REFUSED("0201") },
	{ "C-SEQ-2 R without N",
	  "chap mutual\n" CHALLENGE "> 0 : CHAP_R=%R{initiatorsecret}\n" REFUSED("0201") },
	{ "C-SEQ-2 N without R", "chap mutual\n" CHALLENGE "> 0 : " USER "\n" REFUSED("0201") },
	{ "C-SEQ-2 C without I",
	  "chap mutual\n" CHALLENGE "> 0 : " RIGHT "|CHAP_C=%h{16}\n" REFUSED("0201") },
	{ "C-SEQ-2 I without C",
	  "chap mutual\n" CHALLENGE "> 0 : " RIGHT "|CHAP_I=1\n" REFUSED("0201") },
	{ "C-SEQ-2 A again", "chap mutual\n" CHALLENGE "> 0 : CHAP_A=5\n" REFUSED("0200") },
	{ "C-SEQ-2 T before the algorithm", "chap mutual\n" METHOD "> 0/1T :\n" REFUSED("0201") },
	{ "C-SEQ-2 T before the response", "chap mutual\n" CHALLENGE "> 0/1T :\n" REFUSED("0201") },
	{ "C-SEQ-2 T with the algorithm is not granted",
	  "chap mutual\n" METHOD "> 0/1T : CHAP_A=5\n< 0000 0 : CHAP_A=5" },
	{ "C-SEQ-2 more keys after the proof",
	  "chap mutual\n" CHALLENGE "> 0 : " RIGHT
	  "\n< 0000 0\n> 0 : CHAP_I=1|CHAP_C=%h{16}\n" REFUSED("0201") },
	{ "C-A-1 7,5", "chap mutual\n" METHOD "> 0 : CHAP_A=7,5\n< 0000 0 : CHAP_A=7" },
	{ "C-A-1 5,6,7,8", "chap mutual\n" METHOD "> 0 : CHAP_A=5,6,7,8\n< 0000 0 : CHAP_A=5" },
	{ "C-A-1 0x5", "chap mutual\n" METHOD "> 0 : CHAP_A=0x5\n< 0000 0 : CHAP_A=5" },
	{ "C-A-1 9,5", "chap mutual\n" METHOD "> 0 : CHAP_A=9,5\n< 0000 0 : CHAP_A=5" },
	{ "C-A-1 56", "chap mutual\n" METHOD "> 0 : CHAP_A=56\n" REFUSED("0201") },
	{ "C-A-1 empty", "chap mutual\n" METHOD "> 0 : CHAP_A=\n" REFUSED("0201") },
	{ "C-A-1 9", "chap mutual\n" METHOD "> 0 : CHAP_A=9\n" REFUSED("0201") },
	{ "C-A-1 300 numbers",
	  "chap mutual\n" METHOD "> 0 : CHAP_A=9%0{0}" REPEAT_10(REPEAT_10(",9"))
		  REPEAT_10(REPEAT_10(",9")) REPEAT_10(REPEAT_10(",9")) "\n" REFUSED("0200") },
	{ "C-OWN-1 another challenge on each attempt",
	  "chap oneway\n" CHALLENGE "new\n" CHALLENGE "new\n" CHALLENGE "new\n" CHALLENGE },
	{ "C-I-1 255", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "|CHAP_I=255|CHAP_C=%h{16}\n"
		       "< 0000 0/1T : CHAP_R=%M{targetsecret1}" },
	{ "C-I-1 0xff", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "|CHAP_I=0xff|CHAP_C=%h{16}\n"
			"< 0000 0/1T : CHAP_R=%M{targetsecret1}" },
	{ "C-I-1 256", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT
		       "|CHAP_I=256|CHAP_C=%h{16}\n" REFUSED("0201") },
	{ "C-I-1 -1", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT
		      "|CHAP_I=-1|CHAP_C=%h{16}\n" REFUSED("0201") },
	{ "C-I-1 1e3", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT
		       "|CHAP_I=1e3|CHAP_C=%h{16}\n" REFUSED("0201") },
	{ "C-I-1 empty",
	  "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "|CHAP_I=|CHAP_C=%h{16}\n" REFUSED("0201") },
	{ "C-I-1 4294967301", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT
			      "|CHAP_I=4294967301|CHAP_C=%h{16}\n" REFUSED("0201") },
	{ "C-C-1 8 bytes", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "|CHAP_I=1|CHAP_C=%h{8}\n"
			   "< 0000 0/1T : CHAP_R=%M{targetsecret1}" },
	{ "C-C-1 1024 bytes", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT
			      "|CHAP_I=1|CHAP_C=%h{1024}\n< 0000 0/1T : CHAP_R=%M{targetsecret1}" },
	{ "C-C-1 0 bytes",
	  "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "|CHAP_I=1|CHAP_C=0x\n" REFUSED("0201") },
	{ "C-C-1 7 bytes",
	  "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "|CHAP_I=1|CHAP_C=%h{7}\n" REFUSED("0201") },
	{ "C-C-1 1025 bytes", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT
			      "|CHAP_I=1|CHAP_C=%h{1025}\n" REFUSED("0200") },
	{ "C-C-1 4 KiB of text", "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT
				 "|CHAP_I=1|CHAP_C=0x%x{4094}\n" REFUSED("0200") },
	{ "C-C-2 our challenge sent back",
	  "chap mutual\n" CHALLENGE "> 0/1T : " RIGHT "|CHAP_I=1|CHAP_C=%C\n" REFUSED("0201") },
	{ "C-C-3 that of another connection, open",
	  "chap mutual\na > 0 : I|T|AuthMethod=CHAP\na < 0000 0\na > 0 : CHAP_A=5\na < 0000 0\n"
	  "b > 0 : I|T|AuthMethod=CHAP\nb < 0000 0\nb > 0 : CHAP_A=5\nb < 0000 0\n"
	  "b > 0/1T : " RIGHT "|CHAP_I=1|CHAP_C=%O\nb < 0201\nb < closed\na < open" },
	{ "C-C-3 that of the connection before",
	  "chap mutual\n" CHALLENGE "new\n" CHALLENGE "> 0/1T : " RIGHT
	  "|CHAP_I=1|CHAP_C=%O\n" REFUSED("0201") },
	{ "C-R-1 upper case",
	  "chap oneway\n" CHALLENGE "> 0/1T : " USER "|CHAP_R=%U{initiatorsecret}\n< 0000 0/1T" },
	{ "C-R-1 base64",
	  "chap oneway\n" CHALLENGE "> 0/1T : " USER "|CHAP_R=%B{initiatorsecret}\n< 0000 0/1T" },
	{ "C-R-2 wrong bit", "chap oneway\n" CHALLENGE "> 0/1T : " USER
			     "|CHAP_R=%Z{initiatorsecret}\n" REFUSED("0201") },
	{ "C-R-2 wrong secret", "chap oneway\n" CHALLENGE "> 0/1T : " USER
				"|CHAP_R=%R{someothersecret}\n" REFUSED("0201") },
	{ "C-R-2 15 bytes", "chap oneway\n" CHALLENGE "> 0/1T : " USER
			    "|CHAP_R=%S{initiatorsecret}\n" REFUSED("0201") },
	{ "C-R-2 17 bytes", "chap oneway\n" CHALLENGE "> 0/1T : " USER
			    "|CHAP_R=%L{initiatorsecret}\n" REFUSED("0201") },
	{ "C-R-2 1025 bytes",
	  "chap oneway\n" CHALLENGE "> 0/1T : " USER "|CHAP_R=%h{1025}\n" REFUSED("0200") },
	{ "C-R-2 empty", "chap oneway\n" CHALLENGE "> 0/1T : " USER "|CHAP_R=\n" REFUSED("0201") },
	{ "C-R-2 bad digit", "chap oneway\n" CHALLENGE "> 0/1T : " USER
			     "|CHAP_R=0x00112233445566778899aabbccddeefg\n" REFUSED("0201") },
	{ "C-R-2 bad padding", "chap oneway\n" CHALLENGE "> 0/1T : " USER
			       "|CHAP_R=0bABCDEFGHIJKLMNOPQRSTUV=\n" REFUSED("0201") },
	{ "C-R-2 no prefix", "chap oneway\n" CHALLENGE "> 0/1T : " USER
			     "|CHAP_R=%D{initiatorsecret}\n" REFUSED("0201") },
	{ "C-R-4 an answer of an earlier login",
	  "chap oneway\n" CHALLENGE "> 0/1T : " USER
	  "|CHAP_R=0x00112233445566778899aabbccddeeff\n" REFUSED("0201") },
	{ "C-R-5 our own secret", "chap mutual\n" CHALLENGE "> 0/1T : " USER
				  "|CHAP_R=%R{targetsecret1}\n" REFUSED("0201") },
	{ "C-N-1 unknown", "chap oneway\n" CHALLENGE
			   "> 0/1T : CHAP_N=nobody|CHAP_R=%R{initiatorsecret}\n" REFUSED("0201") },
	{ "C-N-1 empty", "chap oneway\n" CHALLENGE
			 "> 0/1T : CHAP_N=|CHAP_R=%R{initiatorsecret}\n" REFUSED("0201") },
	{ "C-N-1 256 bytes",
	  "chap oneway\n" CHALLENGE
	  "> 0/1T : CHAP_N=%x{256}|CHAP_R=%R{initiatorsecret}\n" REFUSED("0200") },
	{ "C-N-1 format characters",
	  "chap oneway\n" CHALLENGE
	  "> 0/1T : CHAP_N=%b{25}s%b{25}n|CHAP_R=0x00\n" REFUSED("0201") },
	{ "C-N-2 a name that looks like a number",
	  "chap any\n> 0 : InitiatorName=iqn.2026-01.com.example:host|T|AuthMethod=CHAP\n< 0000 0\n"
	  "> 0 : CHAP_A=5\n< 0000 0\n> 0/1T : CHAP_N=0x69716e|CHAP_R=%R{initiatorsecret}\n" REFUSED(
		  "0201") },
	{ "any initiator, its name being the user",
	  "chap any\n> 0 : InitiatorName=iqn.2026-01.com.example:guest|T|AuthMethod=CHAP\n"
	  "< 0000 0\n> 0 : CHAP_A=5\n< 0000 0\n"
	  "> 0/1T : CHAP_N=iqn.2026-01.com.example:guest|CHAP_R=%R{initiatorsecret}\n"
	  "< 0000 0/1T" },
	{ "any initiator by another's name",
	  "chap any\n> 0 : InitiatorName=iqn.2026-01.com.example:guest|T|AuthMethod=CHAP\n"
	  "< 0000 0\n> 0 : CHAP_A=5\n< 0000 0\n> 0/1T : " RIGHT "\n" REFUSED("0201") },
	{ "C-MUT-1 no secret of our own",
	  "chap oneway\n" CHALLENGE "> 0/1T : " RIGHT "|CHAP_I=1|CHAP_C=%h{16}\n" REFUSED("0201") },
	{ "SHA1", "chap mutual\n" METHOD "> 0 : CHAP_A=6\n< 0000 0 : CHAP_A=6\n> 0/1T : " RIGHT
		  "|CHAP_I=1|CHAP_C=%h{16}\n< 0000 0/1T : CHAP_R=%M{targetsecret1}" },
	{ "SHA256", "chap mutual\n" METHOD "> 0 : CHAP_A=7\n< 0000 0 : CHAP_A=7\n> 0/1T : " RIGHT
		    "|CHAP_I=1|CHAP_C=%h{32}\n< 0000 0/1T : CHAP_R=%M{targetsecret1}" },
	{ "SHA3-256", "chap mutual\n" METHOD "> 0 : CHAP_A=8\n< 0000 0 : CHAP_A=8\n> 0/1T : " RIGHT
		      "|CHAP_I=1|CHAP_C=%h{32}\n< 0000 0/1T : CHAP_R=%M{targetsecret1}" },
	{ "C-DISC-1 discovery that names a target",
	  "chap mutual\n> 1/3T : I|D|T\n" REFUSED("0201") },
	{ "C-DISC-1 the same with a proof",
	  "chap mutual\n> 0 : I|D|T|AuthMethod=CHAP\n< 0000 0\n> 0 : CHAP_A=5\n< 0000 0\n"
	  "> 0/3T : " RIGHT "\n< 0000 0/3T" },
	{ "C-DISC-1 discovery that names none demands nothing",
	  "chap mutual\n> 1/3T : I|D\n< 0000 1/3T" },
	{ "C-DISC-1 but takes a proof", "chap mutual\n> 0/1T : I|D|AuthMethod=CHAP,None\n"
					"< 0000 0 : AuthMethod=CHAP\n> 0 : CHAP_A=5\n< 0000 0\n"
					"> 0/3T : " RIGHT "\n< 0000 0/3T" },
	{ "C-DISC-1 a wrong one is wrong",
	  "chap mutual\n> 0/1T : I|D|AuthMethod=CHAP,None\n< 0000 0\n> 0 : CHAP_A=5\n< 0000 0\n"
	  "> 0/3T : " USER "|CHAP_R=%Z{initiatorsecret}\n" REFUSED("0201") },
};

#define TEST(table)                                                            \
	static void test_##table(void **state)                                 \
	{                                                                      \
		(void)state;                                                   \
		assert_int_equal(script_run_rows(table, ARRAY_LEN(table)), 0); \
	}

TEST(stages)
TEST(names)
TEST(identities)
TEST(keys)
TEST(chap)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stages),	   cmocka_unit_test(test_names),
		cmocka_unit_test(test_identities), cmocka_unit_test(test_keys),
		cmocka_unit_test(test_chap),
	};

	return cmocka_run_group_tests_name("target_login", tests, NULL, NULL);
}

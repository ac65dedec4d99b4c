/* SPDX-License-Identifier: MIT */
#include "os/hash.h"

#include <errno.h>
#include <windows.h>

#include <bcrypt.h>

#include "err.h"

/*
 * SHA3 came with Windows 11 24H2 and Server 2025 (CNG Algorithm Identifiers);
 * MD5 falls to FIPS mode.
 */
static const struct {
	const wchar_t *id;
	const char *name;
	size_t len;
} hashes[] = {
	[HASH_MD5] = { L"MD5", "MD5", 16 },
	[HASH_SHA1] = { L"SHA1", "SHA1", 20 },
	[HASH_SHA256] = { L"SHA256", "SHA256", 32 },
	[HASH_SHA3_256] = { L"SHA3-256", "SHA3-256", 32 },
};

size_t hash_len(enum hash hash)
{
	return hashes[hash].len;
}

bool hash_available(enum hash hash)
{
	uint8_t out[HASH_MAX_LEN];
	struct err ignored;

	return hash_pieces(hash, &(struct hash_piece){ "", 0 }, 1, out, &ignored) == 0;
}

static bool digest(BCRYPT_ALG_HANDLE provider, const struct hash_piece *pieces, size_t count,
		   uint8_t *out, size_t len)
{
	BCRYPT_HASH_HANDLE handle;
	bool ok = BCryptCreateHash(provider, &handle, NULL, 0, NULL, 0, 0) >= 0;

	if (!ok)
		return false;
	for (size_t i = 0; ok && i < count; i++)
		ok = BCryptHashData(handle, (PUCHAR)(uintptr_t)pieces[i].bytes,
				    (ULONG)pieces[i].len, 0) >= 0;
	ok = ok && BCryptFinishHash(handle, out, (ULONG)len, 0) >= 0;
	BCryptDestroyHash(handle);
	return ok;
}

int hash_pieces(enum hash hash, const struct hash_piece *pieces, size_t count, uint8_t *out,
		struct err *err)
{
	BCRYPT_ALG_HANDLE provider;
	bool ok = BCryptOpenAlgorithmProvider(&provider, hashes[hash].id, NULL, 0) >= 0;

	if (ok) {
		ok = digest(provider, pieces, count, out, hashes[hash].len);
		BCryptCloseAlgorithmProvider(provider, 0);
	}
	if (!ok)
		return err_set(err, ENOTSUP, "the system's cryptographic library refuses %s",
			       hashes[hash].name);
	return 0;
}

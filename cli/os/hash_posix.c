/* SPDX-License-Identifier: MIT */
#include "os/hash.h"

#include <errno.h>
#include <openssl/evp.h>

#include "err.h"

static const struct {
	const char *name;
	size_t len;
	const EVP_MD *(*get)(void);
} hashes[] = {
	[HASH_MD5] = { "MD5", 16, EVP_md5 },
	[HASH_SHA1] = { "SHA1", 20, EVP_sha1 },
	[HASH_SHA256] = { "SHA256", 32, EVP_sha256 },
	[HASH_SHA3_256] = { "SHA3-256", 32, EVP_sha3_256 },
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

int hash_pieces(enum hash hash, const struct hash_piece *pieces, size_t count, uint8_t *out,
		struct err *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	if (!ctx)
		return err_oom(err);
	ok = EVP_DigestInit_ex(ctx, hashes[hash].get(), NULL) == 1;
	for (size_t i = 0; ok && i < count; i++)
		ok = EVP_DigestUpdate(ctx, pieces[i].bytes, pieces[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return err_set(err, ENOTSUP, "the system's cryptographic library refuses %s",
			       hashes[hash].name);
	return 0;
}

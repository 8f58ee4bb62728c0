/* Binary values, which an export writes as base64 (RFC 4648, the standard alphabet, padded). */
#ifndef DDB_ASSETS_BASE64_H
#define DDB_ASSETS_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes at most size / 4 * 3 bytes and sets how many; false if it is not base64. */
bool decode_base64(const uint8_t *text, size_t size, uint8_t *to, size_t *written);

#endif

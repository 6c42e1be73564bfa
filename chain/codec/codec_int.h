/* Shared inside chain/codec only. */
#ifndef FB_CODEC_INT_H
#define FB_CODEC_INT_H
#include "farebox/codec.h"

/* "0x" in front (lower-case x) and nothing but hex digits of either case behind it. */
bool fb_hex_is(struct fb_str text);
/* The value of a hex digit that fb_hex_is has seen. */
unsigned fb_hex_digit(char c);
/* The bytes of v, big-endian, into the tail of 32 bytes; returns how many are left without the zeros
 * in front (0 for zero). */
size_t fb_u256_minimal(uint8_t out[32], struct fb_u256 v);
#endif /* FB_CODEC_INT_H */

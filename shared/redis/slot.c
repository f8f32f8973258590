/* The CRC is that of XMODEM (polynomial 0x1021), four bits at a time: a table of sixteen numbers stays in the cache. */
#include "shared/redis/slot.h"

#include <string.h>
#include <strings.h>

static uint16_t crc16(struct feed_str text)
{
    static const uint16_t of_nibble[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
                                           0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};
    uint16_t crc = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = (uint8_t)text.data[i];
        crc = (uint16_t)(crc << 4) ^ of_nibble[(crc >> 12) ^ (byte >> 4)];
        crc = (uint16_t)(crc << 4) ^ of_nibble[(crc >> 12) ^ (byte & 15)];
    }
    return crc;
}

static struct feed_str hash_tag(struct feed_str key)
{
    const char *open = key.len ? memchr(key.data, '{', key.len) : NULL;
    if (!open)
        return key;
    const char *begin = open + 1;
    const char *end = memchr(begin, '}', key.len - (size_t)(begin - key.data));
    return end && end > begin ? (struct feed_str){begin, (size_t)(end - begin)} : key;
}

unsigned feed_slot_of(struct feed_str key)
{
    return crc16(hash_tag(key)) % FEED_SLOTS;
}

static bool is(struct feed_str word, const char *command)
{
    return word.len == strlen(command) && strncasecmp(word.data, command, word.len) == 0;
}

struct feed_str feed_slot_key(const struct feed_str *argv, size_t argc)
{
    size_t at = argc && (is(argv[0], "FCALL") || is(argv[0], "FCALL_RO")) ? 3 : 1;
    return at < argc ? argv[at] : (struct feed_str){NULL, 0};
}

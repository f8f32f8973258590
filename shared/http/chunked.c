/* Task: bytes of the chunked coding to bytes of a body. Difficulty: pieces end anywhere, so all that is known between
 * two of them is in the state.
 *
 *   SIZE -> [EXTENSION ->] SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ..
 *                             `-> (size 0) TRAILER_BEGIN -> TRAILER -> TRAILER_LF -> TRAILER_BEGIN ..
 *                                             `-> LAST_LF -> END
 */
#include "shared/http/chunked.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static enum feed_error read_size(struct feed_chunked *chunked, char c)
{
    int value = hex_value(c);
    if (value >= 0 && chunked->digits < FEED_CHUNKED_SIZE_DIGITS) {
        chunked->left = chunked->left * 16 + (uint64_t)value;
        chunked->digits++;
        return FEED_OK;
    }
    if (chunked->digits == 0 || (c != '\r' && c != ';'))
        return FEED_E_INVALID;
    chunked->state = c == ';' ? FEED_CHUNKED_EXTENSION : FEED_CHUNKED_SIZE_LF;
    return FEED_OK;
}

/* Of an extension or a trailer field, whose end leads to `next`. */
static enum feed_error skip_extra(struct feed_chunked *chunked, char c, enum feed_chunked_state next)
{
    if (c == '\r') {
        chunked->state = next;
        return FEED_OK;
    }
    if ((c >= 0 && c < ' ' && c != '\t') || c == 0x7f || chunked->extras == FEED_CHUNKED_EXTRAS_MAX)
        return FEED_E_INVALID;
    chunked->extras++;
    return FEED_OK;
}

static enum feed_error expect(struct feed_chunked *chunked, bool met, enum feed_chunked_state next)
{
    chunked->state = next;
    return met ? FEED_OK : FEED_E_INVALID;
}

static enum feed_error begin_trailer(struct feed_chunked *chunked, char c)
{
    if (c == '\r')
        return expect(chunked, true, FEED_CHUNKED_LAST_LF);
    chunked->state = FEED_CHUNKED_TRAILER;
    return skip_extra(chunked, c, FEED_CHUNKED_TRAILER_LF);
}

static enum feed_error end_size(struct feed_chunked *chunked, char c)
{
    chunked->digits = 0;
    return expect(chunked, c == '\n', chunked->left > 0 ? FEED_CHUNKED_DATA : FEED_CHUNKED_TRAILER_BEGIN);
}

/* One byte that is not data. */
static enum feed_error read_byte(struct feed_chunked *chunked, char c)
{
    switch (chunked->state) {
    case FEED_CHUNKED_SIZE:
        return read_size(chunked, c);
    case FEED_CHUNKED_EXTENSION:
        return skip_extra(chunked, c, FEED_CHUNKED_SIZE_LF);
    case FEED_CHUNKED_SIZE_LF:
        return end_size(chunked, c);
    case FEED_CHUNKED_DATA_CR:
        return expect(chunked, c == '\r', FEED_CHUNKED_DATA_LF);
    case FEED_CHUNKED_DATA_LF:
        return expect(chunked, c == '\n', FEED_CHUNKED_SIZE);
    case FEED_CHUNKED_TRAILER_BEGIN:
        return begin_trailer(chunked, c);
    case FEED_CHUNKED_TRAILER:
        return skip_extra(chunked, c, FEED_CHUNKED_TRAILER_LF);
    case FEED_CHUNKED_TRAILER_LF:
        return expect(chunked, c == '\n', FEED_CHUNKED_TRAILER_BEGIN);
    default:
        return expect(chunked, c == '\n', FEED_CHUNKED_END);
    }
}

static enum feed_error read_data(struct feed_chunked *chunked, struct feed_str *input, struct feed_buf *body)
{
    size_t len = input->len < chunked->left ? input->len : (size_t)chunked->left;
    feed_buf_append(body, input->data, len);
    *input = (struct feed_str){input->data + len, input->len - len};
    chunked->left -= len;
    if (chunked->left == 0)
        chunked->state = FEED_CHUNKED_DATA_CR;
    return body->error;
}

enum feed_error feed_chunked_read(struct feed_chunked *chunked, struct feed_str *input, struct feed_buf *body)
{
    enum feed_error error = FEED_OK;
    while (error == FEED_OK && input->len > 0 && chunked->state != FEED_CHUNKED_END) {
        if (chunked->state == FEED_CHUNKED_DATA) {
            error = read_data(chunked, input, body);
            continue;
        }
        char c = *input->data;
        *input = (struct feed_str){input->data + 1, input->len - 1};
        error = read_byte(chunked, c);
    }
    return error;
}

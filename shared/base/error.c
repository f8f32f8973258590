/* The words of the error table. */
#include "shared/base/error.h"

#include "shared/base/assert.h"

const char *feed_error_name(enum feed_error error)
{
    static const char *const names[FEED_ERROR_COUNT] = {
#define FEED_ERROR_ROW(name, text) [name] = (text),
        FEED_ERRORS(FEED_ERROR_ROW)
#undef FEED_ERROR_ROW
    };
    feed_assert((unsigned)error < FEED_ERROR_COUNT);
    return names[error];
}

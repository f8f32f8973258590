/* Ends the process on a mistake of our own. Nothing is cleaned up: the state is not to be trusted any more. */
#include "shared/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void feed_assert_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "feedwire: assertion failed: %s (%s:%d)\n", what, file, line);
    abort();
}

/* Assertions for our own mistakes; kept in release builds. What comes from a peer, a file or the environment is checked
 * and answered with an error instead. */
#ifndef FEED_BASE_ASSERT_H
#define FEED_BASE_ASSERT_H

/* Writes one line to stderr and aborts. */
_Noreturn void feed_assert_failed(const char *what, const char *file, int line);

#define feed_assert(condition) ((condition) ? (void)0 : feed_assert_failed(#condition, __FILE__, __LINE__))

#endif
